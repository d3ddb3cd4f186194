import type { Service } from './service';

export interface LoopOptions {
  /** Does one round. Its errors go to `failed`; the next round happens anyway. */
  work(signal: AbortSignal): Promise<void>;
  failed(error: unknown): void;
  /** A round is due this long after the last (ms); absent: only when woken. */
  everyMs?: number;
  /** How long a round waits for further calls of `wake` (ms). */
  gatherMs?: number;
  /** Minimum time from the start of one round to that of the next (ms). */
  pauseMs?: number;
  /** Subscribes to the events that wake the loop; returns a function that unsubscribes. */
  listen?(wake: () => void): Promise<() => void>;
}

/** Repeats a piece of work at intervals and when woken, one round after the other, and at least once after the last `wake`. */
export class Loop implements Service {
  readonly #options: LoopOptions;
  #abort: AbortController | undefined;
  #interval: NodeJS.Timeout | undefined;
  #soon: NodeJS.Timeout | undefined;
  #unlisten: (() => void) | undefined;
  #round: Promise<void> | undefined;
  #again = false;
  #begunAt = Number.NEGATIVE_INFINITY;

  constructor(options: LoopOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    if (this.#abort) return;
    const abort = new AbortController();
    this.#abort = abort;
    const { everyMs } = this.#options;
    if (everyMs !== undefined) this.#interval = setInterval(() => this.wake(), everyMs);
    await this.#listen(abort.signal);
    this.wake();
  }

  /** Subscribes once; a failed subscription is tried again before each round. */
  async #listen(signal: AbortSignal): Promise<void> {
    if (this.#unlisten || !this.#options.listen) return;
    try {
      const unlisten = await this.#options.listen(() => this.wake());
      if (signal.aborted) unlisten();
      else this.#unlisten = unlisten;
    } catch (error) {
      if (!signal.aborted) this.#options.failed(error);
    }
  }

  /** Ends the current round as soon as its work heeds the signal. */
  async stop(): Promise<void> {
    this.#abort?.abort(new Error('The farm is closing.'));
    clearInterval(this.#interval);
    clearTimeout(this.#soon);
    this.#soon = undefined;
    this.#unlisten?.();
    this.#unlisten = undefined;
    this.#again = false;
    await this.#round;
    this.#abort = undefined;
  }

  /** Starts a round soon. */
  wake(): void {
    if (!this.#abort || this.#abort.signal.aborted) return;
    if (this.#round) {
      this.#again = true;
      return;
    }
    const { gatherMs = 0, pauseMs = 0 } = this.#options;
    const wait = Math.max(gatherMs, pauseMs - (performance.now() - this.#begunAt));
    this.#soon ??= setTimeout(() => this.#begin(), wait);
  }

  #begin(): void {
    this.#soon = undefined;
    const signal = this.#abort?.signal;
    if (!signal || signal.aborted) return;
    this.#begunAt = performance.now();
    this.#round = this.#listen(signal)
      .then(() => this.#options.work(signal))
      .catch((error: unknown) => {
        if (!signal.aborted) this.#options.failed(error);
      })
      .finally(() => {
        this.#round = undefined;
        if (!this.#again) return;
        this.#again = false;
        this.wake();
      });
  }
}
