import type { Farm } from '../farm/farm';
import { eventRange, type StatusEvent } from '../store/outbox';
import { EventReader } from './event-reader';

/** What a listener is told. */
export type FeedItem =
  /** A message of the status bus: a job, a bed or the stock changed; in the order of telling. */
  | { kind: 'message'; message: StatusEvent }
  /** Events between the one that was asked for and the next are no longer kept: ask for everything anew. */
  | { kind: 'gap'; id: number }
  /** Something else has changed: a printer, a bed, the plan. */
  | { kind: 'changed' };

/**
 * Every message of the status bus since an event, and from then on, until `signal` aborts.
 * @param after the last event that the listener knows; undefined: only what comes from now on
 */
export async function* eventFeed(farm: Farm, after: number | undefined, signal: AbortSignal): AsyncGenerator<FeedItem> {
  const reader = farm.part(EventReader);
  let wake: () => void = () => undefined;
  let toldOf = { events: true, changed: false };
  const unlisten = await reader.listen(({ events, changed }) => {
    toldOf = { events: toldOf.events || events, changed: toldOf.changed || changed };
    wake();
  });
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  try {
    let last = after ?? reader.last;
    if (after !== undefined) {
      const { oldest, newest } = await eventRange(farm.database);
      // A number that was never given is of another database.
      if (last > newest || (last < oldest - 1 && newest > 0)) {
        last = newest;
        yield { kind: 'gap', id: newest };
      }
    }
    while (!signal.aborted) {
      const { events, changed } = toldOf;
      toldOf = { events: false, changed: false };
      let more = events;
      while (more && !signal.aborted) {
        const found = await reader.after(last);
        for (const event of found) {
          last = event.id;
          yield { kind: 'message', message: event };
        }
        more = found.length > 0;
      }
      if (changed) yield { kind: 'changed' };
      if (signal.aborted || toldOf.events || toldOf.changed) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (signal.aborted || toldOf.events || toldOf.changed) resolve();
      });
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', stop);
  }
}
