import { PlatewiseError } from '../model/errors';
import type { Obstacle } from '../model/obstacle';

/** An outgoing message. Its id may be published again; receivers use it to detect duplicates. */
export interface OutgoingMessage {
  destination: 'jobs' | 'status' | 'dead_letters';
  routingKey: string;
  messageId: string;
  body: unknown;
}

/** A received message; the body is parsed JSON, or undefined if it is not JSON. */
export interface IncomingMessage {
  messageId: string | undefined;
  body: unknown;
  redelivered: boolean;
}

/** What happens to a message: it is accepted, redelivered later, or never redelivered (dead-lettered). */
export type Verdict = 'accept' | 'retry' | 'reject';

/** Handles one message and decides what happens to it. A handler that throws counts as `retry`. */
export type MessageHandler = (message: IncomingMessage) => Promise<Verdict>;

/** A running consumer; `cancel` ends it. */
export interface Subscription {
  cancel(): Promise<void>;
}

/** The connection to the broker. */
export type BrokerState =
  /** `blocked`: the broker accepts no messages for now, for this reason; it still delivers those that it has. */
  { status: 'connected'; blocked?: string } | { status: 'disconnected'; reason: string };

/**
 * Transports messages and is no source of truth: everything that must not be lost is stored in the database and published again.
 * Subscriptions resume on their own once the broker is back.
 */
export interface Broker {
  readonly kind: 'rabbitmq' | 'embedded';
  readonly state: BrokerState;
  /** Resolves immediately; the connection is made in the background. */
  open(): Promise<void>;
  close(): Promise<void>;
  /** Calls the listener at every change of `state`, and when publishing is possible again. Returns a function that ends it. */
  onState(listener: (state: BrokerState) => void): () => void;
  /** Returns what prevents messages from going out, as far as the broker has reported it. */
  obstacles(): Obstacle[];
  /** Ensures that the queue of a printer exists. */
  declarePrinterQueue(printerId: string): Promise<void>;
  /**
   * Resolves when the broker has confirmed the message and routed it to a queue.
   * @throws BrokerUnavailableError the outcome is unknown; publish again with the same id
   * @throws UnroutableError no queue is bound to this routing key
   */
  publish(message: OutgoingMessage): Promise<void>;
  /** Consumes the printer's queue, one message at a time. A handler that throws counts as `retry`. */
  consumeJobs(printerId: string, handler: MessageHandler): Promise<Subscription>;
  /** Delivers every status message from now on; one whose handler fails is not redelivered. */
  subscribeStatus(handler: MessageHandler): Promise<Subscription>;
  consumeDeadLetters(handler: MessageHandler): Promise<Subscription>;
  /** Removes the oldest messages from the dead-letter queue for operators until `keep` are left. Returns how many it removed. */
  trimDeadLetters(keep: number): Promise<number>;
}

/** The broker is unreachable, or did not confirm. */
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

/** No queue is bound for this message. */
export class UnroutableError extends PlatewiseError {
  constructor(routingKey: string) {
    super(`No queue is bound for "${routingKey}".`, {
      code: 'unroutable',
      retryable: true,
      remedy: 'Deploy the printer node whose queue this is; its agent declares the queue.',
    });
  }
}

/** A queue or exchange already exists with other settings. */
export class TopologyConflictError extends PlatewiseError {
  constructor(detail: string) {
    super(`RabbitMQ has a queue or exchange of ours with other settings: ${detail}`, {
      code: 'topology_conflict',
      remedy: 'Delete the named queue or exchange in RabbitMQ (its messages are published again), then restart.',
    });
  }
}
