import type { Make } from '../../lib/model/printer';

/** A simulated printer that runs in a process of its own. */
export interface Target {
  make: Make;
  ports: Record<string, number>;
  serial: string;
  accessCode: string;
  caFile: string;
}

/** The file that is sent. */
export interface Upload {
  path: string;
  fileName: string;
  size: number;
  sha256: string;
  md5: string;
}

/** What one upload came to. */
export interface Measured {
  seconds: number;
  /** Seconds of processor time that this process took for it. */
  processor: number;
  /** Resident memory before the upload, and at its highest during it (bytes). */
  before: number;
  highest: number;
  /** How often progress was reported, and whether it only ever grew, to 1. */
  progressReports: number;
  progressComplete: boolean;
}
