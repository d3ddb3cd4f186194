import type { Bounds } from '../files/bounds';
import type { Dialect } from '../files/modifier-settings';
import { PlatewiseError } from '../model/errors';
import type { Material } from '../model/material';
import type { Make, Preparation, PrinterCapabilities } from '../model/printer';
import type { PrintSettings, RetrySettings } from '../model/settings';
import type { SlicingSettings } from './defaults';
import type { Honoured } from './honoured';

/** The machine a model is sliced for. */
export interface SlicingMachine {
  printerId: string;
  make: Make;
  capabilities: PrinterCapabilities;
  /** The tool to print with, from 0: the one that the chosen slot feeds. */
  tool: number;
}

/** A model with everything that a slicer needs to turn it into a print file. Lengths are in mm. */
export interface SliceRequest {
  /**
   * A clean binary STL of ours in bed coordinates: placed, min z = 0, mm. Of a project with volumes that only a slicer
   * can do: a clean 3MF of ours in the form of `Slicer.volumes`, likewise placed; what a negative volume takes away
   * from below may lie below the bed.
   */
  modelPath: string;
  /** Where the G-code goes; written only as a whole. */
  outputPath: string;
  machine: SlicingMachine;
  material: Material;
  settings: SlicingSettings;
  /** The name of the profile. */
  quality: string;
  /** The submitter's settings and the changes of a retry; only for slicers with their own profiles. */
  asked?: PrintSettings;
  retry?: RetrySettings;
  /** The model's box where it stands, mm. */
  bounds: Bounds;
  /** Whether there is room for a skirt around the part. */
  skirt: boolean;
}

/** The result of slicing, besides the file at `SliceRequest.outputPath`. */
export interface SliceResult {
  /** Seconds by the slicer's own estimate, null if it gives none. */
  estimatedSeconds: number | null;
  warnings: string[];
  /** The kind of output: plain G-code (the default), or a sliced archive that the machine accepts unchanged. */
  form?: 'gcode' | 'gcode_3mf';
}

/**
 * A slicer. Runs outside the event loop, ends immediately when the signal aborts, leaves no partial output. Exit codes
 * prove nothing: the caller checks the result (`checkPrint`).
 */
export interface Slicer {
  /** `prusa-slicer`, `built-in` … */
  readonly name: string;
  /** Whether its output may be sent to a real printer without the owner's permission. */
  readonly trusted: boolean;
  /** Whether it makes the sliced archive (`.gcode.3mf`) that a Bambu printer takes. */
  readonly makesArchives?: boolean;
  /**
   * Whose form of a 3MF it reads modifiers, negative volumes, support blockers and enforcers from; absent: it cannot do
   * them, and is given no project that has some.
   */
  readonly volumes?: Dialect;
  /** The job settings that it supports; the caller warns about the others (`notHonoured`). */
  readonly honours: Honoured;
  /** Its version, or why it cannot be used here. */
  probe(): Promise<{ usable: true; version: string } | { usable: false; reason: string }>;
  /** @throws SlicingError */
  slice(
    request: SliceRequest,
    options: { signal: AbortSignal; progress(fraction: number): void },
  ): Promise<SliceResult>;
}

/** Returns what an agent can prepare with this slicer. @param allowsUntrusted a simulator, or the owner's permission */
export function preparationBy(slicer: Slicer, allowsUntrusted: boolean): Preparation {
  return {
    slicer: slicer.name,
    trusted: slicer.trusted,
    archives: slicer.makesArchives ?? false,
    volumes: slicer.volumes !== undefined,
    allowsUntrusted,
  };
}

/** The model could not be sliced for this machine. */
export class SlicingError extends PlatewiseError {
  constructor(message: string, remedy: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { code: 'slicing_failed', retryable: options.retryable ?? false, remedy, cause: options.cause });
  }
}
