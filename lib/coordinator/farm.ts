import { mkdir } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AgentTimes, Log } from '../agent/context';
import { defaultTimes } from '../agent/context';
import { LocalFileStore } from '../files/file-store';
import type { Broker } from '../messaging/broker';
import { EmbeddedBroker } from '../messaging/embedded';
import { RabbitMqBroker } from '../messaging/rabbitmq';
import { asError } from '../model/errors';
import { selectSlicer } from '../slicing/select-slicer';
import type { Slicer } from '../slicing/slicer';
import { Database } from '../store/database';
import { EmbeddedPostgres } from '../store/embedded-postgres';
import { migrate } from '../store/migrate';

/** What an owner decides once for the farm. */
export interface FarmOptions {
  /** `postgres://…`; without it a PostgreSQL of its own runs in the data directory. */
  databaseUrl?: string;
  /** `amqp://…`; without it the broker runs in this process. */
  amqpUrl?: string;
  /** Where files, and the embedded database, are kept. */
  dataDirectory: string;
  /** Further directories that `stl_path` may point into. */
  fileRoots?: string[];
  /** The schema in the database; tests use one each. */
  schema?: string;
  /** How long an operator takes to clear a bed, and to change a filament (minutes); only for estimates. */
  clearMinutes?: number;
  changeMinutes?: number;
  /** The largest file that may be uploaded (bytes). */
  maxUploadBytes?: number;
  /** Path of PrusaSlicer; without it, the one on the PATH. */
  prusaSlicerPath?: string;
  /** Publish a dispatch again that nobody claimed for so long. */
  dispatchResendSeconds?: number;
  /** Withdraw a dispatch that nobody claimed for so long. */
  dispatchExpiresMinutes?: number;
  times?: Partial<AgentTimes>;
  log: Log;
}

/**
 * The farm as one process sees it: database, broker and files, opened for the first user and closed after the last.
 * The use cases beside this file take it as their first argument.
 */
export class Farm {
  readonly database: Database;
  readonly broker: Broker;
  readonly files: LocalFileStore;
  readonly options: FarmOptions;
  readonly times: AgentTimes;
  readonly log: Log;
  readonly #server: EmbeddedPostgres | undefined;
  #slicer: Promise<Slicer> | undefined;
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    database: Database;
    broker: Broker;
    files: LocalFileStore;
    server: EmbeddedPostgres | undefined;
    options: FarmOptions;
  }) {
    this.database = parts.database;
    this.broker = parts.broker;
    this.files = parts.files;
    this.options = parts.options;
    this.log = parts.options.log;
    this.times = { ...defaultTimes, ...parts.options.times };
    this.#server = parts.server;
  }

  /** Opens everything and brings the schema up to date. What was opened is closed again if a later part fails. */
  static async open(options: FarmOptions): Promise<Farm> {
    const directory = resolve(options.dataDirectory);
    const onProblem = (error: Error): void => options.log('warn', error.message);
    await mkdir(directory, { recursive: true });
    const server = options.databaseUrl
      ? undefined
      : await EmbeddedPostgres.start(join(directory, 'postgres'), onProblem);
    let database: Database | undefined;
    try {
      database = new Database({
        connection: server ? server.connection : { connectionString: options.databaseUrl ?? '' },
        ...(options.schema !== undefined && { schema: options.schema }),
        onProblem,
      });
      await migrate(database);
      const broker = options.amqpUrl ? new RabbitMqBroker(options.amqpUrl, onProblem) : new EmbeddedBroker();
      await broker.open();
      const files = new LocalFileStore(join(directory, 'files'), options.fileRoots ?? []);
      return new Farm({ database, broker, files, server, options });
    } catch (error) {
      await database?.close();
      await server?.stop();
      throw asError(error);
    }
  }

  /** Whether other machines may have to fetch the files that this one takes in: not if the database is in this process. */
  get sharesFiles(): boolean {
    return this.#server === undefined;
  }

  /** Where sliced files are made. */
  get workDirectory(): string {
    return join(resolve(this.options.dataDirectory), 'work');
  }

  /** The slicer of this machine, looked for once. */
  slicer(): Promise<Slicer> {
    this.#slicer ??= selectSlicer({
      ...(this.options.prusaSlicerPath !== undefined && { prusaSlicerPath: this.options.prusaSlicerPath }),
      allowBuiltIn: true,
    }).then(({ slicer, why }) => {
      this.log('info', why);
      return slicer;
    });
    return this.#slicer;
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      await this.broker.close();
      await this.database.close();
      await this.#server?.stop();
    })();
    return this.#closing;
  }
}
