import type { JobId, MaterialId, PrinterId } from './ids';
import type { JobWishes } from './job-wishes';
import type { Dimensions } from './printer';
import type { PrintSettings, RetrySettings } from './settings';
import type { FileFacts } from './sliced-facts';
import type { JobStatus } from './status';

/** The kind of file that a job prints. */
export type ModelKind = 'stl' | '3mf' | 'gcode' | 'gcode_3mf';

/** A job as the database holds it; times are ISO 8601 UTC, money is USD, durations are hours of printer time. */
export interface Job extends JobWishes {
  id: JobId;
  /** Increases with every change of the job. */
  version: number;
  jobName: string;
  stlPath: string;
  gcodePath: string | null;
  materialId: MaterialId;
  printSettings: PrintSettings;
  estimatedGrams: number | null;
  estimatedCostUsd: number | null;
  estimatedDurationHours: number | null;
  deadlineAt: string | null;
  assignedPrinterId: PrinterId | null;
  status: JobStatus;
  statusReason: string | null;
  startedAt: string | null;
  completedAt: string | null;
  actualDurationHours: number | null;
  actualCostUsd: number | null;
  createdAt: string;
  updatedAt: string;
  createdBy: string | null;
  retryCount: number;
  outcomeId: string | null;
  copiesDone: number;
  notBefore: string | null;
  dependsOn: JobId[];
  cancelRequestedAt: string | null;
  cancelRequestedBy: string | null;
  /** Why no more copies are started; the job fails when the copies under way have ended. */
  givingUp: string | null;
  retriesFrom: string;
  /** The printer on which it failed last. */
  failedOn: PrinterId | null;
  /** The time of that failure; null: it has not failed, or the time was not recorded. */
  failedAt: string | null;
  /** The end of its pause before a retry. */
  retryAt: string | null;
  /** The changed settings of a retry. */
  retrySettings: RetrySettings;
  /** The plate of the file, from 1; null: it has none. */
  plate: number | null;
  /** The requirements of the file; null: the job was submitted to an earlier version and its file has not been read again yet. */
  fileFacts: FileFacts | null;
  model: { sha256: string; kind: ModelKind; dimensions: Dimensions; volumeMm3: number };
}
