import type { EventEmitter } from 'node:events';
import { PlatewiseError } from '../model/errors';
import type { MachineIdentity, ToldIdentity } from '../model/machine-identity';
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
  /** Seconds that the slicer expects, null if unknown. */
  estimatedSeconds: number | null;
}

/** Everything a printer must be told to start a job. */
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
  /** Nor longer than this (ms) after the observation that it rests on was asked for. */
  observedWithin: number;
  /** Called synchronously in the turn of the write: from now on nobody can say that the start was not sent. */
  sent(): void;
}

/**
 * Whose fault it is that an order cannot be carried out: the `printer` would refuse any, the `file` does not go with this
 * printer, or only this `job` asks for what is not there now.
 */
export type PreflightCause = 'printer' | 'file' | 'job';

export interface PreflightFailure {
  /** Stable name of the check, for example `developer_mode`. */
  check: string;
  whose: PreflightCause;
  /** Of a failure of the printer: it concerns this slot alone, or this moment; absent: any job, until somebody acts. */
  only?: 'slot' | 'moment';
  message: string;
  remedy: string;
}

/** What the printer can tell about a job of ours. */
export type JobTrace =
  | { verdict: 'active'; report: PrinterReport }
  /** It was there and runs no more; `ending` is `unknown` if the printer cannot tell how it ended. */
  | { verdict: 'ended'; ending: Ending; evidence: string }
  /** The printer shows no sign of it. For most makes this is not a proof that it never ran. */
  | { verdict: 'none'; evidence: string };

export type ConnectionState =
  /** `reason`: why the last connection or the last try to connect ended; missing before the first. */
  | { status: 'disconnected'; reason?: Error }
  | { status: 'connecting' }
  | { status: 'connected' }
  /** The printer refused us (wrong credentials, not paired, another machine): tried again slowly until an operator acts. */
  | { status: 'refused'; error: PlatewiseError };

/** What every make must know. */
export interface DriverOptions {
  host: string;
  capabilities: PrinterCapabilities;
  /** See `PrinterReport.timeScale`. */
  timeScale: number;
  log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void;
}

export interface DriverEvents {
  report: [report: PrinterReport];
  connection: [state: ConnectionState];
}

/**
 * One printer. A driver knows its make's protocol and nothing else: no jobs, no database, no queue.
 *
 * It connects, stays connected with growing pauses between tries, and reports. Every call that needs the printer
 * rejects with a `PrinterUnavailableError` if it is not connected, and ends within a limit of its own.
 */
export interface Driver extends Pick<EventEmitter<DriverEvents>, 'on' | 'once' | 'off'> {
  readonly make: Make;
  readonly connection: ConnectionState;
  /** The last report, undefined before the first. */
  readonly report: PrinterReport | undefined;

  /** Begins to connect and to stay connected. Returns at once; safe to call again. */
  open(): void;
  /** Ends everything, politely where the protocol has a farewell. Safe to call again. */
  close(): Promise<void>;
  /** Destroys the connection (no farewell, nothing flushed) and connects anew. */
  reset(): void;

  /**
   * Has each machine judged by its identity, before anything it says counts: on every connection, and again when it tells more
   * of itself. Where the check rejects the connection ends.
   */
  admit(check: (told: ToldIdentity) => Promise<void>): void;
  /** What the printer can do, from now on: more may be known of it once it has reported. */
  describe(capabilities: PrinterCapabilities): void;
  /** A report that the printer produced after this call. */
  observe(): Promise<PrinterReport>;
  /** What forbids this order at present; empty if it may be tried. */
  preflight(order: StartOrder): Promise<PreflightFailure[]>;
  /** Puts the file on the printer under the identity's name and makes sure that it arrived whole. Idempotent. */
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
  /** Asks the printer to stop the job; resolves when the printer took the request, not when it stopped. */
  stop(identity: JobIdentity): Promise<void>;
  /** Asks the printer for every sign of a job of ours, its history included. */
  trace(order: StartOrder): Promise<JobTrace>;
  /** Removes the uploaded file where the make allows it. Failure is of no consequence. */
  forget(identity: JobIdentity): Promise<void>;
  /**
   * What the printer's camera sees now; null if it has none. Missing where the protocol of a make carries no pictures.
   * Asks nobody but the printer's own host, ends within a few seconds, and at once when the driver is closed.
   * @throws PlatewiseError there is a camera, and no picture could be had
   */
  photograph?(): Promise<Photo | null>;
}

/** Whether a job that a printer names is the one with this identity. */
export function isSameJob(identity: Pick<JobIdentity, 'fileName' | 'taskId'>, job: PrinterJob | null): boolean {
  if (job === null) return false;
  if (job.taskId !== undefined && job.taskId !== '' && job.taskId !== '0') {
    return job.taskId === String(identity.taskId);
  }
  return jobStem(job.name) === jobStem(identity.fileName);
}

/** A file name without folder and without the extensions of print files. */
export function jobStem(name: string): string {
  const base = name.slice(name.lastIndexOf('/') + 1);
  return base.replace(/(\.gcode)?(\.3mf)?$/i, '');
}

/** The printer cannot be reached at present. */
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

/** The printer does not accept our credentials, or nobody confirmed the pairing. */
export class PrinterRefusedError extends PlatewiseError {
  constructor(message: string, remedy: string, cause?: unknown) {
    super(message, { code: 'printer_refused', retryable: false, remedy, cause });
  }
}

/** Another machine answers at the printer's address. */
export class WrongMachineError extends PrinterRefusedError {
  constructor(
    message: string,
    /** What it tells of itself. */
    readonly found: MachineIdentity,
  ) {
    super(
      message,
      "Correct the printer's address. If the machine was replaced, accept the new one (POST printers/{id}/identity/accept).",
    );
  }
}

/** The file did not arrive whole. */
export class UploadFailedError extends PlatewiseError {
  /** `printer`: no other file would have arrived either. */
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

/** The printer has a camera, and no picture could be had of it. */
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

/** The start was written, and what became of it is not known. */
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
