import { asError } from '../model/errors';
import { PrinterUnavailableError } from './driver';

/** One connection to a printer, from the accepted login to its end. */
export abstract class Session {
  #reason: Error | undefined;
  readonly #listeners = new Set<(reason: Error) => void>();

  /** Why the connection is over; undefined while it lasts. */
  get reason(): Error | undefined {
    return this.#reason;
  }

  /** Whether a command that is written now leaves the process immediately. */
  abstract readonly writable: boolean;

  /** Closes it with the protocol's disconnect message. Never rejects. */
  abstract close(): Promise<void>;

  /** Releases the socket and every timer; called exactly once. */
  protected abstract release(): void;

  /** Ends it immediately: nothing is flushed and nothing more is written. */
  destroy(reason: Error): void {
    if (this.#reason !== undefined) return;
    this.#reason = reason;
    this.release();
    for (const listener of [...this.#listeners]) listener(reason);
    this.#listeners.clear();
  }

  /**
   * Runs the handler of an event. An unexpected exception in it ends this connection: what is known of the printer may be wrong
   * by then, and the exception must not reach the emitter of the event, where it would end the process.
   */
  guard(handle: () => void): void {
    try {
      handle();
    } catch (thrown) {
      const { message } = asError(thrown);
      this.destroy(new PrinterUnavailableError(`A message from the printer could not be handled: ${message}`, thrown));
    }
  }

  /**
   * Calls the listener when the connection is over, immediately if it already is. Returns a function that removes the
   * listener.
   */
  onEnd(listener: (reason: Error) => void): () => void {
    if (this.#reason !== undefined) {
      listener(this.#reason);
      return () => {};
    }
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Resolves with the reason when the connection is over. */
  ended(): Promise<Error> {
    return new Promise((resolve) => {
      this.onEnd(resolve);
    });
  }
}
