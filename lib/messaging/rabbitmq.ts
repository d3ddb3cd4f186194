import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import {
  type Channel,
  type ChannelModel,
  type ConfirmChannel,
  type ConsumeMessage,
  connect,
  type RecoveringChannelModel,
} from 'amqplib';
import { asError } from '../model/errors';
import {
  type Broker,
  type BrokerState,
  BrokerUnavailableError,
  type MessageHandler,
  type OutgoingMessage,
  type Subscription,
  TopologyConflictError,
  UnroutableError,
} from './broker';
import {
  deadLetterExchange,
  deadLetterQueue,
  deadLetterRecordQueue,
  deliveryLimit,
  jobsExchange,
  printerQueue,
  statusExchange,
} from './topology';

/** How long a confirm may take before the outcome counts as unknown (ms). */
const confirmLimit = 10_000;
const heartbeatSeconds = 10;
/** How long a channel that the broker closed stays closed before it is opened again (ms). */
const reopenPause = 2000;
/**
 * A queue that was deleted is not made again sooner than this (ms): its consumers would not be told of the deletion and wait
 * for ever (seen with quorum queues of RabbitMQ 3.10). They make it again themselves.
 */
const missingPause = 4000;
/** How long a message that could not be handled waits before it is delivered again (ms). */
const retryPause = 1000;
/** How long the answer to a farewell is waited for (ms). */
const closeLimit = 3000;
/** How many status messages wait for a slow listener before the oldest are dropped; it notices by `job_seq`. */
const statusQueueLength = 10_000;

interface Consumer {
  /** Declares what the consumer needs and returns the queue to consume. */
  declare(channel: Channel): Promise<string>;
  handler: MessageHandler;
  channel?: Channel;
  /** The connection that its channel belongs to. */
  model?: ChannelModel | undefined;
  cancelled: boolean;
}

interface Pending {
  resolve(): void;
  reject(error: Error): void;
  returned: boolean;
}

/**
 * RabbitMQ 3.10 or newer through amqplib: one confirm channel for everything that is published, one channel for
 * each consumer. amqplib reconnects; channels, queues and consumers are made anew here after each connect.
 */
export class RabbitMqBroker implements Broker {
  readonly kind = 'rabbitmq';
  readonly #url: string;
  readonly #onProblem: (error: Error) => void;
  #connection: RecoveringChannelModel | undefined;
  #model: ChannelModel | undefined;
  #publisher: ConfirmChannel | undefined;
  #pending = new Map<string, Set<Pending>>();
  #consumers = new Set<Consumer>();
  /** Queues that are known to be there, on this connection. */
  #declared = new Set<string>();
  /** Queues that were found to be missing, and when. */
  #missing = new Map<string, number>();
  #listeners = new Set<(state: BrokerState) => void>();
  #state: BrokerState = { status: 'disconnected', reason: 'not opened' };

  /**
   * @param url `amqp://user:password@host:5672/vhost`
   * @param onProblem told of every fault in the background
   */
  constructor(url: string, onProblem: (error: Error) => void) {
    this.#url = url;
    this.#onProblem = onProblem;
  }

  get state(): BrokerState {
    return this.#state;
  }

  async open(): Promise<void> {
    if (this.#connection) return;
    const url = new URL(this.#url);
    if (!url.searchParams.has('heartbeat')) url.searchParams.set('heartbeat', String(heartbeatSeconds));
    const connection = await connect(url.toString(), {
      timeout: 10_000,
      recovery: {
        initialDelay: 200,
        maxDelay: 10_000,
        waitForConnect: false,
        setup: async (model: ChannelModel) => {
          await this.#setUp(model);
        },
      },
    });
    this.#connection = connection;
    connection.on('connect', () => this.#setState({ status: 'connected' }));
    connection.on('disconnect', (error) => this.#lost(error));
    connection.on('connect-failed', (error) => this.#lost(error));
    connection.on('error', (error) => this.#lost(error));
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    for (const consumer of this.#consumers) consumer.cancelled = true;
    this.#consumers.clear();
    this.#lost(new Error('closed'));
    if (connection) {
      // A broker that is away cannot answer the farewell; nobody waits for it.
      await Promise.race([connection.close().catch(() => undefined), pause(closeLimit, undefined, { ref: false })]);
    }
  }

  onState(listener: (state: BrokerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  async declarePrinterQueue(printerId: string): Promise<void> {
    const model = this.#model;
    const queue = printerQueue(printerId);
    if (!model || this.#declared.has(queue)) return;
    if (performance.now() - (this.#missing.get(queue) ?? Number.NEGATIVE_INFINITY) < missingPause) return;
    await onChannelOfItsOwn(model, (channel) => declarePrinterQueue(channel, printerId));
    this.#missing.delete(queue);
    if (this.#model === model) this.#declared.add(queue);
  }

  publish(message: OutgoingMessage): Promise<void> {
    const channel = this.#publisher;
    if (!channel) return Promise.reject(new BrokerUnavailableError('RabbitMQ is not connected.'));
    const exchange = { jobs: jobsExchange, status: statusExchange, dead_letters: deadLetterExchange }[
      message.destination
    ];
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        entry.reject(new BrokerUnavailableError(`RabbitMQ did not confirm a message within ${confirmLimit / 1000} s.`));
      }, confirmLimit);
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
      };
      const waiting = this.#pending.get(message.messageId) ?? new Set();
      this.#pending.set(message.messageId, waiting.add(entry));
      try {
        channel.publish(
          exchange,
          message.routingKey,
          Buffer.from(JSON.stringify(message.body)),
          {
            persistent: true,
            // A status message that nobody listens to is routed nowhere, and that is right.
            mandatory: message.destination !== 'status',
            messageId: message.messageId,
            contentType: 'application/json',
          },
          (error) => {
            // The return of an unroutable message comes before its confirm.
            if (error) entry.reject(new BrokerUnavailableError('RabbitMQ refused a message.', error));
            else if (entry.returned) {
              this.#declared.delete(message.routingKey);
              this.#missing.set(message.routingKey, performance.now());
              entry.reject(new UnroutableError(message.routingKey));
            } else entry.resolve();
          },
        );
      } catch (error) {
        entry.reject(new BrokerUnavailableError('The channel to RabbitMQ is closed.', error));
      }
    });
  }

  async consumeJobs(printerId: string, handler: MessageHandler): Promise<Subscription> {
    return this.#addConsumer({
      declare: async (channel) => {
        await declarePrinterQueue(channel, printerId);
        return printerQueue(printerId);
      },
      handler,
      cancelled: false,
    });
  }

  consumeDeadLetters(handler: MessageHandler): Promise<Subscription> {
    return this.#addConsumer({ declare: () => Promise.resolve(deadLetterRecordQueue), handler, cancelled: false });
  }

  subscribeStatus(handler: MessageHandler): Promise<Subscription> {
    return this.#addConsumer({
      declare: async (channel) => {
        const { queue } = await channel.assertQueue('', {
          exclusive: true,
          arguments: { 'x-max-length': statusQueueLength, 'x-overflow': 'drop-head' },
        });
        await channel.bindQueue(queue, statusExchange, '');
        return queue;
      },
      handler: async (message) => {
        await handler(message);
        return 'accept';
      },
      cancelled: false,
    });
  }

  async #addConsumer(consumer: Consumer): Promise<Subscription> {
    this.#consumers.add(consumer);
    if (this.#model && this.#publisher) {
      await this.#startConsumer(this.#model, consumer);
    }
    return {
      cancel: async () => {
        consumer.cancelled = true;
        this.#consumers.delete(consumer);
        if (consumer.channel) await closeChannel(consumer.channel);
      },
    };
  }

  async #setUp(model: ChannelModel): Promise<void> {
    // Until amqplib has taken the connection over nobody else listens, and an error that nobody hears ends the process.
    model.on('error', () => undefined);
    this.#model = model;
    this.#declared.clear();
    await this.#openPublisher(model);
    for (const consumer of this.#consumers) await this.#startConsumer(model, consumer);
  }

  /** Makes the topology, and the channel that everything is published on. */
  async #openPublisher(model: ChannelModel): Promise<void> {
    await onChannelOfItsOwn(model, declareTopology);
    const publisher = await model.createConfirmChannel();
    publisher.on('error', (error) => this.#onProblem(explain(error)));
    publisher.on('return', (message) => {
      for (const entry of this.#pending.get(String(message.properties.messageId)) ?? []) entry.returned = true;
    });
    publisher.on('close', () => {
      if (this.#publisher !== publisher) return;
      this.#publisher = undefined;
      this.#reopen(model, () => this.#openPublisher(model));
    });
    this.#publisher = publisher;
  }

  /** Never rejects: what is in the way of one consumer is told, and is no reason for the others to wait. */
  async #startConsumer(model: ChannelModel, consumer: Consumer): Promise<void> {
    if (consumer.model === model || consumer.cancelled) return;
    consumer.model = model;
    const again = (): void => {
      if (consumer.model !== model || consumer.cancelled) return;
      consumer.model = undefined;
      this.#reopen(model, () => this.#startConsumer(model, consumer));
    };
    try {
      const channel = await model.createChannel();
      consumer.channel = channel;
      channel.on('error', (error) => this.#onProblem(explain(error)));
      channel.on('close', again);
      await channel.prefetch(1);
      const queue = await consumer.declare(channel);
      await channel.consume(queue, (message) => {
        if (message) void this.#handle(channel, consumer, message);
        // The queue was deleted: it is declared anew.
        else void closeChannel(channel);
      });
      // Cancelled while it was being set up: what it would get now it would keep for ever.
      if (consumer.cancelled) await closeChannel(channel);
    } catch (error) {
      this.#onProblem(explain(asError(error)));
      again();
    }
  }

  /** Does this after a pause, unless another connection has taken the place of this one by then. */
  #reopen(model: ChannelModel, work: () => Promise<void>): void {
    setTimeout(() => {
      if (this.#model !== model || !this.#connection || this.#state.status !== 'connected') return;
      work().catch((error: unknown) => {
        this.#onProblem(asError(error));
        this.#reopen(model, work);
      });
    }, reopenPause).unref();
  }

  async #handle(channel: Channel, consumer: Consumer, message: ConsumeMessage): Promise<void> {
    if (consumer.cancelled) return;
    const text = message.content.toString('utf8');
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      // No message of ours; whoever reads it refuses it, and it is kept as it is.
      body = text;
    }
    const messageId: unknown = message.properties.messageId;
    let verdict: Awaited<ReturnType<MessageHandler>>;
    try {
      verdict = await consumer.handler({
        messageId: typeof messageId === 'string' ? messageId : undefined,
        body,
        redelivered: message.fields.redelivered,
      });
    } catch (error) {
      this.#onProblem(asError(error));
      verdict = 'retry';
      // Given back at once it would come back at once, and use up its deliveries while the database is away.
      await new Promise((resolve) => setTimeout(resolve, retryPause));
    }
    try {
      if (verdict === 'accept') channel.ack(message);
      else channel.nack(message, false, verdict === 'retry');
    } catch {
      // The channel went away meanwhile: the broker delivers the message again, and claims are idempotent.
    }
  }

  #lost(error: Error): void {
    this.#publisher = undefined;
    for (const waiting of [...this.#pending.values()]) {
      for (const entry of [...waiting])
        entry.reject(new BrokerUnavailableError('RabbitMQ went away before it confirmed.', error));
    }
    this.#setState({ status: 'disconnected', reason: error.message });
  }

  #setState(state: BrokerState): void {
    if (state.status === this.#state.status && state.status === 'connected') return;
    this.#state = state;
    for (const listener of this.#listeners) listener(state);
  }
}

/** A declaration that the broker refuses closes its channel; nothing else shall be on it. @throws TopologyConflictError */
async function onChannelOfItsOwn(model: ChannelModel, work: (channel: Channel) => Promise<void>): Promise<void> {
  const channel = await model.createChannel();
  // The call that fails rejects with the same error.
  channel.on('error', () => undefined);
  try {
    await work(channel);
  } catch (error) {
    throw explain(asError(error));
  }
  await closeChannel(channel);
}

/**
 * Closes a channel, if it is not closed already. Never rejects and never waits for long: amqplib waits for the broker's
 * answer for ever when the connection is lost meanwhile.
 */
async function closeChannel(channel: Channel): Promise<void> {
  const limit = new AbortController();
  await Promise.race([
    channel.close().catch(() => undefined),
    once(channel, 'close', { signal: limit.signal }).catch(() => undefined),
    pause(closeLimit, undefined, { signal: limit.signal }).catch(() => undefined),
  ]);
  limit.abort();
}

async function declareTopology(channel: Channel): Promise<void> {
  await channel.assertExchange(jobsExchange, 'topic', { durable: true });
  await channel.assertExchange(deadLetterExchange, 'fanout', { durable: true });
  await channel.assertExchange(statusExchange, 'fanout', { durable: true });
  for (const queue of [deadLetterQueue, deadLetterRecordQueue]) {
    await channel.assertQueue(queue, { durable: true, arguments: { 'x-queue-type': 'quorum' } });
    await channel.bindQueue(queue, deadLetterExchange, '');
  }
}

async function declarePrinterQueue(channel: Channel, printerId: string): Promise<void> {
  const queue = printerQueue(printerId);
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-delivery-limit': deliveryLimit,
      'x-dead-letter-exchange': deadLetterExchange,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  });
  await channel.bindQueue(queue, jobsExchange, queue);
}

/** Turns the broker's "PRECONDITION_FAILED" into words for an operator. */
function explain(error: Error): Error {
  return /PRECONDITION[_-]FAILED/.test(error.message) ? new TopologyConflictError(error.message) : error;
}
