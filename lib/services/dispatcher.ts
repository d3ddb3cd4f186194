import type { Farm } from '../farm/farm';
import type { Subscription } from '../messaging/broker';
import type { OutboxRow } from '../store/outbox';
import { recordDeadLetters } from './dead-letter-recorder';
import { OutboxRelay } from './relay';
import type { Service } from './service';

/** Publishes the outbox, and records the dead letters of the broker. */
export class Dispatcher implements Service {
  readonly #farm: Farm;
  readonly #relay: OutboxRelay;
  #letters: Subscription | undefined;

  /** @param published called with every published message */
  constructor(farm: Farm, published?: (row: OutboxRow) => void) {
    this.#farm = farm;
    this.#relay = new OutboxRelay(farm, published);
  }

  async start(): Promise<void> {
    await this.#relay.start();
    this.#letters ??= await recordDeadLetters(this.#farm);
  }

  async stop(): Promise<void> {
    await this.#letters?.cancel();
    this.#letters = undefined;
    await this.#relay.stop();
  }

  /** Publishes waiting messages soon. */
  wake(): void {
    this.#relay.wake();
  }
}
