import { availableParallelism } from 'node:os';
import { asError } from '../model/errors';

/** No turn is free for work that can wait. */
export class TurnsBusyError extends Error {
  constructor() {
    super('All slicers are busy.');
  }
}

/** Runs a limited number of tasks concurrently; the others wait in order of arrival. */
export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];
  /** Stops what can wait. */
  private giveWay: (() => void) | undefined;

  constructor(atOnce: number) {
    this.free = Math.max(1, atOnce);
  }

  /** Runs the work when it is its turn. Aborting ends the wait immediately. */
  async take<Result>(work: () => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    await this.mine(signal);
    try {
      return await work();
    } finally {
      const next = this.waiting.shift();
      if (next) next();
      else this.free++;
    }
  }

  /**
   * Runs work that can wait, if the last free turn is unused; its signal aborts as soon as other work waits for a turn.
   *
   * @throws TurnsBusyError immediately when there is no room, and as the signal's reason when it has to give way
   */
  async takeIdle<Result>(work: (signal: AbortSignal) => Promise<Result>, signal?: AbortSignal): Promise<Result> {
    if (this.free === 0 || this.giveWay) throw new TurnsBusyError();
    const controller = new AbortController();
    this.giveWay = () => controller.abort(new TurnsBusyError());
    try {
      const both = signal ? AbortSignal.any([signal, controller.signal]) : controller.signal;
      return await this.take(async () => {
        both.throwIfAborted();
        return work(both);
      });
    } finally {
      this.giveWay = undefined;
    }
  }

  private mine(signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted) return Promise.reject(asError(signal.reason));
    if (this.free > 0) {
      this.free--;
      return Promise.resolve();
    }
    return new Promise((resolve, reject) => {
      const begin = () => {
        signal?.removeEventListener('abort', giveUp);
        resolve();
      };
      const giveUp = () => {
        this.waiting.splice(this.waiting.indexOf(begin), 1);
        reject(asError(signal?.reason));
      };
      signal?.addEventListener('abort', giveUp, { once: true });
      this.waiting.push(begin);
      this.giveWay?.();
    });
  }
}

/** Slicers of this process: at most one a core. */
export const slicerTurns = new Turns(availableParallelism());
