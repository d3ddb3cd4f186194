import { EventEmitter } from 'node:events';
import { asError, PlatewiseError } from '../model/errors';
import type { ToldIdentity } from '../model/machine-identity';
import type { Make, PrinterCapabilities, PrinterReport } from '../model/printer';
import {
  type ConnectionState,
  type Driver,
  type DriverEvents,
  type DriverOptions,
  type JobIdentity,
  type JobTrace,
  type PreflightFailure,
  PrinterRefusedError,
  PrinterUnavailableError,
  StartNotSentError,
  type StartOrder,
  type StartPermit,
  StartRejectedError,
  StartUnconfirmedError,
} from './driver';
import type { Session } from './session';
import { Deferred, pause } from './waiting';

/** The printer runs no job with this identity, so there is none to pause or stop. */
export class JobNotRunningError extends PlatewiseError {
  constructor(message: string) {
    super(message, {
      code: 'job_not_running',
      retryable: true,
      remedy: 'Look at the printer: it runs another job, or none.',
    });
  }
}

/** The printer accepted a command but did not carry it out. */
export class CommandRefusedError extends PlatewiseError {
  constructor(message: string, remedy = 'Look at the printer and use its own screen.') {
    super(message, { code: 'command_refused', retryable: true, remedy });
  }
}

export interface ReconnectTiming {
  /** Pause after the first failure (ms); doubled after each further one. */
  firstPauseMs: number;
  longestPauseMs: number;
  /** A connection that lasted this long makes the next pause short again. */
  stableAfterMs: number;
  /** The same pause after a refusal, which only an operator can resolve. */
  firstPauseAfterRefusalMs: number;
  longestPauseAfterRefusalMs: number;
}

export const defaultReconnectTiming: ReconnectTiming = {
  firstPauseMs: 1000,
  longestPauseMs: 30_000,
  stableAfterMs: 10_000,
  firstPauseAfterRefusalMs: 30_000,
  longestPauseAfterRefusalMs: 300_000,
};

/** A pending wait for a condition on reports. */
export interface ReportWait {
  timeoutMs: number;
  /** The wait rejects when this connection ends. */
  session?: Session;
}

/** The wait for a report took longer than allowed. */
export class WaitTimeoutError extends Error {}

/**
 * The common part of all drivers: reconnecting, publishing reports, and the order of steps of a start.
 *
 * A make supplies `connect` (which resolves once the login has succeeded and the printer has reported its state) and
 * the commands.
 */
export abstract class BaseDriver<S extends Session> extends EventEmitter<DriverEvents> implements Driver {
  abstract readonly make: Make;
  protected session: S | undefined;
  /** The printer's known capabilities. */
  protected capabilities: PrinterCapabilities;
  #connection: ConnectionState = { status: 'disconnected' };
  #report: PrinterReport | undefined;
  #stop: AbortController | undefined;
  #wake: AbortController | undefined;
  #loop: Promise<void> = Promise.resolve();
  #starting = false;
  #check: (told: ToldIdentity) => Promise<void> = () => Promise.resolve();

  constructor(
    protected readonly options: DriverOptions,
    private readonly reconnect: ReconnectTiming,
  ) {
    super();
    this.setMaxListeners(0);
    this.capabilities = options.capabilities;
  }

  describe(capabilities: PrinterCapabilities): void {
    this.capabilities = capabilities;
  }

  admit(check: (told: ToldIdentity) => Promise<void>): void {
    this.#check = check;
  }

  get connection(): ConnectionState {
    return this.#connection;
  }

  get report(): PrinterReport | undefined {
    return this.#report;
  }

  open(): void {
    if (this.#stop !== undefined) return;
    const stop = new AbortController();
    this.#stop = stop;
    const previous = this.#loop;
    this.#loop = previous.then(() => this.#stayConnected(stop));
  }

  async close(): Promise<void> {
    this.#stop?.abort();
    this.#stop = undefined;
    const session = this.session;
    if (session !== undefined) await session.close();
    await this.#loop;
  }

  reset(): void {
    const reason = new PrinterUnavailableError('The connection was reset.');
    this.session?.destroy(reason);
    this.#wake?.abort();
  }

  abstract observe(): Promise<PrinterReport>;
  abstract preflight(order: StartOrder): Promise<PreflightFailure[]>;
  abstract upload(order: StartOrder, options: { signal: AbortSignal; progress(fraction: number): void }): Promise<void>;
  abstract pause(): Promise<void>;
  abstract resume(): Promise<void>;
  abstract stop(identity: JobIdentity): Promise<void>;
  abstract trace(order: StartOrder): Promise<JobTrace>;
  abstract forget(identity: JobIdentity): Promise<void>;

  async start(order: StartOrder, permit: StartPermit): Promise<PrinterReport> {
    if (this.#starting) throw new StartNotSentError('Another start is in progress on this printer.');
    this.#starting = true;
    try {
      return await this.#startOnce(order, permit);
    } finally {
      this.#starting = false;
    }
  }

  async #startOnce(order: StartOrder, permit: StartPermit): Promise<PrinterReport> {
    let session: S;
    let write: () => Promise<PrinterReport>;
    try {
      session = this.connected();
      const asked = performance.now();
      const observed = await this.observe();
      write = this.prepareStart(order, session);
      if (this.session !== session) throw new PrinterUnavailableError('The connection was lost before the start.');
      // No await from here to the write, so that the checked state still holds when the start is sent.
      const latest =
        this.#report !== undefined && this.#report.receivedAt >= observed.receivedAt ? this.#report : observed;
      permit.check(latest);
      // The process may have been suspended even within one turn of the event loop.
      const now = performance.now();
      if (now > permit.notAfter) throw new Error('The time for this start had passed.');
      if (now - asked > permit.observedWithin) throw new Error('The observation came too late to start on it.');
      if (!session.writable) throw new PrinterUnavailableError('The connection cannot be written to.');
      permit.sent();
    } catch (thrown) {
      const error = asError(thrown);
      throw new StartNotSentError(`The start was not sent: ${error.message}`, error);
    }
    try {
      return await write();
    } catch (thrown) {
      if (thrown instanceof StartRejectedError) throw thrown;
      const error = asError(thrown);
      const unconfirmed = new StartUnconfirmedError(
        `The start of ${order.identity.fileName} was sent, and the printer did not show it: ${error.message}`,
        error,
      );
      session.destroy(unconfirmed);
      throw unconfirmed;
    }
  }

  /**
   * Logs in and resolves when the printer has reported its state. Rejects with a PrinterRefusedError if only an
   * operator can help.
   */
  protected abstract connect(signal: AbortSignal): Promise<S>;

  /** The unique ids that the machine of this connection reports. */
  protected abstract identity(): ToldIdentity;

  /** Checks the machine by the ids that are known so far. A failed check ends the connection, whichever call caused it. */
  protected async admitted(session: S): Promise<void> {
    try {
      await this.#check(this.identity());
    } catch (thrown) {
      session.destroy(asError(thrown));
      throw thrown;
    }
  }

  /** Called once the session is established: makes the first report. */
  protected abstract begin(session: S): void;

  /** How long to wait before reconnecting after the printer itself closed the connection. */
  protected pauseAfter(_reason: Error): number {
    return 0;
  }

  /**
   * Prepares a start. The function that it returns writes the start before its first `await`, and resolves when the
   * printer shows the job.
   */
  protected abstract prepareStart(order: StartOrder, session: S): () => Promise<PrinterReport>;

  /** The current session. */
  protected connected(): S {
    if (this.session === undefined) {
      throw this.#connection.status === 'refused'
        ? this.#connection.error
        : new PrinterUnavailableError('The printer is not connected.');
    }
    return this.session;
  }

  protected log(level: 'debug' | 'info' | 'warn' | 'error', message: string): void {
    this.options.log(level, message);
  }

  /** The time of reception, in the forms that a report has. */
  protected stamp(): Pick<PrinterReport, 'at' | 'receivedAt' | 'timeScale'> {
    return { at: new Date().toISOString(), receivedAt: performance.now(), timeScale: this.options.timeScale };
  }

  protected publish(report: PrinterReport): void {
    this.#report = report;
    this.#emitSafely(() => this.emit('report', report));
  }

  /** Returns the first report that fulfils a condition, not including the current one. */
  protected async waitForReport(
    condition: (report: PrinterReport) => boolean,
    wait: ReportWait,
  ): Promise<PrinterReport> {
    const result = new Deferred<PrinterReport>();
    const listener = (report: PrinterReport): void => {
      try {
        if (condition(report)) result.resolve(report);
      } catch (thrown) {
        result.reject(asError(thrown));
      }
    };
    this.on('report', listener);
    const timer = setTimeout(() => result.reject(new WaitTimeoutError('It took too long.')), wait.timeoutMs);
    const forget = wait.session?.onEnd((reason) => result.reject(reason));
    try {
      return await result.promise;
    } finally {
      clearTimeout(timer);
      forget?.();
      this.off('report', listener);
    }
  }

  async #stayConnected(stop: AbortController): Promise<void> {
    const { signal } = stop;
    let failures = 0;
    let refusals = 0;
    while (!signal.aborted) {
      const wake = new AbortController();
      this.#wake = wake;
      const stopTrying = (): void => wake.abort();
      signal.addEventListener('abort', stopTrying, { once: true });
      let askedPause = 0;
      let lost: Error | undefined;
      let session: S | undefined;
      try {
        // A refusal stays, and is shown, until the printer accepts the connection.
        if (this.#connection.status !== 'refused') this.#setConnection({ status: 'connecting' });
        session = await this.connect(wake.signal);
        await this.admitted(session);
        const since = performance.now();
        if (signal.aborted) {
          await session.close();
          break;
        }
        refusals = 0;
        this.session = session;
        // Listeners for the connection then find a report of this connection.
        this.begin(session);
        this.#setConnection({ status: 'connected' });
        const reason = await session.ended();
        lost = reason;
        this.session = undefined;
        if (performance.now() - since >= this.reconnect.stableAfterMs) failures = 0;
        askedPause = this.pauseAfter(reason);
        if (!signal.aborted && !(reason instanceof PrinterRefusedError)) {
          this.log('warn', `Connection lost: ${reason.message}`);
        }
      } catch (thrown) {
        const error = asError(thrown);
        lost = error;
        session?.destroy(error);
        if (!signal.aborted && !(error instanceof PrinterRefusedError)) {
          this.log('warn', `No connection: ${error.message}`);
        }
      } finally {
        this.session = undefined;
        signal.removeEventListener('abort', stopTrying);
      }
      if (lost instanceof PrinterRefusedError && !signal.aborted) {
        this.#refuse(lost);
        const { firstPauseAfterRefusalMs, longestPauseAfterRefusalMs } = this.reconnect;
        askedPause = Math.max(
          askedPause,
          Math.min(firstPauseAfterRefusalMs * 2 ** refusals, longestPauseAfterRefusalMs),
        );
        refusals += 1;
      } else {
        this.#setConnection({ status: 'disconnected', ...(lost === undefined ? {} : { reason: lost }) });
      }
      if (signal.aborted) break;
      const grown = Math.min(this.reconnect.firstPauseMs * 2 ** failures, this.reconnect.longestPauseMs);
      failures = wake.signal.aborted ? 0 : failures + 1;
      const wakeAgain = new AbortController();
      this.#wake = wakeAgain;
      const stopWaiting = (): void => wakeAgain.abort();
      signal.addEventListener('abort', stopWaiting, { once: true });
      await pause(Math.max(grown, askedPause), wakeAgain.signal);
      signal.removeEventListener('abort', stopWaiting);
    }
    this.#setConnection({ status: 'disconnected' });
  }

  #refuse(error: PrinterRefusedError): void {
    const before = this.#connection;
    const known = before.status === 'refused' && before.error.message === error.message;
    if (!known) this.log('error', `${error.message} ${error.remedy}`);
    this.#setConnection({ status: 'refused', error });
  }

  #setConnection(state: ConnectionState): void {
    if (state.status === this.#connection.status && state.status !== 'refused') return;
    this.#connection = state;
    this.#emitSafely(() => this.emit('connection', state));
  }

  #emitSafely(emit: () => void): void {
    try {
      emit();
    } catch (thrown) {
      this.log('error', `A listener failed: ${asError(thrown).message}`);
    }
  }
}
