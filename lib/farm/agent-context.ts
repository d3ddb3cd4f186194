import type { FileStore } from '../files/file-store';
import type { Driver } from '../makes/driver';
import type { Broker } from '../messaging/broker';
import type { PrinterId } from '../model/ids';
import type { Log } from '../model/log';
import type { Passing } from '../model/moments';
import type { Make } from '../model/printer';
import type { RetryPolicy } from '../model/retry-policy';
import type { Tariff } from '../model/tariff';
import type { Profiles } from '../slicing/profile';
import type { SelectedSlicer } from '../slicing/select-slicer';
import type { Database } from '../store/database';
import type { Transaction } from '../store/queryable';
import type { AgentTimes } from './times';

/** The dependencies of an agent. */
export interface AgentContext {
  printerId: PrinterId;
  driver: Driver;
  database: Database;
  broker: Broker;
  files: FileStore;
  /** Whether agents on other machines may have to fetch the files that this one makes. */
  sharesFiles: boolean;
  slicer(make: Make): Promise<SelectedSlicer>;
  profiles: Profiles;
  /** The price of electricity; undefined: not counted separately. */
  tariff: Tariff | undefined;
  /** A spool with fewer grams is low. */
  lowStockGrams: number;
  /** The changed settings of a retry, for each kind of failure that the owner has enabled. */
  retryPolicy: RetryPolicy;
  /** The directory of sliced files before they are stored. */
  workDirectory: string;
  /** Whether output of untrusted slicers may be sent: to a simulator, or if the owner allows it. */
  allowUntrusted: boolean;
  /** A simulator, whose plate is empty until its first use. */
  simulated: boolean;
  /** Called at each moment in the life of an attempt. */
  passing: Passing;
  /**
   * Records outside of the database that a start is intended, so that a later restore to an earlier state is detected. Called in
   * the transaction of the intent; call the returned function after the commit and before the start. Throws if the database was restored.
   */
  remember(tx: Transaction): Promise<() => Promise<void>>;
  log: Log;
  times: AgentTimes;
}

/** The actor under which an agent writes to a job's history. */
export const agentName = (printerId: string): string => `agent:${printerId}`;
