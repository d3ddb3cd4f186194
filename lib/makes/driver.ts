import type { EventEmitter } from 'node:events';
import { PlatewiseError } from '../model/errors';
import { isIdentified, type MachineIdentity, type ToldIdentity } from '../model/machine-identity';
import type { Photo } from '../model/photo';
import type { Ending, Make, PrinterCapabilities, PrinterJob, PrinterReport } from '../model/printer';

/** The identity of an attempt, as it is sent to the printer and recognised there. Persisted before anything is sent. */
export interface JobIdentity {
  attemptId: string;
  /** Unique file name, `[A-Za-z0-9._-]`, with the extension that the make expects. */
  fileName: string;
  /** Unique number 1..2^31-1, for makes that have numeric task ids. */
  taskId: number;
  /** Lower-case hex of the file that is uploaded. */
  sha256: string;
  md5: string;
}

/** A file that is ready to be printed by this make, on a local disk. */
export interface PrintFile {
  path: string;
  size: number;
  sha256: string;
  md5: string;
  /** Number of lines of G-code; progress is counted in lines on some makes. */
  lines: number;
  /** The slicer's estimate in seconds; null if unknown. */
  estimatedSeconds: number | null;
}

/** Everything that a printer needs to start a job. */
export interface StartOrder {
  identity: JobIdentity;
  file: PrintFile;
  /** The printer's slot for each filament of the file, in order; the names that `PrinterReport.slots` uses. */
  slots: string[];
  /** The tool that prints, from 0: the one that the slot feeds. */
  tool: number;
  /** The plate of the file to print, from 1. */
  plate: number;
}

/**
 * When a start may be written. The driver takes a fresh observation, calls `check` with it and writes the start
 * in the same turn of the event loop.
 */
export interface StartPermit {
  /** Throws if the start must not be sent on this observation. Called synchronously just before the write. */
  check(report: PrinterReport): void;
  /** The start is never written later than this (`performance.now()`, ms). */
  notAfter: number;
  /** Nor longer than this (ms) after the underlying observation was requested. */
  observedWithin: number;
  /** Called synchronously in the turn of the write: from now on the start may have been sent. */
  sent(): void;
}

/**
 * The subject of a failed check: the `printer` would refuse any order, the `file` does not suit this printer, or only
 * this `job` asks for something that is not available now.
 */
export type PreflightCause = 'printer' | 'file' | 'job';

/** A failed check before a print, with its remedy for the operator. */
export interface PreflightFailure {
  /** Stable name of the check, for example `developer_mode`. */
  check: string;
  whose: PreflightCause;
  /**
   * For a failure of the printer: it concerns only this slot, or only this moment; absent: any job, until an operator
   * acts.
   */
  only?: 'slot' | 'moment';
  message: string;
  remedy: string;
}

/** What the printer reports about one of our jobs. */
export type JobTrace =
  | { verdict: 'active'; report: PrinterReport }
  /** It was there and no longer runs; `ending` is `unknown` if the printer does not report how it ended. */
  | { verdict: 'ended'; ending: Ending; evidence: string }
  /** The printer shows no trace of it. For most makes this does not prove that it never ran. */
  | { verdict: 'none'; evidence: string };

export type ConnectionState =
  /** `reason`: why the last connection or connection attempt ended; missing before the first. */
  | { status: 'disconnected'; reason?: Error }
  | { status: 'connecting' }
  | { status: 'connected' }
  /**
   * The printer refused the connection (wrong credentials, not paired, another machine): retried slowly until an
   * operator acts.
   */
  | { status: 'refused'; error: PlatewiseError };

/** Options of every driver. */
export interface DriverOptions {
  host: string;
  capabilities: PrinterCapabilities;
  /** See `PrinterReport.timeScale`. */
  timeScale: number;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
}

/** The events of a driver: each report of the printer, and each change of the connection. */
export interface DriverEvents {
  report: [report: PrinterReport];
  connection: [state: ConnectionState];
}

/**
 * One printer. A driver knows only its make's protocol: no jobs, no database, no queue.
 *
 * It connects, reconnects with growing delays, and reports. Every call that needs the printer rejects with a
 * `PrinterUnavailableError` if it is not connected, and has its own time limit.
 */
export interface Driver extends Pick<EventEmitter<DriverEvents>, 'on' | 'once' | 'off'> {
  readonly make: Make;
  readonly connection: ConnectionState;
  /** The last report, undefined before the first. */
  readonly report: PrinterReport | undefined;

  /** Starts to connect and to stay connected. Returns immediately; safe to call again. */
  open(): void;
  /** Closes the connection, with the protocol's disconnect message if there is one. Safe to call again. */
  close(): Promise<void>;
  /** Destroys the connection (no disconnect message, nothing flushed) and reconnects. */
  reset(): void;

  /**
   * Sets the check of a machine's identity. It runs on every connection before any report counts, and again when the
   * machine reports further ids. If it rejects, the connection ends.
   */
  admit(check: (told: ToldIdentity) => Promise<void>): void;
  /** Updates the printer's capabilities: more may be known once it has reported. */
  describe(capabilities: PrinterCapabilities): void;
  /** A report that the printer produced after this call. */
  observe(): Promise<PrinterReport>;
  /** Returns the reasons against this order now; empty if it may be tried. */
  preflight(order: StartOrder): Promise<PreflightFailure[]>;
  /** Uploads the file under the identity's name and verifies that it arrived completely. Idempotent. */
  upload(order: StartOrder, options: { signal: AbortSignal; progress(fraction: number): void }): Promise<void>;
  /**
   * Sends the start at most once and waits until the printer shows the job as running.
   * @throws StartNotSentError nothing was written
   * @throws StartRejectedError it was written and the printer answered that it did not start
   * @throws StartUnconfirmedError it was written and what happened is not known; the connection was destroyed
   */
  start(order: StartOrder, permit: StartPermit): Promise<PrinterReport>;
  pause(): Promise<void>;
  resume(): Promise<void>;
  /** Asks the printer to stop the job; resolves when the printer has accepted the request, not when it has stopped. */
  stop(identity: JobIdentity): Promise<void>;
  /** Queries the printer for any trace of one of our jobs, including its history. */
  trace(order: StartOrder): Promise<JobTrace>;
  /** Removes the uploaded file if the make allows it. Failures are ignored. */
  forget(identity: JobIdentity): Promise<void>;
  /**
   * Takes a picture with the printer's camera; null if it has none. Missing if the protocol of a make carries no
   * pictures. Connects only to the printer's own host, ends within a few seconds, and immediately when the driver is
   * closed.
   * @throws PlatewiseError there is a camera, but it gave no picture
   */
  photograph?(): Promise<Photo | null>;
}

/** Whether the job that a printer reports has this identity. */
export function isSameJob(identity: Pick<JobIdentity, 'fileName' | 'taskId'>, job: PrinterJob | null): boolean {
  if (job === null) return false;
  const [shown, ours] = [jobStem(job.name), jobStem(identity.fileName)];
  if (job.taskId === undefined || job.taskId === '' || job.taskId === '0') return shown === ours;
  // Ids begin at 1 again with a new database, and printers invent some, so the name must agree. A printer may shorten or extend it.
  return job.taskId === String(identity.taskId) && (ours.startsWith(shown) || shown.startsWith(ours));
}

/** A file name without folder and without the extensions of print files. */
export function jobStem(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.replace(/(\.gcode)?(\.3mf)?$/i, '');
}

/** The printer cannot be reached at the moment. */
export class PrinterUnavailableError extends PlatewiseError {
  constructor(message: string, cause?: unknown) {
    super(message, {
      code: 'printer_unavailable',
      retryable: true,
      remedy: 'Check that the printer is switched on and reachable at its configured address.',
      cause,
    });
  }
}

/** The printer does not accept our credentials, or the pairing was not confirmed. */
export class PrinterRefusedError extends PlatewiseError {
  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, { code: 'printer_refused', retryable: false, remedy, cause });
  }
}

/** Another machine answers at the printer's address. */
export class WrongMachineError extends PrinterRefusedError {
  constructor(
    message: string,
    /** The ids that it reports. */
    readonly found: MachineIdentity,
    remedy?: string,
  ) {
    const usual = isIdentified(found)
      ? "Correct the printer's address. If the machine was replaced, accept the new one (POST printers/{id}/identity/accept)."
      : "Correct the printer's address. If the machine was replaced by one without an id, remove the printer (DELETE printers/{id}), and deploy its node again.";
    super(message, remedy ?? usual);
  }
}

/** The file did not arrive completely. */
export class UploadFailedError extends PlatewiseError {
  /** `printer`: any other file would have failed too. */
  readonly whose: PreflightCause;

  constructor(
    message: string,
    options: { retryable?: boolean; remedy?: string; whose?: PreflightCause; cause?: unknown } = {},
  ) {
    super(message, {
      code: 'upload_failed',
      retryable: options.retryable ?? true,
      remedy: options.remedy ?? 'Check the network and the free storage of the printer.',
      cause: options.cause,
    });
    this.whose = options.whose ?? 'job';
  }
}

/** The printer has a camera, but it gave no picture. */
export class PhotoFailedError extends PlatewiseError {
  constructor(message: string, remedy = 'Look at the camera in the web interface of the printer.', cause?: unknown) {
    super(message, { code: 'photo_failed', retryable: true, remedy, cause });
  }
}

/** Nothing was written: the start certainly did not reach the printer. */
export class StartNotSentError extends PlatewiseError {
  constructor(message: string, cause?: unknown) {
    super(message, { code: 'start_not_sent', retryable: true, remedy: 'Platewise tries again by itself.', cause });
  }
}

/** The printer answered that it did not start the job. */
export class StartRejectedError extends PlatewiseError {
  constructor(message: string, remedy: string, options: { retryable?: boolean; cause?: unknown } = {}) {
    super(message, { code: 'start_rejected', retryable: options.retryable ?? true, remedy, cause: options.cause });
  }
}

/** The start was written, but its outcome is unknown. */
export class StartUnconfirmedError extends PlatewiseError {
  constructor(message: string, cause?: unknown) {
    super(message, {
      code: 'start_unconfirmed',
      retryable: false,
      remedy: 'Look at the printer and answer whether it printed.',
      cause,
    });
  }
}
