import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { asError } from '../model/errors';
import type { MessageHandler, Subscription } from './broker';
import { closeChannel, closeLimit, explain } from './rabbitmq-channels';

/** Delay before a channel that the broker closed is opened again (ms). */
const reopenPause = 2000;
/** Delay before a message that could not be handled is redelivered (ms). */
const retryPause = 1000;
/** Interval between checks that the bindings of the queues still exist (ms). */
const upkeepInterval = 5000;

/** One consumption: its queue and its handler. */
export interface Consumption {
  /** Declares what the consumer needs and returns the queue to consume. */
  declare(channel: Channel): Promise<string>;
  /**
   * Declares the exchange of the queue and its binding again. Deleting an exchange also deletes its bindings, without any
   * notification to their consumers. Absent: publishers to the queue notice that it is not bound.
   */
  bind?(channel: Channel, queue: string): Promise<void>;
  handler: MessageHandler;
  /** What happens to a message whose handler throws. */
  failing: 'retry' | 'accept';
}

interface Consumer extends Consumption {
  channel?: Channel;
  queue?: string;
  /** The connection that its channel belongs to. */
  model?: ChannelModel | undefined;
  cancelled: boolean;
}

/** All consumers of a process, each on its own channel. They are recreated after each connect and whenever their channel closes. */
export class Consumers {
  readonly #onProblem: (error: Error) => void;
  readonly #consumers = new Set<Consumer>();
  #model: ChannelModel | undefined;
  #upkeep: NodeJS.Timeout | undefined;

  constructor(onProblem: (error: Error) => void) {
    this.#onProblem = onProblem;
  }

  async setUp(model: ChannelModel): Promise<void> {
    this.#model = model;
    clearInterval(this.#upkeep);
    this.#upkeep = setInterval(() => void this.rebind(), upkeepInterval).unref();
    await Promise.all([...this.#consumers].map((consumer) => this.#start(model, consumer)));
  }

  lost(): void {
    this.#model = undefined;
    clearInterval(this.#upkeep);
  }

  close(): void {
    for (const consumer of this.#consumers) consumer.cancelled = true;
    this.#consumers.clear();
    clearInterval(this.#upkeep);
  }

  async add(consumption: Consumption): Promise<Subscription> {
    const consumer: Consumer = { ...consumption, cancelled: false };
    this.#consumers.add(consumer);
    if (this.#model) await this.#start(this.#model, consumer);
    return {
      cancel: async () => {
        consumer.cancelled = true;
        this.#consumers.delete(consumer);
        if (consumer.channel) await closeChannel(consumer.channel);
      },
    };
  }

  /** Binds every queue to its exchange again. Never rejects and never takes long. */
  async rebind(): Promise<void> {
    const limit = new AbortController();
    const bound = [...this.#consumers].map(async ({ bind, channel, queue }) => {
      if (!bind || !channel || queue === undefined) return;
      // A missing queue closes the channel, and the consumer is recreated; the error is reported there.
      await bind(channel, queue).catch(() => undefined);
    });
    await Promise.race([
      Promise.all(bound),
      pause(closeLimit, undefined, { signal: limit.signal, ref: false }).catch(() => undefined),
    ]);
    limit.abort();
  }

  /** Never rejects: an error of one consumer is reported, and does not delay the others. */
  async #start(model: ChannelModel, consumer: Consumer): Promise<void> {
    if (consumer.model === model || consumer.cancelled) return;
    consumer.model = model;
    delete consumer.queue;
    const again = (): void => {
      if (consumer.model !== model || consumer.cancelled) return;
      consumer.model = undefined;
      this.#reopen(model, consumer);
    };
    try {
      const channel = await model.createChannel();
      consumer.channel = channel;
      channel.on('error', (error) => this.#onProblem(explain(error)));
      channel.on('close', again);
      await channel.prefetch(1);
      const queue = await consumer.declare(channel);
      consumer.queue = queue;
      await channel.consume(queue, (message) => {
        if (message) void this.#handle(channel, consumer, message);
        // The queue was deleted: it is declared again.
        else void closeChannel(channel);
      });
      // Cancelled during its setup: it would otherwise keep its messages forever.
      if (consumer.cancelled) await closeChannel(channel);
    } catch (error) {
      this.#onProblem(explain(asError(error)));
      again();
    }
  }

  /** Recreates a consumer after a delay, unless another connection has replaced this one by then. */
  #reopen(model: ChannelModel, consumer: Consumer): void {
    setTimeout(() => {
      if (this.#model === model) void this.#start(model, consumer);
    }, reopenPause).unref();
  }

  async #handle(channel: Channel, consumer: Consumer, message: ConsumeMessage): Promise<void> {
    if (consumer.cancelled) return;
    const text = message.content.toString('utf8');
    let body: unknown;
    try {
      body = JSON.parse(text);
    } catch {
      // Not a message of Platewise; its reader rejects it, and it is kept unchanged.
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
      verdict = consumer.failing;
      // Requeued immediately, it would come back immediately, and use up its deliveries while the database is unavailable.
      if (verdict === 'retry') await pause(retryPause);
    }
    try {
      if (verdict === 'accept') channel.ack(message);
      else channel.nack(message, false, verdict === 'retry');
    } catch {
      // The channel was lost meanwhile: the broker redelivers the message, and claims are idempotent.
    }
  }
}
