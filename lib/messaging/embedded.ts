import { Broker as SmqpBroker } from 'smqp';
import {
  type Broker,
  type BrokerState,
  type MessageHandler,
  type OutgoingMessage,
  type Subscription,
  UnroutableError,
} from './broker';
import {
  deadLetterExchange,
  deadLetterRecordQueue,
  deliveryLimit,
  jobsExchange,
  printerQueue,
  statusExchange,
} from './topology';

interface Envelope {
  messageId: string;
  body: string;
  deliveries: number;
}

/**
 * The in-process broker: the same topology on smqp. It loses its messages when the process ends, which the
 * outbox makes harmless. Bodies are transported as text, so that no consumer shares an object with the publisher.
 */
export class EmbeddedBroker implements Broker {
  readonly kind = 'embedded';
  #broker: SmqpBroker | undefined;
  #listeners = new Set<(state: BrokerState) => void>();
  #consumers = 0;
  #running = new Set<Promise<void>>();

  get state(): BrokerState {
    return this.#broker ? { status: 'connected' } : { status: 'disconnected', reason: 'closed' };
  }

  open(): Promise<void> {
    if (!this.#broker) {
      const broker = new SmqpBroker();
      broker.assertExchange(jobsExchange, 'topic', { autoDelete: false });
      broker.assertExchange(deadLetterExchange, 'fanout', { autoDelete: false });
      broker.assertExchange(statusExchange, 'fanout', { autoDelete: false });
      // No other program can read this process's queues, so only the recorded dead-letter queue exists here.
      broker.assertQueue(deadLetterRecordQueue, { autoDelete: false });
      broker.bindQueue(deadLetterRecordQueue, deadLetterExchange, '#');
      this.#broker = broker;
      this.#announce();
    }
    return Promise.resolve();
  }

  async close(): Promise<void> {
    if (!this.#broker) return;
    const broker = this.#broker;
    this.#broker = undefined;
    broker.reset();
    this.#announce();
    await Promise.allSettled(this.#running);
  }

  onState(listener: (state: BrokerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** The broker is in the same process, so there are no obstacles. */
  obstacles(): [] {
    return [];
  }

  /** The dead-letter queue for operators does not exist here. */
  trimDeadLetters(): Promise<number> {
    return Promise.resolve(0);
  }

  declarePrinterQueue(printerId: string): Promise<void> {
    const queue = printerQueue(printerId);
    const broker = this.#opened();
    broker.assertQueue(queue, { autoDelete: false, deadLetterExchange });
    broker.bindQueue(queue, jobsExchange, queue);
    return Promise.resolve();
  }

  publish(message: OutgoingMessage): Promise<void> {
    const broker = this.#opened();
    const envelope: Envelope = { messageId: message.messageId, body: JSON.stringify(message.body), deliveries: 0 };
    if (message.destination === 'jobs' && !broker.getQueue(message.routingKey)) {
      return Promise.reject(new UnroutableError(message.routingKey));
    }
    const exchange = { jobs: jobsExchange, status: statusExchange, dead_letters: deadLetterExchange }[
      message.destination
    ];
    broker.publish(exchange, message.routingKey, envelope);
    return Promise.resolve();
  }

  async consumeJobs(printerId: string, handler: MessageHandler): Promise<Subscription> {
    await this.declarePrinterQueue(printerId);
    return this.#consume(printerQueue(printerId), handler);
  }

  consumeDeadLetters(handler: MessageHandler): Promise<Subscription> {
    return Promise.resolve(this.#consume(deadLetterRecordQueue, handler));
  }

  subscribeStatus(handler: MessageHandler): Promise<Subscription> {
    const queue = `status-${this.#consumers + 1}`;
    const broker = this.#opened();
    broker.assertQueue(queue, { autoDelete: true });
    broker.bindQueue(queue, statusExchange, '#');
    return Promise.resolve(
      this.#consume(queue, async (message) => {
        // A message that fails would fail again.
        await Promise.resolve(message)
          .then(handler)
          .catch(() => undefined);
        return 'accept';
      }),
    );
  }

  #consume(queue: string, handler: MessageHandler): Subscription {
    const broker = this.#opened();
    const consumerTag = `consumer-${++this.#consumers}`;
    broker.consume(
      queue,
      (_key, message) => {
        const envelope = message.content as Envelope;
        const redelivered = envelope.deliveries++ > 0;
        const run = (async () => {
          let verdict: Awaited<ReturnType<MessageHandler>>;
          try {
            verdict = await handler({ messageId: envelope.messageId, body: JSON.parse(envelope.body), redelivered });
          } catch {
            verdict = 'retry';
          }
          if (this.#broker !== broker) return;
          if (verdict === 'accept') message.ack();
          else message.nack(false, verdict === 'retry' && envelope.deliveries <= deliveryLimit);
        })();
        this.#running.add(run);
        void run.finally(() => this.#running.delete(run));
      },
      { consumerTag, prefetch: 1 },
    );
    return {
      cancel: () => {
        if (this.#broker === broker) broker.cancel(consumerTag);
        return Promise.resolve();
      },
    };
  }

  #opened(): SmqpBroker {
    if (!this.#broker) throw new Error('The embedded broker is not open.');
    return this.#broker;
  }

  #announce(): void {
    for (const listener of this.#listeners) listener(this.state);
  }
}
