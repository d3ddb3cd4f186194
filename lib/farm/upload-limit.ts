import { RateLimiterMemory, RateLimiterRes } from 'rate-limiter-flexible';
import { TooManyRequestsError } from '../model/errors';

/** How many files one client may send a minute, counted in this process. */
export class UploadLimit {
  readonly #perMinute: number;
  readonly #limiter: RateLimiterMemory;

  /** @param perMinute 0: as many as they like */
  constructor(perMinute: number) {
    this.#perMinute = perMinute;
    this.#limiter = new RateLimiterMemory({ points: Math.max(1, perMinute), duration: 60 });
  }

  /**
   * Counts one upload of a client.
   * @param client the name of its key, or its address
   * @throws TooManyRequestsError it has sent as many as it may
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
