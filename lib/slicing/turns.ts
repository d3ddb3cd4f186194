import { availableParallelism } from 'node:os';
import { asError } from '../model/errors';

/** Lets so many work at once; the others wait in the order in which they came. */
export class Turns {
  private free: number;
  private readonly waiting: (() => void)[] = [];

  constructor(atOnce: number) {
    this.free = Math.max(1, atOnce);
  }

  /** Runs the work when it is its turn. Aborting ends the waiting at once. */
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
    });
  }
}

/** Slicers of this process: at most one a core. */
export const slicerTurns = new Turns(availableParallelism());
