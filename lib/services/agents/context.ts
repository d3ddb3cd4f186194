import type { FileStore } from '../../files/file-store';
import type { Broker } from '../../messaging/broker';
import type { PrinterId } from '../../model/ids';
import type { Passing } from '../../model/moments';
import type { Make } from '../../model/printer';
import type { RetryPolicy } from '../../model/retry-policy';
import type { Tariff } from '../../model/tariff';
import type { Driver } from '../../makes/driver';
import type { Profiles } from '../../slicing/profile';
import type { SelectedSlicer } from '../../slicing/select-slicer';
import type { Database, Transaction } from '../../store/database';

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
export type Log = (level: LogLevel, message: string) => void;

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

/** Limits in wall time. */
export interface AgentTimes {
  /** How long a claim lasts without being renewed (s). */
  leaseSeconds: number;
  /** A start is written at most so long after its intent; T_cmd of the contract (s). */
  startCommandSeconds: number;
  /** How long an upload waits for a printer that is away before the attempt is given back (s). */
  connectSeconds: number;
  /** How often the printer is asked again when its word is needed (s). */
  askAgainSeconds: number;
  /** How long a missing job is looked for before its outcome counts as unknown (s). */
  lookForJobSeconds: number;
  /** How often a printer that would refuse any job is asked whether it still would (s). */
  conditionSeconds: number;
  /** How long a print may show no change of layer, percent or temperature before somebody is told (min of the printer's clock). */
  standstillMinutes: number;
}

export const defaultTimes: AgentTimes = {
  leaseSeconds: 15,
  startCommandSeconds: 60,
  connectSeconds: 60,
  askAgainSeconds: 5,
  lookForJobSeconds: 20,
  conditionSeconds: 60,
  standstillMinutes: 30,
};

/** Who writes into a job's history. */
export const agentName = (printerId: string): string => `agent:${printerId}`;
