import { asError } from '../model/errors';
import type { Obstacle } from '../model/obstacle';
import { Seldom } from '../model/seldom';
import {
  type Broker,
  type BrokerState,
  BrokerUnavailableError,
  type MessageHandler,
  type OutgoingMessage,
  type Subscription,
  TopologyConflictError,
} from './broker';
import {
  bindDeadLetterQueue,
  declareDeadLetterQueue,
  declarePrinterQueue,
  declareStatusExchange,
  declareTopology,
  explain,
  onChannelOfItsOwn,
} from './rabbitmq-channels';
import { Consumers } from './rabbitmq-consumers';
import { Link } from './rabbitmq-link';
import { Publisher } from './rabbitmq-publisher';
import { deadLetterQueue, deadLetterRecordQueue, printerQueue, statusExchange } from './topology';

/**
 * Minimum delay before a deleted queue is declared again (ms): if it is declared too early, its consumers are not notified of the deletion
 * and wait forever (seen with quorum queues of RabbitMQ 3.10). The consumers declare it themselves.
 */
const missingPause = 4000;
/** How many status messages wait for a slow listener before the oldest are dropped; the listener notices by `job_seq`. */
const statusQueueLength = 10_000;

/**
 * RabbitMQ 3.10 or newer through amqplib, with one connection for publishing and one for consuming: a broker that is
 * short of memory or disk stops reading from publishers, but must still receive acknowledgements.
 */
export class RabbitMqBroker implements Broker {
  readonly kind = 'rabbitmq';
  readonly #onProblem: (error: Error) => void;
  readonly #seldom = new Seldom();
  readonly #publishing: Link;
  readonly #consuming: Link;
  readonly #publisher: Publisher;
  readonly #consumers: Consumers;
  /** Queues that are known to exist, on this connection. */
  readonly #declared = new Set<string>();
  /** Queues that were found missing, and when. */
  readonly #missing = new Map<string, number>();
  /** What exists with other settings: by printer, or '' for everything else. */
  readonly #conflicts = new Map<string, TopologyConflictError>();
  readonly #listeners = new Set<(state: BrokerState) => void>();
  #reported = '';

  /**
   * @param url `amqp://user:password@host:5672/vhost`
   * @param onProblem called with every background error, and with a recurring one at most once a minute
   */
  constructor(url: string, onProblem: (error: Error) => void) {
    this.#onProblem = (error) => {
      if (this.#seldom.due(error.message) !== undefined) onProblem(error);
    };
    this.#consumers = new Consumers((error) => this.#onProblem(error));
    this.#publisher = new Publisher({
      prepare: async (model) => {
        await this.#noting('', () => onChannelOfItsOwn(model, declareTopology));
        await this.#consumers.rebind();
      },
      problem: (error) => this.#onProblem(error),
      reopened: () => this.#tell(),
      unroutable: (routingKey) => {
        this.#declared.delete(routingKey);
        // The first time counts: repeated attempts must not postpone the declaration forever.
        if (!this.#missing.has(routingKey)) this.#missing.set(routingKey, performance.now());
      },
    });
    this.#publishing = new Link(url, {
      setUp: (model) => this.#publisher.setUp(model),
      lost: (error) => this.#publisher.lost(error),
      changed: () => {
        this.#publisher.setBlocked(this.#publishing.blocked);
        this.#changed();
      },
    });
    this.#consuming = new Link(url, {
      setUp: async (model) => {
        this.#declared.clear();
        await this.#noting('', () => onChannelOfItsOwn(model, declareTopology));
        await this.#consumers.setUp(model);
      },
      lost: () => {
        this.#declared.clear();
        this.#consumers.lost();
      },
      changed: () => this.#changed(),
    });
  }

  get state(): BrokerState {
    const problem = this.#publishing.problem ?? this.#consuming.problem;
    if (problem !== undefined) return { status: 'disconnected', reason: problem };
    const { blocked } = this.#publishing;
    return { status: 'connected', ...(blocked !== undefined && { blocked }) };
  }

  async open(): Promise<void> {
    await this.#publishing.open();
    await this.#consuming.open();
  }

  async close(): Promise<void> {
    this.#consumers.close();
    await Promise.all([this.#publishing.close(), this.#consuming.close()]);
  }

  onState(listener: (state: BrokerState) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  obstacles(): Obstacle[] {
    const { state } = this;
    const all: Obstacle[] = [];
    if (state.status === 'disconnected') {
      const { remedy } = new BrokerUnavailableError('');
      all.push({ code: 'broker_away', text: `RabbitMQ cannot be reached: ${state.reason}.`, remedy });
    } else if (state.blocked !== undefined) {
      all.push({
        code: 'broker_blocked',
        text: `RabbitMQ accepts no messages at present: ${state.blocked}.`,
        remedy: 'Free memory or disk space on its machine, or raise its limits. Nothing is lost meanwhile.',
      });
    }
    for (const refusal of this.#publisher.refusals) {
      all.push({
        code: 'publish_refused',
        text: `RabbitMQ refuses the messages of the farm: ${refusal}`,
        remedy:
          "Grant the RabbitMQ user of the farm write permission: rabbitmqctl set_permissions --vhost … USER '.*' '.*' '.*'.",
      });
    }
    for (const [printerId, { message, remedy }] of this.#conflicts) {
      all.push({ code: 'topology_conflict', text: message, remedy, ...(printerId !== '' && { printerId }) });
    }
    return all;
  }

  async declarePrinterQueue(printerId: string): Promise<void> {
    // Not on the publishing connection: the broker does not read from it while it is blocked.
    const { model } = this.#consuming;
    const queue = printerQueue(printerId);
    if (!model || this.#declared.has(queue)) return;
    if (performance.now() - (this.#missing.get(queue) ?? Number.NEGATIVE_INFINITY) < missingPause) return;
    await this.#noting(printerId, () => onChannelOfItsOwn(model, (channel) => declarePrinterQueue(channel, printerId)));
    this.#missing.delete(queue);
    if (this.#consuming.model === model) this.#declared.add(queue);
  }

  publish(message: OutgoingMessage): Promise<void> {
    return this.#publisher.publish(message);
  }

  consumeJobs(printerId: string, handler: MessageHandler): Promise<Subscription> {
    return this.#consumers.add({
      declare: async (channel) => {
        await this.#noting(printerId, () => declarePrinterQueue(channel, printerId));
        return printerQueue(printerId);
      },
      handler,
      failing: 'retry',
    });
  }

  consumeDeadLetters(handler: MessageHandler): Promise<Subscription> {
    return this.#consumers.add({
      declare: async (channel) => {
        await declareDeadLetterQueue(channel, deadLetterRecordQueue);
        return deadLetterRecordQueue;
      },
      bind: bindDeadLetterQueue,
      handler,
      failing: 'retry',
    });
  }

  subscribeStatus(handler: MessageHandler): Promise<Subscription> {
    return this.#consumers.add({
      declare: async (channel) => {
        await declareStatusExchange(channel);
        const { queue } = await channel.assertQueue('', {
          exclusive: true,
          arguments: { 'x-max-length': statusQueueLength, 'x-overflow': 'drop-head' },
        });
        await channel.bindQueue(queue, statusExchange, '');
        return queue;
      },
      bind: async (channel, queue) => {
        await declareStatusExchange(channel);
        await channel.bindQueue(queue, statusExchange, '');
      },
      handler: async (message) => {
        await handler(message);
        return 'accept';
      },
      failing: 'accept',
    });
  }

  async trimDeadLetters(keep: number): Promise<number> {
    const { model } = this.#consuming;
    if (!model) return 0;
    return onChannelOfItsOwn(model, async (channel) => {
      // Platewise does not consume this queue, so its loss is noticed only here.
      const messageCount = await declareDeadLetterQueue(channel, deadLetterQueue);
      let gone = 0;
      while (gone < messageCount - keep && (await channel.get(deadLetterQueue, { noAck: true }))) gone++;
      return gone;
    });
  }

  /** Records whether a declaration conflicts with existing settings. */
  async #noting<Result>(printerId: string, declare: () => Promise<Result>): Promise<Result> {
    try {
      const result = await declare();
      this.#conflicts.delete(printerId);
      return result;
    } catch (thrown) {
      const error = explain(asError(thrown));
      if (error instanceof TopologyConflictError) this.#conflicts.set(printerId, error);
      throw error;
    }
  }

  /** Notifies the listeners if anything has changed. */
  #changed(): void {
    const now = JSON.stringify(this.state);
    if (now === this.#reported) return;
    this.#reported = now;
    this.#tell();
  }

  #tell(): void {
    const { state } = this;
    for (const listener of this.#listeners) listener(state);
  }
}
