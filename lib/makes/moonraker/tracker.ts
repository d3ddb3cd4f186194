import { isObject, objectOf, textOf } from '../values';
import {
  type HistoryJob,
  historyEnding,
  jobNamed,
  klippyState,
  type MappedState,
  type MoonrakerState,
  mapState,
  mergeObjects,
  type PrinterObjects,
  printFileName,
  printState,
  readHistoryJob,
} from './state-mapping';

/** The printer's state, once it is settled. */
export interface TrackedState extends MappedState {
  /** How the job ended is known only later; in this many ms at the latest. */
  undecidedForMs?: number;
}

/** What a notification requires of the driver. */
export type NotificationEffect =
  /** Nothing that concerns us. */
  | 'none'
  /** Something is different now. */
  | 'changed'
  /** Klipper came back: all queries and subscriptions must be renewed. */
  | 'ask anew'
  /** Something is different, and a query returns more. */
  | 'changed, ask';

/**
 * The state machine of the driver without its connection: takes the printer's answers and notifications in order, and
 * derives the printer's state and how its jobs ended.
 */
export class StateTracker {
  #state: MoonrakerState = { klippy: 'disconnected', klippyMessage: '', objects: {}, lastJob: undefined };
  /** The job that was seen running last. */
  #lastActive: string | undefined;
  /** Since when a job that ran is gone without an ending in the history. */
  #goneSince: number | undefined;
  readonly #stopped = new Set<string>();

  /** @param historyMs how long the history may take to report how a job ended that the printer no longer shows */
  constructor(private readonly historyMs: number) {}

  get state(): MoonrakerState {
    return this.#state;
  }

  get isReady(): boolean {
    return klippyState(this.#state) === 'ready';
  }

  /** The file of the job that runs; undefined if none does. */
  get activeFile(): string | undefined {
    const print = printState(this.#state.objects);
    return print === 'printing' || print === 'paused' ? printFileName(this.#state.objects) : undefined;
  }

  /** Takes Klipper's state from `server.info`; `ready` counts only together with its objects. */
  klippyIs(klippy: string): void {
    if (klippy !== 'ready') this.#state = { ...this.#state, klippy };
  }

  klippySays(klippyMessage: string): void {
    this.#state = { ...this.#state, klippyMessage };
  }

  /** Takes all objects together with Klipper's state: old objects do not apply to a Klipper that came back. */
  objectsAre(objects: PrinterObjects, klippy: 'ready' | 'shutdown'): void {
    this.#state = { ...this.#state, klippy, objects };
    if (klippy === 'ready') this.#state.klippyMessage = '';
    this.#noteActive();
  }

  /** Takes the newest job of the history. */
  newestJobIs(job: HistoryJob): void {
    this.#state = { ...this.#state, lastJob: job };
  }

  /** Remembers that we requested this job's end. */
  askedToStop(fileName: string): void {
    this.#stopped.add(fileName);
  }

  notify(method: string, params: readonly unknown[]): NotificationEffect {
    switch (method) {
      case 'notify_status_update':
        if (!isObject(params[0])) return 'none';
        this.#state = { ...this.#state, objects: mergeObjects(this.#state.objects, params[0]) };
        this.#noteActive();
        return 'changed';
      case 'notify_history_changed': {
        const job = readHistoryJob(objectOf(params[0]).job);
        if (job !== undefined) this.newestJobIs(job);
        return 'changed';
      }
      case 'notify_klippy_ready':
        this.#state = { ...this.#state, klippy: 'startup' };
        return 'ask anew';
      case 'notify_klippy_shutdown':
        this.#state = { ...this.#state, klippy: 'shutdown' };
        return 'changed, ask';
      case 'notify_klippy_disconnected':
        this.#state = { ...this.#state, klippy: 'disconnected' };
        return 'changed';
      default:
        return 'none';
    }
  }

  /**
   * Returns the printer's state at a time of the monotonic clock (ms).
   *
   * The stock macros of the Giga forget a cancelled job immediately: the printer stands by without a file name, and
   * only the history reports the ending, a moment later.
   */
  at(now: number): TrackedState {
    const mapped = mapState(this.#state);
    const gone = this.#lastActive;
    if (mapped.state !== 'idle' || printState(this.#state.objects) !== 'standby' || gone === undefined) {
      this.#goneSince = undefined;
      if (mapped.ending !== null && mapped.job !== null && mapped.job.name === gone) this.#lastActive = undefined;
      return mapped;
    }
    const told = this.#state.lastJob;
    if (told?.fileName === gone && historyEnding(told.status) !== 'unknown') {
      this.#goneSince = undefined;
      return mapped;
    }
    this.#goneSince ??= now;
    const left = this.#goneSince + this.historyMs - now;
    if (left > 0)
      return { ...mapped, state: 'busy', job: jobNamed(gone, this.#state), ending: null, undecidedForMs: left };
    return { ...mapped, job: jobNamed(gone, this.#state), ending: this.#stopped.has(gone) ? 'cancelled' : 'unknown' };
  }

  #noteActive(): void {
    this.#lastActive = this.activeFile ?? this.#lastActive;
  }
}

/** Klipper's state out of the answer to `server.info`. */
export function klippyOf(serverInfo: unknown): string {
  return textOf(objectOf(serverInfo).klippy_state) ?? 'disconnected';
}
