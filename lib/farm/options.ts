import type { Log } from '../model/log';
import type { RetryPolicy } from '../model/retry-policy';
import type { Tariff } from '../model/tariff';
import type { OperatorHours } from '../planning/calendar';
import type { Weights } from '../planning/objective';
import type { AgentTimes } from './times';

/** The owner's settings for the farm. */
export interface FarmOptions {
  /** `postgres://…`; by default an embedded PostgreSQL runs in the data directory. */
  databaseUrl?: string;
  /** `amqp://…`; by default the broker runs in this process. */
  amqpUrl?: string;
  /** The directory of the files and of the embedded database. */
  dataDirectory: string;
  /** Further directories that `stl_path` may point into. */
  fileRoots?: string[];
  /** The schema in the database; tests use one each. */
  schema?: string;
  /** How long an operator takes to clear a bed, and to change a filament (minutes); used for estimates only. */
  clearMinutes?: number;
  changeMinutes?: number;
  /** When an operator is present. If given, the farm is planned ahead; if absent, an operator may come at any time or never. */
  operator?: OperatorHours;
  /** The times when no print may start. */
  quiet?: OperatorHours;
  /** The weights of the planning objective; absent ones have their defaults. */
  weights?: Partial<Weights>;
  /** The maximum time to search for a plan (ms). */
  planningMilliseconds?: number;
  /** The largest file that may be uploaded (bytes). */
  maxUploadBytes?: number;
  /** The size limit of all files together (bytes); by default the disk is the limit. */
  maxStoredBytes?: number;
  /** The maximum number of uploads per client and minute; 120 by default, 0: unlimited. */
  uploadsPerMinute?: number;
  /** Path of PrusaSlicer; by default the one on the PATH. */
  prusaSlicerPath?: string;
  /** Path of OrcaSlicer or Bambu Studio, for Bambu printers; without it, they accept only files sliced for them. */
  orcaSlicerPath?: string;
  /** Profiles of the operator, which override the shipped ones; by default `profiles` in the data directory. */
  profileDirectory?: string;
  /** The price of electricity; without it, not counted separately. */
  tariff?: Tariff;
  /** A spool with fewer grams is low. */
  lowStockGrams?: number;
  /** Kinds of failures that are retried with other settings; none by default. */
  retryPolicy?: RetryPolicy;
  /** A Spoolman server to synchronise spools with. */
  spoolmanUrl?: string;
  /** Days that a file is kept after the last job that needs it has ended; 30 by default. */
  keepFilesDays?: number;
  /** Days that an ended job is kept; forever by default. */
  keepJobsDays?: number;
  /** Days that an idempotency key is kept; by default as long as its job. */
  keepKeysDays?: number;
  /** Republish a dispatch that has been unclaimed for this long. */
  dispatchResendSeconds?: number;
  /** Withdraw a dispatch that has been unclaimed for this long. */
  dispatchExpiresMinutes?: number;
  times?: Partial<AgentTimes>;
  /** The target of the log for programs: a file, or `-` for the standard output; none by default. */
  eventLog?: string;
  log: Log;
}
