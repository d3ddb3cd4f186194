import { chmod, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { LocalFileStore } from '../files/file-store';
import type { Broker } from '../messaging/broker';
import { DroppedMessages } from '../messaging/dropped-messages';
import { EmbeddedBroker } from '../messaging/embedded';
import { RabbitMqBroker } from '../messaging/rabbitmq';
import { asError } from '../model/errors';
import type { Log } from '../model/log';
import { type Passing, passing } from '../model/moments';
import type { Make } from '../model/printer';
import { foreignFolder, Profiles } from '../slicing/profile';
import { type SelectedSlicer, selectSlicer } from '../slicing/select-slicer';
import { shippedProfiles } from '../slicing/shipped-profiles';
import { Database } from '../store/database';
import { EmbeddedPostgres } from '../store/embedded-postgres';
import { migrate } from '../store/migrate';
import type { AgentContext } from './agent-context';
import { type AfterRestore, FarmEpoch } from './epoch';
import { EventLog } from './event-log';
import { learnings } from './learned';
import type { FarmOptions } from './options';
import { Planner } from './planner';
import { RequestDurations } from './request-durations';
import type { AgentTimes } from './times';
import { defaultTimes } from './times';
import { UploadLimit } from './upload-limit';

const defaultUploadsPerMinute = 120;

/** Makes a directory that nobody but its user, and perhaps its group, may look into, also one that is there already. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { mode } = await stat(directory);
  // Whoever may write here need not own it.
  if ((mode & 0o007) !== 0) await chmod(directory, mode & 0o770).catch(() => undefined);
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
  readonly planner: Planner;
  readonly uploadLimit: UploadLimit;
  readonly requestDurations = new RequestDurations();
  readonly log: Log;
  /** The log for programs. */
  readonly events: EventLog;
  /** Messages from the broker that this process could not read. */
  readonly dropped: DroppedMessages;
  /** Notices when the database is put back to an older state. */
  readonly epoch: FarmEpoch;
  /** What is learned from the history of this farm. */
  readonly learned = learnings();
  /** Tells a moment of an attempt of this farm to its log for programs, and to whoever traces the process. */
  readonly passing: Passing = (moment, attemptId) => {
    this.events.attempt(moment, attemptId);
    passing(moment, attemptId);
  };
  readonly #server: EmbeddedPostgres | undefined;
  readonly profiles: Profiles;
  readonly #slicers = new Map<Make, Promise<SelectedSlicer>>();
  readonly #parts = new Map<new (farm: Farm) => unknown, unknown>();
  #closing: Promise<void> | undefined;

  private constructor(parts: {
    database: Database;
    broker: Broker;
    files: LocalFileStore;
    server: EmbeddedPostgres | undefined;
    options: FarmOptions;
    events: EventLog;
    dropped: DroppedMessages;
    epoch: FarmEpoch;
  }) {
    this.database = parts.database;
    this.broker = parts.broker;
    this.files = parts.files;
    this.options = parts.options;
    this.log = parts.options.log;
    this.events = parts.events;
    this.dropped = parts.dropped;
    this.epoch = parts.epoch;
    this.planner = new Planner(parts.options);
    this.uploadLimit = new UploadLimit(parts.options.uploadsPerMinute ?? defaultUploadsPerMinute);
    this.times = { ...defaultTimes, ...parts.options.times };
    this.#server = parts.server;
    this.profiles = new Profiles([shippedProfiles(), this.profileDirectory]);
  }

  /** Opens everything and brings the schema up to date. What was opened is closed again if a later part fails. */
  static async open(given: FarmOptions, afterRestore: AfterRestore): Promise<Farm> {
    const events = new EventLog(given.eventLog, (error) => given.log('warn', `The event log: ${error.message}`));
    const log: Log = (level, message) => {
      given.log(level, events.redactor.line(message));
      events.write(level, 'message', { message });
    };
    const options = { ...given, log };
    const directory = resolve(options.dataDirectory);
    const onProblem = (error: Error): void => options.log('warn', error.message);
    await makePrivate(directory);
    const server = options.databaseUrl
      ? undefined
      : await EmbeddedPostgres.start(join(directory, 'postgres'), onProblem);
    let database: Database | undefined;
    let broker: Broker | undefined;
    let epoch: FarmEpoch | undefined;
    try {
      database = new Database({
        connection: server ? server.connection : { connectionString: options.databaseUrl ?? '' },
        ...(options.schema !== undefined && { schema: options.schema }),
        onProblem,
      });
      await migrate(database);
      epoch = new FarmEpoch({ database, dataDirectory: directory, log, afterRestore });
      await epoch.start();
      broker = options.amqpUrl ? new RabbitMqBroker(options.amqpUrl, onProblem) : new EmbeddedBroker();
      await broker.open();
      const dropped = new DroppedMessages(log);
      await events.follow(broker, dropped);
      const files = new LocalFileStore(join(directory, 'files'), options.fileRoots ?? []);
      return new Farm({ database, broker, files, server, options, events, dropped, epoch });
    } catch (error) {
      await events.close();
      await broker?.close();
      await epoch?.close();
      await database?.close();
      await server?.stop();
      throw asError(error);
    }
  }

  /**
   * What a room above keeps for this farm as long as it is open, made when it is first asked for. It closes with the farm if it has a `close`.
   */
  part<Part>(kind: new (farm: Farm) => Part): Part {
    const known = this.#parts.get(kind) as Part | undefined;
    if (known !== undefined) return known;
    const made = new kind(this);
    this.#parts.set(kind, made);
    return made;
  }

  /** Whether other machines may have to fetch the files that this one takes in: not if the database is in this process. */
  get sharesFiles(): boolean {
    return this.#server === undefined;
  }

  /** Where sliced files are made. */
  get workDirectory(): string {
    return join(resolve(this.options.dataDirectory), 'work');
  }

  /** The slicer for a make on this machine, looked for once. */
  slicer(make: Make): Promise<SelectedSlicer> {
    let found = this.#slicers.get(make);
    if (!found) {
      const { prusaSlicerPath, orcaSlicerPath } = this.options;
      found = selectSlicer(
        {
          ...(prusaSlicerPath !== undefined && { prusaSlicerPath }),
          ...(orcaSlicerPath !== undefined && { orcaSlicerPath }),
          orcaProfileDirectory: join(this.profileDirectory, foreignFolder),
          allowBuiltIn: true,
        },
        make,
      );
      this.#slicers.set(make, found);
      found.then(
        ({ why }) => this.log('info', why),
        () => this.#slicers.delete(make),
      );
    }
    return found;
  }

  /** What agents must know of the farm and of what its owner has decided. */
  get agentOptions(): Pick<
    AgentContext,
    'profiles' | 'tariff' | 'lowStockGrams' | 'retryPolicy' | 'passing' | 'remember'
  > {
    return {
      remember: (tx) => this.epoch.remember(tx),
      passing: this.passing,
      profiles: this.profiles,
      tariff: this.options.tariff,
      lowStockGrams: this.options.lowStockGrams ?? 150,
      retryPolicy: this.options.retryPolicy ?? new Set(),
    };
  }

  /** Where the operator's profiles are. */
  get profileDirectory(): string {
    return resolve(this.options.profileDirectory ?? join(this.options.dataDirectory, 'profiles'));
  }

  close(): Promise<void> {
    this.#closing ??= (async () => {
      for (const part of this.#parts.values()) await (part as { close?(): Promise<void> }).close?.();
      await this.planner.close();
      await this.events.close();
      await this.broker.close();
      await this.epoch.close();
      await this.database.close();
      await this.#server?.stop();
    })();
    return this.#closing;
  }
}
