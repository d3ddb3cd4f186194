import { setTimeout as pause } from 'node:timers/promises';
import { type ChannelModel, connect, type RecoveringChannelModel } from 'amqplib';
import { closeLimit } from './rabbitmq-channels';

const heartbeatSeconds = 10;
const connectLimit = 10_000;

/** The user of a connection. */
export interface LinkWork {
  /** Opens the channels of a new connection, which counts as connected once this is done. */
  setUp(model: ChannelModel): Promise<void>;
  /** The connection is lost, with all of its channels. */
  lost(error: Error): void;
  /** The state has changed, or whether the broker accepts messages. */
  changed(): void;
}

/** One connection to RabbitMQ; amqplib restores it when it is lost. */
export class Link {
  readonly #url: string;
  readonly #work: LinkWork;
  #connection: RecoveringChannelModel | undefined;
  #model: ChannelModel | undefined;
  #problem: string | undefined = 'not opened';
  #blocked: string | undefined;

  constructor(url: string, work: LinkWork) {
    const withHeartbeat = new URL(url);
    if (!withHeartbeat.searchParams.has('heartbeat')) {
      withHeartbeat.searchParams.set('heartbeat', String(heartbeatSeconds));
    }
    this.#url = withHeartbeat.toString();
    this.#work = work;
  }

  /** The current connection; undefined while there is none. */
  get model(): ChannelModel | undefined {
    return this.#model;
  }

  /** Why there is no connection; undefined if there is one. */
  get problem(): string | undefined {
    return this.#problem;
  }

  /** Why the broker accepts no messages from this connection, in its own words; undefined if it does. */
  get blocked(): string | undefined {
    return this.#blocked;
  }

  async open(): Promise<void> {
    if (this.#connection) return;
    const connection = await connect(this.#url, {
      timeout: connectLimit,
      // With Nagle's algorithm, a small frame would wait for the acknowledgement of the previous one, 40 ms and more.
      noDelay: true,
      keepAlive: true,
      recovery: {
        initialDelay: 200,
        maxDelay: 10_000,
        waitForConnect: false,
        setup: async (model: ChannelModel) => {
          // Until amqplib has taken over the connection it has no other error listener, and an unhandled error would end the process.
          model.on('error', () => undefined);
          if (!this.#connection) return;
          this.#model = model;
          await this.#work.setUp(model);
        },
      },
    });
    this.#connection = connection;
    connection.on('connect', () => {
      this.#problem = undefined;
      this.#work.changed();
    });
    connection.on('blocked', (reason: string) => this.#setBlocked(reason || 'no reason given'));
    connection.on('unblocked', () => this.#setBlocked(undefined));
    connection.on('disconnect', (error) => this.#lost(error));
    connection.on('connect-failed', (error) => this.#lost(error));
    connection.on('error', (error) => this.#lost(error));
  }

  async close(): Promise<void> {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#lost(new Error('closed'));
    if (connection) {
      // An unreachable broker cannot reply to the close, so the wait is limited.
      await Promise.race([connection.close().catch(() => undefined), pause(closeLimit, undefined, { ref: false })]);
    }
  }

  #setBlocked(reason: string | undefined): void {
    this.#blocked = reason;
    this.#work.changed();
  }

  #lost(error: Error): void {
    this.#model = undefined;
    this.#blocked = undefined;
    this.#problem = error.message;
    this.#work.lost(error);
    this.#work.changed();
  }
}
