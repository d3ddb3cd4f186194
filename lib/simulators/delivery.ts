import { type Faults, faultNumber } from './faults';

/** A message that is held back goes after the next one, or after this long (ms) if none follows. */
const HELD_AT_MOST_MS = 400;

/**
 * The faults in the delivery of a printer's messages. Each message must be complete in itself: a client that gets a
 * change too late never learns of it.
 */
export const DELIVERY_FAULTS = [
  /** Everything arrives `seconds` (wall, default 2) late. */
  'answers_late',
  /** Everything arrives twice. */
  'answers_repeated',
  /** Every other message arrives after the one that follows it. */
  'answers_shuffled',
] as const;

/** How a printer's messages arrive: as they are sent, or late, twice, out of order. */
export class Delivery {
  #held: { send(): void; timer: NodeJS.Timeout } | undefined;

  constructor(private readonly faults: Faults) {}

  /** @param send puts one message on the wire; it is called later, twice or in another order, depending on the fault */
  pass(send: () => void): void {
    const late = this.faults.take('answers_late');
    if (late !== undefined) {
      setTimeout(send, faultNumber(late, 'seconds', 2) * 1000).unref();
      return;
    }
    if (this.faults.isOn('answers_repeated')) {
      send();
      send();
      return;
    }
    const held = this.#held;
    if (held !== undefined) {
      this.#held = undefined;
      clearTimeout(held.timer);
      send();
      held.send();
      return;
    }
    if (!this.faults.isOn('answers_shuffled')) {
      send();
      return;
    }
    const timer = setTimeout(() => {
      this.#held = undefined;
      send();
    }, HELD_AT_MOST_MS);
    this.#held = { send, timer };
  }
}
