import { PlatewiseError } from '../model/errors';

/** Too much is being read at the same time (HTTP 503). */
export class BodiesInFlightError extends PlatewiseError {
  readonly retryAfterSeconds = 1;

  constructor() {
    super('Too many large bodies are being read at the same time.', {
      code: 'bodies_in_flight',
      retryable: true,
      remedy: 'Send it again in a second, or send fewer at once.',
    });
  }
}

/** How many bytes of bodies are held at the same time, from the first byte of a body to the end of its answer. */
export class BodyBudget {
  readonly #most: number;
  #held = 0;

  constructor(mostBytes: number) {
    this.#most = mostBytes;
  }

  /**
   * Sets bytes aside.
   * @returns gives them back; may be called more than once
   * @throws BodiesInFlightError there are not so many left
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
