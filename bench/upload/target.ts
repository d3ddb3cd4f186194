import type { Make } from '../../lib/model/printer';

/** A simulated printer that runs in its own process. */
export interface Target {
  make: Make;
  ports: Record<string, number>;
  serial: string;
  accessCode: string;
  caFile: string;
}

/** The file to send. */
export interface Upload {
  path: string;
  fileName: string;
  size: number;
  sha256: string;
  md5: string;
}

/** The result of one upload. */
export interface Measured {
  seconds: number;
  /** The processor time of this process for it, in seconds. */
  processor: number;
  /** Resident memory before the upload, and its maximum during it (bytes). */
  before: number;
  highest: number;
  /** The number of progress reports, and whether progress only increased, to 1. */
  progressReports: number;
  progressComplete: boolean;
}
