import type { ChannelModel, ConfirmChannel } from 'amqplib';
import { asError } from '../model/errors';
import { BrokerUnavailableError, type OutgoingMessage, UnroutableError } from './broker';
import { explain } from './rabbitmq-channels';
import { deadLetterExchange, jobsExchange, statusExchange } from './topology';

/** How long a confirm may take before the outcome counts as unknown (ms); the time while the broker is blocked does not count. */
const confirmLimit = 10_000;
/** Minimum interval between openings of a channel that the broker closes (ms). */
const reopenPause = 2000;

interface Pending {
  resolve(): void;
  reject(error: Error): void;
  /** Starts or stops the timeout of the confirm. */
  clock(running: boolean): void;
  returned: boolean;
}

/** The events of the publisher. */
export interface PublisherEvents {
  /** Declares the topology, and everything else that must exist before the next publish. */
  prepare(model: ChannelModel): Promise<void>;
  problem(error: Error): void;
  /** The channel is open again after the broker had closed it. */
  reopened(): void;
  /** No queue is bound to this routing key. */
  unroutable(routingKey: string): void;
}

const exchanges = { jobs: jobsExchange, status: statusExchange, dead_letters: deadLetterExchange };

/** Publishes on one confirm channel, with any number of messages in flight. */
export class Publisher {
  readonly #events: PublisherEvents;
  readonly #pending = new Map<string, Set<Pending>>();
  /** Exchanges that we lack permission to publish to, and the broker's error texts. */
  readonly #refused = new Map<string, string>();
  #model: ChannelModel | undefined;
  #channel: ConfirmChannel | undefined;
  #blocked: string | undefined;

  constructor(events: PublisherEvents) {
    this.#events = events;
  }

  /** The broker's error texts for exchanges that we lack permission to publish to. */
  get refusals(): string[] {
    return [...this.#refused.values()];
  }

  /** Opens the channel of a new connection. */
  async setUp(model: ChannelModel): Promise<void> {
    this.#model = model;
    await this.#open(model);
  }

  /** The connection is lost: the outcome of the messages in flight is unknown. */
  lost(error: Error): void {
    this.#model = undefined;
    this.#channel = undefined;
    this.#blocked = undefined;
    this.#rejectAll(new BrokerUnavailableError('RabbitMQ went away before it confirmed.', error));
  }

  /** The broker accepts no messages for this reason; undefined: it does again, and confirms those in flight. */
  setBlocked(reason: string | undefined): void {
    this.#blocked = reason;
    for (const waiting of this.#pending.values()) for (const entry of waiting) entry.clock(reason === undefined);
  }

  publish(message: OutgoingMessage): Promise<void> {
    const channel = this.#channel;
    if (!channel) return Promise.reject(new BrokerUnavailableError('RabbitMQ is not connected.'));
    if (this.#blocked !== undefined) {
      return Promise.reject(new BrokerUnavailableError(`RabbitMQ accepts no messages at present: ${this.#blocked}.`));
    }
    const exchange = exchanges[message.destination];
    return new Promise((resolve, reject) => {
      let timer: NodeJS.Timeout | undefined;
      const settle = (): boolean => {
        clearTimeout(timer);
        const waiting = this.#pending.get(message.messageId);
        const first = waiting?.delete(entry) ?? false;
        if (waiting?.size === 0) this.#pending.delete(message.messageId);
        return first;
      };
      const entry: Pending = {
        returned: false,
        resolve: () => settle() && resolve(),
        reject: (error) => settle() && reject(error),
        clock: (running) => {
          clearTimeout(timer);
          if (!running) return;
          const late = `RabbitMQ did not confirm a message within ${confirmLimit / 1000} s.`;
          timer = setTimeout(() => entry.reject(new BrokerUnavailableError(late)), confirmLimit);
        },
      };
      entry.clock(true);
      const waiting = this.#pending.get(message.messageId) ?? new Set();
      this.#pending.set(message.messageId, waiting.add(entry));
      try {
        channel.publish(
          exchange,
          message.routingKey,
          Buffer.from(JSON.stringify(message.body)),
          {
            persistent: true,
            // A status message without listeners is routed nowhere, which is correct.
            mandatory: message.destination !== 'status',
            messageId: message.messageId,
            contentType: 'application/json',
          },
          (error) => {
            // The return of an unroutable message precedes its confirm.
            if (error) entry.reject(new BrokerUnavailableError('RabbitMQ refused a message.', error));
            else if (entry.returned) {
              this.#events.unroutable(message.routingKey);
              entry.reject(new UnroutableError(message.routingKey));
            } else {
              this.#refused.delete(exchange);
              entry.resolve();
            }
          },
        );
      } catch (error) {
        entry.reject(new BrokerUnavailableError('The channel to RabbitMQ is closed.', error));
      }
    });
  }

  async #open(model: ChannelModel): Promise<void> {
    await this.#events.prepare(model);
    const channel = await model.createConfirmChannel();
    const openedAt = performance.now();
    channel.on('error', (error: Error) => {
      const refused = /ACCESS_REFUSED.*exchange '([^']+)'/.exec(error.message)?.[1];
      if (refused !== undefined) this.#refused.set(refused, error.message);
      this.#events.problem(explain(error));
    });
    channel.on('return', (message) => {
      for (const entry of this.#pending.get(String(message.properties.messageId)) ?? []) entry.returned = true;
    });
    channel.on('close', () => {
      if (this.#channel !== channel) return;
      this.#channel = undefined;
      this.#rejectAll(new BrokerUnavailableError('RabbitMQ closed the channel before it confirmed.'));
      this.#reopen(model, Math.max(0, reopenPause - (performance.now() - openedAt)));
    });
    this.#channel = channel;
  }

  #reopen(model: ChannelModel, wait: number): void {
    setTimeout(() => {
      if (this.#model !== model) return;
      this.#open(model).then(
        () => this.#events.reopened(),
        (error: unknown) => {
          this.#events.problem(asError(error));
          this.#reopen(model, reopenPause);
        },
      );
    }, wait).unref();
  }

  #rejectAll(error: Error): void {
    for (const waiting of [...this.#pending.values()]) for (const entry of [...waiting]) entry.reject(error);
  }
}
