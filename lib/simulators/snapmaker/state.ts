import type { FileDigest } from '../machine';

export interface SnapmakerState {
  /** Tokens that were allowed at the touchscreen. */
  tokens: string[];
  /** Files that were uploaded whole, by name. */
  files: Record<string, FileDigest>;
  /** Name and md5 of the last job since the last boot. */
  lastJob: { name: string; md5: string } | null;
  /** Keep their last value until the next start. */
  lastLine: number;
  lastSeconds: number;
  emergencyStopped: boolean;
  /** The job that a power cut interrupted, until it is recovered or discarded. */
  interrupted: { name: string; md5: string } | null;
}

export function initialState(): SnapmakerState {
  return {
    tokens: [],
    files: {},
    lastJob: null,
    lastLine: 0,
    lastSeconds: 0,
    emergencyStopped: false,
    interrupted: null,
  };
}
