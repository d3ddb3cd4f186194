import type { Farm } from '../farm/farm';
import { asError } from '../model/errors';
import { eventRange, eventsAfter, type StatusEvent } from '../store/outbox';

const batch = 200;
/** How many of the newest events are kept for listeners that are slightly behind. */
const kept = 1000;
/** Delay before the database is queried again after a failure (ms). */
const retryPause = 1000;

/** What woke a listener. */
export interface Woken {
  events: boolean;
  /** Something other than an event changed: a printer, a bed, the plan. */
  changed: boolean;
}

/**
 * Reads the events of a farm once for all listeners of this process, while there are any: the load on the database does
 * not depend on their number. A listener that has fallen behind the kept events reads for itself until it has caught up.
 */
export class EventReader {
  readonly #farm: Farm;
  readonly #listeners = new Set<(woken: Woken) => void>();
  /** The newest events, oldest first; everything after `#from` up to `#last`. */
  #events: StatusEvent[] = [];
  #from = 0;
  #last = 0;
  #started: Promise<void> | undefined;
  #unlisten: (() => void) | undefined;
  #reading = false;
  #again = false;

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  /** The id of the last event read. */
  get last(): number {
    return this.#last;
  }

  /** Calls the listener whenever there is something new. @returns a function that ends it */
  async listen(listener: (woken: Woken) => void): Promise<() => void> {
    this.#listeners.add(listener);
    const leave = (): void => {
      this.#listeners.delete(listener);
      if (this.#listeners.size === 0) this.#stop();
    };
    this.#started ??= this.#start();
    try {
      await this.#started;
    } catch (error) {
      this.#started = undefined;
      leave();
      throw asError(error);
    }
    return leave;
  }

  /** Returns the events after an event, oldest first, at most one batch. */
  async after(id: number): Promise<StatusEvent[]> {
    if (id >= this.#last) return [];
    if (id < this.#from) return eventsAfter(this.#farm.database, id, batch);
    const first = this.#events.findIndex((event) => event.id > id);
    return first < 0 ? [] : this.#events.slice(first, first + batch);
  }

  async #start(): Promise<void> {
    this.#unlisten = await this.#farm.database.listen((payload) => {
      const changed = payload === 'plan' || payload === 'reconnected';
      if (changed) this.#tell({ events: false, changed });
      if (payload === 'event' || payload === 'reconnected') void this.#read();
    });
    const { newest } = await eventRange(this.#farm.database);
    this.#from = newest;
    this.#last = newest;
    this.#events = [];
    // Reads the events that arrived between the query and its answer.
    void this.#read();
  }

  #stop(): void {
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#started = undefined;
    this.#events = [];
  }

  async #read(): Promise<void> {
    if (this.#reading) {
      this.#again = true;
      return;
    }
    this.#reading = true;
    const begun = this.#started;
    try {
      do {
        this.#again = false;
        const found = await eventsAfter(this.#farm.database, this.#last, batch);
        // All listeners have left meanwhile, and new ones may have come: they begin elsewhere.
        if (this.#started !== begun) {
          this.#again = true;
          return;
        }
        this.#keep(found);
        if (found.length === batch) this.#again = true;
      } while (this.#again);
    } catch {
      // The watch of the database reports the outage; the events are still there when it is back.
      setTimeout(() => {
        if (this.#started) void this.#read();
      }, retryPause).unref();
    } finally {
      this.#reading = false;
      if (this.#again && this.#started && this.#started !== begun) void this.#read();
    }
  }

  #keep(found: StatusEvent[]): void {
    const newest = found.at(-1);
    if (!newest) return;
    this.#events.push(...found);
    this.#last = newest.id;
    const gone = this.#events.splice(0, Math.max(0, this.#events.length - kept)).at(-1);
    if (gone) this.#from = gone.id;
    this.#tell({ events: true, changed: false });
  }

  #tell(woken: Woken): void {
    for (const listener of this.#listeners) listener(woken);
  }
}
