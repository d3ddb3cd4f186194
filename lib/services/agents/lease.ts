import { asError } from '../../model/errors';
import type { Log } from '../../model/log';
import { type Claim, releaseLease, renewLease } from '../../store/attempts';
import type { Database } from '../../store/database';

/**
 * Keeps the claim of an attempt alive. The database's clock decides whether it holds; between renewals the monotonic clock of this
 * process bounds how long it certainly still holds.
 */
export class Lease {
  readonly claim: Claim;
  readonly #database: Database;
  readonly #seconds: number;
  readonly #log: Log;
  readonly #lost = new AbortController();
  #heldUntil: number;
  #timer: NodeJS.Timeout | undefined;
  #renewing: Promise<void> | undefined;

  /** @param claimedAt `performance.now()` before the claim was sent to the database */
  constructor(options: { claim: Claim; database: Database; seconds: number; claimedAt: number; log: Log }) {
    this.claim = options.claim;
    this.#database = options.database;
    this.#seconds = options.seconds;
    this.#log = options.log;
    this.#heldUntil = options.claimedAt + options.seconds * 1000;
    this.#timer = setInterval(() => this.#renew(), (options.seconds * 1000) / 3);
  }

  /** Aborts when the claim is lost to another agent. */
  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  /** Whether the claim certainly still holds now. */
  get held(): boolean {
    return !this.#lost.signal.aborted && performance.now() < this.#heldUntil;
  }

  /** Stops renewing; with `release` another agent may take over immediately. */
  async end(release: boolean): Promise<void> {
    clearInterval(this.#timer);
    this.#timer = undefined;
    await this.#renewing;
    if (release) await releaseLease(this.#database, this.claim).catch(() => undefined);
  }

  #renew(): void {
    if (this.#renewing) return;
    const asked = performance.now();
    this.#renewing = renewLease(this.#database, this.claim, this.#seconds)
      .then((kept) => {
        if (kept) this.#heldUntil = asked + this.#seconds * 1000;
        else this.#lose('the claim of the attempt was lost');
      })
      .catch((error: unknown) => {
        this.#log('warn', `The lease of an attempt could not be renewed: ${asError(error).message}`);
      })
      .finally(() => {
        this.#renewing = undefined;
      });
  }

  #lose(why: string): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
    this.#lost.abort(new Error(why));
  }
}
