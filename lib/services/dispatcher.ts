import type { Farm } from '../farm/farm';
import type { Subscription } from '../messaging/broker';
import type { OutboxRow } from '../store/outbox';
import { recordDeadLetters } from './dead-letter-recorder';
import { OutboxRelay } from './relay';
import type { Service } from './service';

/** Publishes what the farm has committed, and records what the broker gives up. */
export class Dispatcher implements Service {
  readonly #farm: Farm;
  readonly #relay: OutboxRelay;
  #letters: Subscription | undefined;

  /** @param published told of every message that was published */
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

  /** Publishes what waits, soon. */
  wake(): void {
    this.#relay.wake();
  }
}
