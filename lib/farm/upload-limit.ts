import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { TooManyRequestsError } from '../model/errors';

/** Limits the uploads of each client per minute, counted in this process. */
export class UploadLimit {
  readonly #perMinute: number;
  readonly #limiter: RateLimiterMemory;

  /** @param perMinute 0: unlimited */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#limiter = new RateLimiterMemory({ points: Math.max(1, perMinute), duration: 60 });
  }

  /**
   * Counts one upload of a client.
   * @param client the name of its key, or its address
   * @throws TooManyRequestsError the client has reached its limit
   */
  async take(client: string): Promise<void> {
    if (this.#perMinute === 0) return;
    try {
      await this.#limiter.consume(client);
    } catch (refused) {
      if (!(refused instanceof RateLimiterRes)) throw refused;
      throw new TooManyRequestsError(`${this.#perMinute} files a minute`, Math.ceil(refused.msBeforeNext / 1000));
    }
  }
}
