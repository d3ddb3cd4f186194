import { PlatewiseError } from '../model/errors';
import type { Obstacle } from '../model/obstacle';

/** A message on its way out. The same id may be published again; receivers tell by it. */
export interface OutgoingMessage {
  destination: 'jobs' | 'status' | 'dead_letters';
  routingKey: string;
  messageId: string;
  body: unknown;
}

/** A message as it was received; the body is parsed JSON, or undefined if it was none. */
export interface IncomingMessage {
  messageId: string | undefined;
  body: unknown;
  redelivered: boolean;
}

/** What becomes of a message: taken, to be delivered again later, or never to be delivered again (dead-lettered). */
export type Verdict = 'accept' | 'retry' | 'reject';

export type MessageHandler = (message: IncomingMessage) => Promise<Verdict>;

export interface Subscription {
  cancel(): Promise<void>;
}

export type BrokerState =
  /** `blocked`: it takes no messages at present, for this reason; what it has is delivered. */
  { status: 'connected'; blocked?: string } | { status: 'disconnected'; reason: string };

/**
 * Carries messages; holds no truth. Everything that must not be lost stands in the database and is published again.
 * Subscriptions come back by themselves after the broker does.
 */
export interface Broker {
  readonly kind: 'rabbitmq' | 'embedded';
  readonly state: BrokerState;
  /** Resolves at once; connecting goes on in the background. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Called at every change of `state`, and when publishing is possible again. Returns a function that ends it. */
  onState(listener: (state: BrokerState) => void): () => void;
  /** What keeps messages from going out, as far as the broker has said so. */
  obstacles(): Obstacle[];
  /** Makes sure that the queue of a printer exists. */
  declarePrinterQueue(printerId: string): Promise<void>;
  /**
   * Resolves when the broker has confirmed the message and routed it to a queue.
   * @throws BrokerUnavailableError the outcome is unknown; publish again with the same id
   * @throws UnroutableError no queue takes this routing key
   */
  publish(message: OutgoingMessage): Promise<void>;
  /** One message at a time from the printer's queue. A handler that throws counts as `retry`. */
  consumeJobs(printerId: string, handler: MessageHandler): Promise<Subscription>;
  /** Every status message from now on; one that fails is not delivered again. */
  subscribeStatus(handler: MessageHandler): Promise<Subscription>;
  consumeDeadLetters(handler: MessageHandler): Promise<Subscription>;
  /** Takes the oldest messages off the dead-letter queue for people until so many are left. Returns how many went. */
  trimDeadLetters(keep: number): Promise<number>;
}

/** The broker cannot be reached, or did not confirm. */
export class BrokerUnavailableError extends PlatewiseError {
  constructor(message: string, cause?: unknown) {
    super(message, {
      code: 'broker_unavailable',
      retryable: true,
      remedy: 'Check that RabbitMQ runs and that AMQP_URL is right. Nothing is lost meanwhile.',
      cause,
    });
  }
}

/** No queue takes this message. */
export class UnroutableError extends PlatewiseError {
  constructor(routingKey: string) {
    super(`No queue takes messages for "${routingKey}".`, {
      code: 'unroutable',
      retryable: true,
      remedy: 'Deploy the printer node whose queue this is; its agent declares the queue.',
    });
  }
}

/** A queue or exchange exists already with other settings. */
export class TopologyConflictError extends PlatewiseError {
  constructor(detail: string) {
    super(`RabbitMQ has a queue or exchange of ours with other settings: ${detail}`, {
      code: 'topology_conflict',
      remedy: 'Delete the named queue or exchange in RabbitMQ (its messages are published again), then restart.',
    });
  }
}
