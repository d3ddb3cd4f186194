import type { ToldIdentity } from '../../model/machine-identity';
import { isActive, type PrinterReport } from '../../model/printer';
import {
  BaseDriver,
  CommandRefusedError,
  defaultReconnectTiming,
  JobNotRunningError,
  type ReconnectTiming,
} from '../base-driver';
import {
  type Driver,
  type DriverOptions,
  isSameJob,
  type JobIdentity,
  type JobTrace,
  type PreflightFailure,
  PrinterUnavailableError,
  type StartOrder,
  StartRejectedError,
  UploadFailedError,
} from '../driver';
import { Deferred, pause, within } from '../waiting';
import {
  type Command,
  commandKey,
  commands,
  type MachineInfo,
  type Module,
  readFaultList,
  readMachineInfo,
  readModules,
  readPowerLoss,
  startPayload,
  subscribePayload,
} from './commands';
import { type Frame, peers } from './frame';
import { checkOrder } from './preflight';
import { DisconnectedAtScreenError, SacpSession } from './session';
import { hasJob, resultText, startRefusal } from './state-mapping';
import { MachineTracker } from './tracker';
import { refuseChunk, serveFile } from './upload';

export interface SnapmakerTiming extends ReconnectTiming {
  /** How long establishing the connection may take, and how long an answer (ms). */
  connectMs: number;
  answerMs: number;
  /** How long the greeting may stay unanswered (ms), and how long while the approval dialog is shown. */
  helloMs: number;
  approvalMs: number;
  /** How often the machine is asked to push its state (ms; at least 500), and the silence that ends a connection. */
  pushPeriodMs: number;
  silentMs: number;
  /** How long the reason of an ending may come after the ending (ms). */
  noticeMs: number;
  /** How long the screen may request no chunk during an upload (ms). */
  stallMs: number;
  /** How long a start may take until the job shows: the machine homes first (ms). */
  startMs: number;
  /** How long a pause and a resume may take (ms). */
  controlMs: number;
  /** The delay before reconnecting after an operator tapped Disconnect (ms). */
  disconnectedPauseMs: number;
}

export const defaultSnapmakerTiming: SnapmakerTiming = {
  ...defaultReconnectTiming,
  firstPauseMs: 3000,
  connectMs: 10_000,
  answerMs: 5000,
  helloMs: 10_000,
  approvalMs: 300_000,
  pushPeriodMs: 1000,
  silentMs: 10_000,
  noticeMs: 5000,
  stallMs: 15_000,
  startMs: 180_000,
  controlMs: 10 * 60_000,
  disconnectedPauseMs: 60_000,
};

export interface SnapmakerOptions extends DriverOptions {
  port?: number;
  /** Chosen by us and kept permanently: the machine remembers it once an operator has allowed it. A secret. */
  token: string;
  /** The name that the touchscreen shows when it asks for permission. */
  clientName?: string;
  timing?: Partial<SnapmakerTiming>;
}

/** A driver for one Snapmaker Artisan. */
export function createSnapmakerDriver(options: SnapmakerOptions): Driver {
  return new SnapmakerDriver(options);
}

const longestStopMs = 60_000;
const blocked = 17;
const _rememberedFiles = 16;

class SnapmakerDriver extends BaseDriver<SacpSession> {
  readonly make = 'snapmaker';
  readonly #settings: SnapmakerOptions;
  readonly #timing: SnapmakerTiming;
  readonly #tracker: MachineTracker;
  #info: MachineInfo | undefined;
  #received = this.stamp();
  #heartbeatAt = 0;
  #recheck: NodeJS.Timeout | undefined;
  #confirming = false;
  #serve: ((frame: Frame) => void) | undefined;
  readonly #heartbeatWaiters = new Set<() => void>();
  readonly #fileWaiters = new Set<() => void>();
  readonly #outcomes = new Map<string, Deferred<number>>();

  constructor(settings: SnapmakerOptions) {
    const timing = { ...defaultSnapmakerTiming, ...settings.timing };
    super(settings, timing);
    this.#settings = settings;
    this.#timing = timing;
    this.#tracker = new MachineTracker(timing.noticeMs);
  }

  async observe(): Promise<PrinterReport> {
    const session = this.connected();
    // The push that follows the answer was made after it, and the answer after this call.
    await this.#askFile(session);
    await this.#next(session, this.#heartbeatWaiters, 'its state');
    // The name is queried last: it stays after a job, so it also reveals one that began and ended between two pushes.
    await this.#askFile(session);
    return this.report ?? this.#makeReport();
  }

  async preflight(order: StartOrder): Promise<PreflightFailure[]> {
    const session = this.connected();
    const modules = await this.#readModules(session);
    await this.#readFaults(session);
    return checkOrder(order, await this.observe(), modules);
  }

  async upload(order: StartOrder, options: { signal: AbortSignal; progress(fraction: number): void }): Promise<void> {
    const session = this.connected();
    this.#remember(order);
    try {
      await serveFile(session, order, {
        ...options,
        stallMs: this.#timing.stallMs,
        receive: (handler) => {
          this.#serve = handler;
          return () => {
            this.#serve = undefined;
          };
        },
      });
    } catch (error) {
      // A screen that waits for chunks does so for ever; only a new connection frees it.
      if (!(error instanceof UploadFailedError) || error.retryable) {
        session.destroy(new PrinterUnavailableError('The upload broke off.'));
      }
      throw error;
    }
  }

  async pause(): Promise<void> {
    const report = await this.observe();
    if (report.state === 'paused') return;
    if (!isActive(report.state)) throw new JobNotRunningError('The printer runs no job.');
    await this.#control(
      commands.pause,
      commands.pauseResult,
      (later) => later.state === 'paused' && this.#tracker.status === 4,
    );
  }

  async resume(): Promise<void> {
    const report = await this.observe();
    if (report.state === 'printing' || report.state === 'preparing') return;
    if (report.state !== 'paused') throw new JobNotRunningError('The printer is not paused.');
    await this.#control(
      commands.resume,
      commands.resumeResult,
      (later) => later.state === 'printing' && this.#tracker.status === 2,
    );
  }

  async stop(identity: JobIdentity): Promise<void> {
    const until = performance.now() + longestStopMs;
    for (;;) {
      const report = await this.observe();
      if (!isSameJob(identity, report.job))
        throw new JobNotRunningError(`The printer does not run ${identity.fileName}.`);
      const { status } = this.#tracker;
      if (status === undefined || !hasJob(status) || status === 5) return;
      const answer = await this.connected().request(peers.controller, commands.stop);
      const result = answer.payload[0] ?? 0;
      if (result === 0) return;
      if (result !== blocked && performance.now() > until) {
        throw new CommandRefusedError(`The printer refused to stop: ${resultText(result)}.`);
      }
      if (performance.now() > until) throw new CommandRefusedError('The printer is busy with another request.');
      await pause(1000);
    }
  }

  async trace(order: StartOrder): Promise<JobTrace> {
    this.#remember(order);
    const session = this.connected();
    let report = await this.observe();
    const isOurs = (): boolean =>
      isSameJob(order.identity, report.job) && (report.job?.md5 === undefined || report.job.md5 === order.identity.md5);
    if (!isOurs()) return this.#traceWithoutSign(session, order, report);
    if (report.ending === null && !isActive(report.state)) {
      report = await this.waitForReport((later) => later.ending !== null || isActive(later.state), {
        timeoutMs: this.#timing.noticeMs * 20,
        session,
      });
    }
    if (report.ending === null) return { verdict: 'active', report };
    const count = `line ${this.#tracker.line ?? '?'} of ${order.file.lines}`;
    return {
      verdict: 'ended',
      ending: report.ending,
      evidence: `The printer names ${order.identity.fileName} as its last job (${count}).`,
    };
  }

  async forget(_identity: JobIdentity): Promise<void> {
    // The machine has no command to delete a file.
  }

  protected override pauseAfter(reason: Error): number {
    return reason instanceof DisconnectedAtScreenError ? this.#timing.disconnectedPauseMs : 0;
  }

  protected async connect(signal: AbortSignal): Promise<SacpSession> {
    const session = await SacpSession.open(
      {
        host: this.options.host,
        port: this.#settings.port ?? 8888,
        token: this.#settings.token,
        clientName: this.#settings.clientName ?? 'Platewise',
        connectMs: this.#timing.connectMs,
        answerMs: this.#timing.answerMs,
        helloMs: this.#timing.helloMs,
        approvalMs: this.#timing.approvalMs,
        log: (level, message) => this.log(level, message),
      },
      signal,
    );
    const abort = (): void => session.destroy(new PrinterUnavailableError('The connection attempt was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    this.#tracker.restart();
    session.onFrame = (frame) => this.#onFrame(session, frame);
    try {
      await this.#askIdentity(session);
      await this.#readModules(session).catch(() => {});
      const first = this.#next(session, this.#heartbeatWaiters, 'its state');
      // If a step in between fails, no caller awaits this any more.
      first.catch(() => {});
      await this.#subscribe(session);
      await this.#readFaults(session);
      await first;
      await this.#askFile(session);
      return session;
    } catch (error) {
      await session.close();
      throw error;
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  protected identity(): ToldIdentity {
    const board = this.#info?.board;
    return { ids: board === undefined ? {} : { board }, complete: true };
  }

  protected begin(session: SacpSession): void {
    const watchdog = setInterval(() => {
      const silence = performance.now() - this.#heartbeatAt;
      if (silence > this.#timing.silentMs) session.destroy(new PrinterUnavailableError('The printer went silent.'));
    }, this.#timing.silentMs / 4);
    session.onEnd(() => {
      clearInterval(watchdog);
      clearTimeout(this.#recheck);
    });
    this.#makeReport();
  }

  protected prepareStart(order: StartOrder, session: SacpSession): () => Promise<PrinterReport> {
    if (!this.#tracker.jobIsFresh) throw new PrinterUnavailableError('The printer has just begun or ended a job.');
    const payload = startPayload(order.identity.fileName, order.identity.md5);
    return () => {
      this.#remember(order);
      this.#confirming = true;
      const answer = session.request(peers.screen, commands.startPrint, payload, this.#timing.startMs);
      return this.#confirmStart(order, session, answer).finally(() => {
        this.#confirming = false;
      });
    };
  }

  /** The reply is only a hint: it arrives late, and is positive even for a start that failed. */
  async #confirmStart(order: StartOrder, session: SacpSession, answer: Promise<Frame>): Promise<PrinterReport> {
    const shown = this.waitForReport((report) => isShown(report, order), { timeoutMs: this.#timing.startMs, session });
    shown.catch(() => {});
    const refused = new Deferred<never>();
    answer.then(
      (frame) => {
        const text = startRefusal(frame.payload[0] ?? 0);
        if (text !== undefined) refused.reject(new StartRejectedError(text, 'Look at the touchscreen of the printer.'));
      },
      () => {},
    );
    return Promise.race([shown, refused.promise]);
  }

  async #traceWithoutSign(session: SacpSession, order: StartOrder, report: PrinterReport): Promise<JobTrace> {
    if (report.job !== null)
      return { verdict: 'none', evidence: `The printer names ${report.job.name} as its last job.` };
    const answer = await session.request(peers.controller, commands.powerLoss).catch(() => undefined);
    const interrupted = answer === undefined ? undefined : readPowerLoss(answer.payload);
    if (interrupted !== undefined && isSameJob(order.identity, { name: interrupted.name })) {
      return {
        verdict: 'ended',
        ending: 'failed',
        evidence: 'The printer kept the job as interrupted by a power cut.',
      };
    }
    return { verdict: 'none', evidence: 'The printer remembers no job since it was switched on.' };
  }

  /** Pause or resume: accepted immediately, carried out later. */
  async #control(command: Command, outcome: Command, done: (report: PrinterReport) => boolean): Promise<void> {
    const session = this.connected();
    const key = commandKey(outcome);
    const result = new Deferred<number>();
    this.#outcomes.set(key, result);
    const effect = this.waitForReport(done, { timeoutMs: this.#timing.controlMs, session });
    effect.catch(() => {});
    try {
      const answer = await session.request(peers.controller, command);
      const taken = answer.payload[0] ?? 0;
      if (taken !== 0) throw new CommandRefusedError(`The printer refused: ${resultText(taken)}.`);
      const first = await Promise.race([result.promise, effect]);
      if (typeof first !== 'number') return;
      if (first !== 0) throw new CommandRefusedError(`The printer could not do it: ${resultText(first)}.`);
      await effect;
    } finally {
      this.#outcomes.delete(key);
    }
  }

  async #askIdentity(session: SacpSession): Promise<void> {
    // A machine that has no id answers as well; without an answer it is unknown which machine this is, and the connection fails.
    this.#info = readMachineInfo((await session.request(peers.controller, commands.machineInfo)).payload);
  }

  async #readModules(session: SacpSession): Promise<Module[]> {
    const modules = readModules((await session.request(peers.controller, commands.moduleList)).payload);
    this.#tracker.modulesAre(modules);
    return modules;
  }

  async #subscribe(session: SacpSession): Promise<void> {
    const period = this.#timing.pushPeriodMs;
    for (const item of [commands.heartbeat, commands.extruders, commands.bed, commands.line, commands.printTime]) {
      const payload = subscribePayload(item, period);
      const answer = await session.request(peers.controller, commands.subscribe, payload).catch((thrown: unknown) => {
        // Only the state is required; the rest is optional.
        if (item === commands.heartbeat || session.reason !== undefined) throw thrown;
      });
      const result = answer?.payload[0] ?? 0;
      if (result === 0) continue;
      if (item === commands.heartbeat)
        throw new PrinterUnavailableError(`The printer refused to report its state (${result}).`);
      this.log('debug', `The printer does not push ${commandKey(item)} (${result}).`);
    }
  }

  async #readFaults(session: SacpSession): Promise<void> {
    const answer = await session.request(peers.controller, commands.faultList).catch(() => undefined);
    if (answer !== undefined) this.#tracker.faultsAre(readFaultList(answer.payload));
  }

  /** Queries the current or last job, and waits for the answer. */
  async #askFile(session: SacpSession): Promise<void> {
    const answered = this.#next(session, this.#fileWaiters, 'its job');
    // After a failed send no caller awaits the answer.
    answered.catch(() => {});
    session.send(peers.controller, commands.fileInfo);
    await answered;
  }

  async #next(session: SacpSession, waiters: Set<() => void>, what: string): Promise<void> {
    const next = new Deferred<void>();
    const notify = (): void => next.resolve();
    waiters.add(notify);
    const forget = session.onEnd((reason) => next.reject(reason));
    try {
      await within(
        next.promise,
        this.#timing.answerMs,
        () => new PrinterUnavailableError(`The printer did not tell ${what}.`),
      );
    } finally {
      waiters.delete(notify);
      forget();
    }
  }

  #onFrame(session: SacpSession, frame: Frame): void {
    const now = performance.now();
    switch (this.#tracker.take(frame, now)) {
      case 'heartbeat':
        this.#heartbeatAt = now;
        this.#received = this.stamp();
        if (this.session === session) {
          if (!this.#tracker.jobIsFresh || this.#confirming) session.send(peers.controller, commands.fileInfo);
          if (this.#tracker.jobIsFresh) this.#makeReport();
        }
        for (const notify of [...this.#heartbeatWaiters]) notify();
        break;
      case 'job':
        if (this.session === session) this.#makeReport();
        for (const notify of [...this.#fileWaiters]) notify();
        break;
      case 'ending':
        if (this.session === session) session.send(peers.controller, commands.fileInfo);
        break;
      case 'detail':
        break;
      case 'other':
        this.#onRequest(session, frame);
    }
  }

  /** Handles the machine's requests, and its notices about ours. */
  #onRequest(session: SacpSession, frame: Frame): void {
    const key = commandKey({ set: frame.commandSet, id: frame.commandId });
    if (key === commandKey(commands.uploadChunk)) {
      if (this.#serve === undefined) refuseChunk(session, frame);
      else this.#serve(frame);
    } else if (key === commandKey(commands.uploadResult)) this.#serve?.(frame);
    else this.#outcomes.get(key)?.resolve(frame.payload[0] ?? 0);
  }

  #remember({ identity, file }: StartOrder): void {
    this.#tracker.remember(identity.fileName, file);
  }

  #makeReport(): PrinterReport {
    const { undecidedForMs, ...tracked } = this.#tracker.at(performance.now());
    const nozzles = tracked.toolHead?.nozzleDiameters ?? [];
    const report: PrinterReport = {
      ...this.#received,
      ...tracked,
      capabilities: nozzles.length > 0 ? { nozzleDiameters: nozzles } : {},
      ...(this.#info === undefined ? {} : { firmware: this.#info.firmware, model: this.#info.model }),
    };
    clearTimeout(this.#recheck);
    if (undecidedForMs !== undefined) {
      this.#recheck = setTimeout(() => {
        this.session?.guard(() => this.#makeReport());
      }, undecidedForMs + 1);
    }
    this.publish(report);
    return report;
  }
}

/** Whether the printer shows the job as running, or as having run. */
function isShown(report: PrinterReport, order: StartOrder): boolean {
  if (!isSameJob(order.identity, report.job)) return false;
  if (report.job?.md5 !== undefined && report.job.md5 !== order.identity.md5) return false;
  if (isActive(report.state) || report.state === 'busy') return true;
  return report.ending !== null && report.ending !== 'unknown';
}
