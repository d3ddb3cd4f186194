import type { Log } from '../model/log';
import type { RetryPolicy } from '../model/retry-policy';
import type { Tariff } from '../model/tariff';
import type { OperatorHours } from '../planning/calendar';
import type { Weights } from '../planning/objective';
import type { AgentTimes } from './times';

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
