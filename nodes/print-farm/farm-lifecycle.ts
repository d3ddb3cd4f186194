import type { Farm } from '../../lib/farm/farm';
import type { FarmOptions } from '../../lib/farm/options';
import { asError, PlatewiseError } from '../../lib/model/errors';
import { FarmRuntime } from '../../lib/runtime';
import { recordRequest } from '../http/request-log';
import type { Answering } from '../http/unanswered';

/** A node that works with the farm while it is open. */
export interface FarmUser {
  /** The farm was opened. */
  opened(farm: Farm): Promise<void> | void;
  /** Called before the farm closes; resolves when this user no longer needs it. */
  closing(): Promise<void> | void;
  /** Called when the farm could not be opened; opening is retried. */
  failed(error: Error): void;
}

const retryPause = 5000;
const openLimit = 15_000;

/** Opens the farm for its first user and closes it after the last; retries while it cannot be opened. */
export class FarmLifecycle {
  readonly #options: FarmOptions;
  readonly #users = new Map<FarmUser, Promise<void>>();
  /** Removed users that are still using the farm. */
  readonly #leaving = new Map<FarmUser, Promise<void>>();
  #runtime: FarmRuntime | undefined;
  #work: Promise<void> = Promise.resolve();
  #retry: NodeJS.Timeout | undefined;
  #problem: Error | undefined;
  #waiting = new Set<() => void>();
  #closed = false;
  #streams = new AbortController();

  constructor(options: FarmOptions) {
    this.#options = options;
  }

  /** The farm as it answers requests that no flow routes. */
  get answering(): Answering {
    return {
      farm: () => this.farm(),
      closing: this.#streams.signal,
      answered: (request, details) => recordRequest(this.#runtime?.farm, request, details),
      failed: (error) => this.#options.log('error', error.message),
    };
  }

  /** Whether any node uses the farm. */
  get used(): boolean {
    return this.#users.size > 0;
  }

  /** Adds a user; `opened` is called now or as soon as the farm is open. */
  add(user: FarmUser): void {
    if (this.#users.has(user)) return;
    this.#users.set(user, Promise.resolve());
    if (this.#runtime) this.#tell(user, this.#runtime.farm);
    else this.#enqueue(() => this.#open());
  }

  /** Removes a user; resolves when it no longer needs the farm. */
  async remove(user: FarmUser): Promise<void> {
    const begun = this.#users.get(user);
    if (!begun) return this.#leaving.get(user);
    this.#users.delete(user);
    const left = begun.then(() => user.closing()).finally(() => this.#leaving.delete(user));
    this.#leaving.set(user, left);
    await left;
    if (this.#users.size === 0) await this.#enqueue(() => this.#close());
  }

  /** Closes everything, users first. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#streams.abort();
    clearTimeout(this.#retry);
    await Promise.allSettled([...this.#leaving.values(), ...[...this.#users.keys()].map((user) => this.remove(user))]);
    await this.#enqueue(() => this.#close());
  }

  /**
   * Returns the open farm; waits briefly if it is being opened. @throws PlatewiseError it cannot be opened at the
   * moment
   */
  async farm(): Promise<Farm> {
    const end = Date.now() + openLimit;
    while (!this.#runtime && !this.#closed && Date.now() < end && !this.#problem) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, end - Date.now());
        this.#waiting.add(() => {
          clearTimeout(timer);
          resolve();
        });
      });
    }
    if (this.#runtime) return this.#runtime.farm;
    const problem = this.#problem;
    if (problem instanceof PlatewiseError) throw problem;
    throw new PlatewiseError(problem?.message ?? 'The farm is not open.', {
      code: 'farm_not_open',
      retryable: true,
      remedy: 'Look at the status of the print-farm node.',
    });
  }

  async #open(): Promise<void> {
    if (this.#runtime || this.#closed || this.#users.size === 0) return;
    try {
      this.#runtime = await FarmRuntime.open(this.#options);
      this.#problem = undefined;
      for (const user of this.#users.keys()) this.#tell(user, this.#runtime.farm);
    } catch (error) {
      this.#problem = asError(error);
      for (const user of this.#users.keys()) user.failed(this.#problem);
      clearTimeout(this.#retry);
      this.#retry = setTimeout(() => {
        this.#problem = undefined;
        this.#enqueue(() => this.#open());
      }, retryPause);
    }
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  async #close(): Promise<void> {
    if (!this.#closed && this.#users.size > 0) return;
    await Promise.allSettled(this.#leaving.values());
    clearTimeout(this.#retry);
    const runtime = this.#runtime;
    this.#runtime = undefined;
    this.#streams.abort();
    this.#streams = new AbortController();
    await runtime?.close();
    for (const wake of this.#waiting) wake();
    this.#waiting.clear();
  }

  #tell(user: FarmUser, farm: Farm): void {
    const begun = Promise.resolve()
      .then(() => user.opened(farm))
      .catch((error: unknown) => user.failed(asError(error)));
    this.#users.set(user, begun);
  }

  /** Runs tasks one after the other, without unhandled rejections. */
  #enqueue(step: () => Promise<void>): Promise<void> {
    this.#work = this.#work.then(step).catch((error: unknown) => this.#options.log('error', asError(error).message));
    return this.#work;
  }
}
