import { chmod, mkdir, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { AgentContext, AgentTimes, Log } from '../services/agents/context';
import { defaultTimes } from '../services/agents/context';
import { LocalFileStore } from '../files/file-store';
import type { Broker } from '../messaging/broker';
import { EmbeddedBroker } from '../messaging/embedded';
import { RabbitMqBroker } from '../messaging/rabbitmq';
import { asError } from '../model/errors';
import { type Passing, passing } from '../model/moments';
import type { Make } from '../model/printer';
import type { RetryPolicy } from '../model/retry-policy';
import type { Tariff } from '../model/tariff';
import type { OperatorHours } from '../planning/calendar';
import type { Weights } from '../planning/objective';
import { foreignFolder, Profiles } from '../slicing/profile';
import { type SelectedSlicer, selectSlicer } from '../slicing/select-slicer';
import { shippedProfiles } from '../slicing/shipped-profiles';
import { Database } from '../store/database';
import { EmbeddedPostgres } from '../store/embedded-postgres';
import { migrate } from '../store/migrate';
import { DroppedMessages } from '../messaging/dropped-messages';
import { FarmEpoch } from './epoch';
import { EventLog } from './event-log';
import { examineAgain } from '../jobs/examine-again';
import { offerFiles } from '../shared-files/foreign-files';
import { RequestDurations } from '../integrations/metrics';
import { Planner } from '../schedule/planner';
import { UploadLimit } from './upload-limit';

const defaultUploadsPerMinute = 120;

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
  /** When somebody is there. Given, the farm is planned ahead; absent, an operator may come at any time or never. */
  operator?: OperatorHours;
  /** When no print may start. */
  quiet?: OperatorHours;
  /** What a plan is worth; what is absent has its default. */
  weights?: Partial<Weights>;
  /** How long a plan is searched for at most (ms). */
  planningMilliseconds?: number;
  /** The largest file that may be uploaded (bytes). */
  maxUploadBytes?: number;
  /** What all files together may have (bytes); without it, as much as the disk has. */
  maxStoredBytes?: number;
  /** How many files one client may upload a minute; without it 120, 0: as many as it likes. */
  uploadsPerMinute?: number;
  /** Path of PrusaSlicer; without it, the one on the PATH. */
  prusaSlicerPath?: string;
  /** Path of OrcaSlicer or Bambu Studio, for Bambu printers; without it, they get files that were sliced for them. */
  orcaSlicerPath?: string;
  /** Profiles of the operator, laid over those that are shipped; without it, `profiles` in the data directory. */
  profileDirectory?: string;
  /** What electricity costs; without it, it is not counted by itself. */
  tariff?: Tariff;
  /** Below so many grams a spool is low. */
  lowStockGrams?: number;
  /** Kinds of failures that are tried again with other settings; without it, none. */
  retryPolicy?: RetryPolicy;
  /** A Spoolman server to keep spools in line with. */
  spoolmanUrl?: string;
  /** Days that a file is kept after the last job that needs it has ended; without it, 30. */
  keepFilesDays?: number;
  /** Days that an ended job is kept; without it, for ever. */
  keepJobsDays?: number;
  /** Days that an idempotency key is kept; without it, as long as its job. */
  keepKeysDays?: number;
  /** Publish a dispatch again that nobody claimed for so long. */
  dispatchResendSeconds?: number;
  /** Withdraw a dispatch that nobody claimed for so long. */
  dispatchExpiresMinutes?: number;
  times?: Partial<AgentTimes>;
  /** Where the log for programs goes: a file, or `-` for the standard output; without it there is none. */
  eventLog?: string;
  log: Log;
}

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
  /** Tells a moment of an attempt of this farm to its log for programs, and to whoever traces the process. */
  readonly passing: Passing = (moment, attemptId) => {
    this.events.attempt(moment, attemptId);
    passing(moment, attemptId);
  };
  readonly #server: EmbeddedPostgres | undefined;
  readonly profiles: Profiles;
  readonly #slicers = new Map<Make, Promise<SelectedSlicer>>();
  readonly #closed = new AbortController();
  #examining: Promise<void> | undefined;
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
  static async open(given: FarmOptions): Promise<Farm> {
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
      epoch = new FarmEpoch({ database, dataDirectory: directory, log });
      await epoch.start();
      broker = options.amqpUrl ? new RabbitMqBroker(options.amqpUrl, onProblem) : new EmbeddedBroker();
      await broker.open();
      const dropped = new DroppedMessages(log);
      await events.follow(broker, dropped);
      const files = new LocalFileStore(join(directory, 'files'), options.fileRoots ?? []);
      const farm = new Farm({ database, broker, files, server, options, events, dropped, epoch });
      if (farm.sharesFiles) await offerFiles(farm);
      farm.#examining = examineAgain(farm, farm.#closed.signal).catch((error: unknown) => {
        log('warn', `Jobs from before the upgrade could not be examined: ${asError(error).message}`);
      });
      return farm;
    } catch (error) {
      await events.close();
      await broker?.close();
      await epoch?.close();
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
      this.#closed.abort();
      await this.#examining;
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
