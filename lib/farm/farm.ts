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

/** Creates a directory that only its user, and perhaps its group, can access; tightens the mode of an existing one. */
async function makePrivate(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const { mode } = await stat(directory);
  // A process with write access need not own the directory.
  if ((mode & 0o007) !== 0) await chmod(directory, mode & 0o770).catch(() => undefined);
}

/**
 * One process's view of the farm: database, broker and files, opened for the first user and closed after the last.
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
  /** Messages of the broker that this process could not read. */
  readonly dropped: DroppedMessages;
  /** Detects that the database was restored to an older state. */
  readonly epoch: FarmEpoch;
  /** The learned properties of this farm's history. */
  readonly learned = learnings();
  /** Reports a moment of an attempt to the log for programs, and to tracers of the process. */
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

  /** Opens all parts and migrates the schema. If a part fails, those that are open are closed again. */
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
   * A component that a higher layer keeps for this farm while it is open, created on first use. It is closed with the farm if it has a `close`.
   */
  part<Part>(kind: new (farm: Farm) => Part): Part {
    const known = this.#parts.get(kind) as Part | undefined;
    if (known !== undefined) return known;
    const made = new kind(this);
    this.#parts.set(kind, made);
    return made;
  }

  /** Whether other machines may have to fetch the files that this one stores: not if the database is embedded in this process. */
  get sharesFiles(): boolean {
    return this.#server === undefined;
  }

  /** The directory in which files are sliced. */
  get workDirectory(): string {
    return join(resolve(this.options.dataDirectory), 'work');
  }

  /** The slicer for a make on this machine, searched for once. */
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

  /** The farm's properties and the owner's settings for agents. */
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

  /** The directory of the operator's profiles. */
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
