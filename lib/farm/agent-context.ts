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

/** Everything an agent works with. */
export interface AgentContext {
  printerId: PrinterId;
  driver: Driver;
  database: Database;
  broker: Broker;
  files: FileStore;
  /** Whether agents of other machines may have to fetch what this one makes. */
  sharesFiles: boolean;
  slicer(make: Make): Promise<SelectedSlicer>;
  profiles: Profiles;
  /** What electricity costs; undefined: it is not counted by itself. */
  tariff: Tariff | undefined;
  /** Below so many grams a spool is low. */
  lowStockGrams: number;
  /** How a retry differs, for each kind of failure that the owner has switched on. */
  retryPolicy: RetryPolicy;
  /** Where sliced files are made before they are stored. */
  workDirectory: string;
  /** Whether what no trusted slicer made may be sent: a simulator, or the owner's word. */
  allowUntrusted: boolean;
  /** A simulator, whose plate is empty until it is used for the first time. */
  simulated: boolean;
  /** Told of each moment on the way of an attempt. */
  passing: Passing;
  /**
   * Notes outside of the database that a start is intended, so that a database which is put back to before it is noticed. Called in
   * the transaction of the intent; what it returns, after the commit and before the start. Throws if the database was put back.
   */
  remember(tx: Transaction): Promise<() => Promise<void>>;
  log: Log;
  times: AgentTimes;
}

/** Who writes into a job's history. */
export const agentName = (printerId: string): string => `agent:${printerId}`;
