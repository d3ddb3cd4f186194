import { PlatewiseError } from '../model/errors';

/** Too many bodies are being read concurrently (HTTP 503). */
export class BodiesInFlightError extends PlatewiseError {
  readonly retryAfterSeconds = 1;

  constructor() {
    super('Too many large bodies are being read at the same time.', {
      code: 'bodies_in_flight',
      retryable: true,
      remedy: 'Send it again in a second, or send fewer concurrently.',
    });
  }
}

/** Limits the bytes of request bodies held concurrently, each from its first byte to the end of its answer. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /**
   * Reserves bytes.
   * @returns a function that releases them; may be called more than once
   * @throws BodiesInFlightError too few bytes are left
   */
  take(bytes: number): () => void {
    if (this.#held + bytes > this.#most) throw new BodiesInFlightError();
    this.#held += bytes;
    let given = false;
    return () => {
      if (!given) this.#held -= bytes;
      given = true;
    };
  }
}
