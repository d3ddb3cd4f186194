import type { Farm } from '../farm/farm';
import { eventRange, type StatusEvent } from '../store/outbox';
import { EventReader } from './event-reader';

/** One item of the feed. */
export type FeedItem =
  /** A message of the status bus: a job, a bed or the stock changed; in the order of the events. */
  | { kind: 'message'; message: StatusEvent }
  /** Events between the requested one and the next are no longer kept: the listener must read the whole state again. */
  | { kind: 'gap'; id: number }
  /** Something else has changed: a printer, a bed, the plan. */
  | { kind: 'changed' };

/**
 * Yields every message of the status bus since an event, and then each new one, until `signal` aborts.
 * @param after the last event that the listener knows; undefined: new events only
 */
export async function* eventFeed(farm: Farm, after: number | undefined, signal: AbortSignal): AsyncGenerator<FeedItem> {
  const reader = farm.part(EventReader);
  let wake: () => void = () => undefined;
  let pending = { events: true, changed: false };
  const unlisten = await reader.listen(({ events, changed }) => {
    pending = { events: pending.events || events, changed: pending.changed || changed };
    wake();
  });
  const stop = (): void => wake();
  signal.addEventListener('abort', stop);
  try {
    let last = after ?? reader.last;
    if (after !== undefined) {
      const { oldest, newest } = await eventRange(farm.database);
      // An id that was never issued belongs to another database.
      if (last > newest || (last < oldest - 1 && newest > 0)) {
        last = newest;
        yield { kind: 'gap', id: newest };
      }
    }
    while (!signal.aborted) {
      const { events, changed } = pending;
      pending = { events: false, changed: false };
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
      if (signal.aborted || pending.events || pending.changed) continue;
      await new Promise<void>((resolve) => {
        wake = resolve;
        if (signal.aborted || pending.events || pending.changed) resolve();
      });
    }
  } finally {
    unlisten();
    signal.removeEventListener('abort', stop);
  }
}
