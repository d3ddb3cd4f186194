import type { Log } from '../model/log';
import { Seldom } from '../model/seldom';

/** Unreadable messages from the broker: dropped, counted, and reported at most once a minute. */
export class DroppedMessages {
  readonly #log: Log;
  readonly #seldom: Seldom;
  #count = 0;

  /** @param seldom decides which are reported; for tests */
  constructor(log: Log, seldom = new Seldom()) {
    this.#log = log;
    this.#seldom = seldom;
  }

  /** The number of messages dropped since the start. */
  get count(): number {
    return this.#count;
  }

  /** @param from the queue or exchange of the message */
  note(from: string, reason: string): void {
    this.#count++;
    const quiet = this.#seldom.due(from);
    if (quiet === undefined) return;
    const more = quiet > 0 ? ` (and ${quiet} more since the last report)` : '';
    this.#log('warn', `A message on ${from} was dropped${more}: ${reason}`);
  }
}
