import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel, ConsumeMessage } from 'amqplib';
import { asError } from '../model/errors';
import type { MessageHandler, Subscription } from './broker';
import { closeChannel, closeLimit, explain } from './rabbitmq-channels';

/** How long a channel that the broker closed stays closed before it is opened again (ms). */
const reopenPause = 2000;
/** How long a message that could not be handled waits before it is delivered again (ms). */
const retryPause = 1000;
/** How often it is made sure that what a queue hangs on is still there (ms). */
const upkeepInterval = 5000;

/** What is consumed, and by whom. */
export interface Consumption {
  /** Declares what the consumer needs and returns the queue to consume. */
  declare(channel: Channel): Promise<string>;
  /**
   * Makes the exchange of the queue, and ties the queue to it, again. An exchange that somebody deletes takes with it what was
   * tied to it, and nobody is told. Absent: whoever publishes to the queue notices that it is not tied.
   */
  bind?(channel: Channel, queue: string): Promise<void>;
  handler: MessageHandler;
  /** What becomes of a message whose handler throws. */
  failing: 'retry' | 'accept';
}

interface Consumer extends Consumption {
  channel?: Channel;
  queue?: string;
  /** The connection that its channel belongs to. */
  model?: ChannelModel | undefined;
  cancelled: boolean;
}

/** All consumers of a process, each on a channel of its own. They are made anew after each connect and whenever their channel closes. */
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

  /** Ties every queue again to what it hangs on. Never rejects and never takes long. */
  async rebind(): Promise<void> {
    const limit = new AbortController();
    const bound = [...this.#consumers].map(async ({ bind, channel, queue }) => {
      if (!bind || !channel || queue === undefined) return;
      // A queue that is gone closes the channel, and the consumer is made anew; it is told there.
      await bind(channel, queue).catch(() => undefined);
    });
    await Promise.race([
      Promise.all(bound),
      pause(closeLimit, undefined, { signal: limit.signal, ref: false }).catch(() => undefined),
    ]);
    limit.abort();
  }

  /** Never rejects: what is in the way of one consumer is told, and is no reason for the others to wait. */
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

  /** Makes a consumer anew after a pause, unless another connection has taken the place of this one by then. */
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
      verdict = consumer.failing;
      // Given back at once it would come back at once, and use up its deliveries while the database is away.
      if (verdict === 'retry') await pause(retryPause);
    }
    try {
      if (verdict === 'accept') channel.ack(message);
      else channel.nack(message, false, verdict === 'retry');
    } catch {
      // The channel went away meanwhile: the broker delivers the message again, and claims are idempotent.
    }
  }
}
