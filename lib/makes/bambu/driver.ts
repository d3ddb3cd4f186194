import { readFileSync } from 'node:fs';
import { asError } from '../../model/errors';
import type { ToldIdentity } from '../../model/machine-identity';
import {
  isActive,
  type PrinterCapabilities,
  type PrinterFault,
  type PrinterReport,
  type ReportedCapabilities,
} from '../../model/printer';
import {
  BaseDriver,
  CommandRefusedError,
  defaultReconnectTiming,
  JobNotRunningError,
  type ReconnectTiming,
  WaitTimeoutError,
} from '../base-driver';
import {
  type Driver,
  type DriverOptions,
  isSameJob,
  type JobIdentity,
  type JobTrace,
  type PreflightFailure,
  PrinterRefusedError,
  PrinterUnavailableError,
  type StartOrder,
  type StartPermit,
  StartRejectedError,
} from '../driver';
import { numberOf, textOf } from '../values';
import { Deferred, pause, within } from '../waiting';
import { bambuCode } from './codes';
import {
  control,
  defaultStartChoices,
  getVersion,
  projectFile,
  pushAll,
  type StartChoices,
  startPushing,
} from './commands';
import { defaultEndingTiming, type EndingTiming } from './endings';
import { type FtpsAddress, removeByFtps, uploadByFtps } from './ftps-upload';
import { type BambuModel, bambuModel, fileUrl, judgeModel } from './models';
import { type MqttListener, MqttSession, type PrinterAnswer } from './mqtt-session';
import { checkOrder } from './preflight';
import { currentErrorCode, gcodeState, isRunning, isStartRefusal, jobIds, mapJob } from './report-mapping';
import { readSlicedFor, type SlicedFor, slicedForAnything, slotsOfProject } from './sliced-file';
import type { PrinterTrust } from './tls';
import { ReportTracker } from './tracker';

export interface BambuTiming extends ReconnectTiming, EndingTiming {
  /** How long each step of a login may take: TLS, then MQTT (ms). */
  connectMs: number;
  /** How long after the login the first report may take (ms): a wrong serial number makes the printer silent. */
  firstReportMs: number;
  /** How long, after the first report, the printer may take to report its model (ms): some never do. */
  modelMs: number;
  /**
   * How long the file server may stay silent (ms): it confirms an upload only when the USB stick has written it all.
   */
  transferReplyMs: number;
  /** Silence after which reports are requested (ms), and after which the connection is given up. */
  quietMs: number;
  silentMs: number;
  /** How long a requested report may take (ms). */
  observeMs: number;
  /** How long a command may stay unanswered (ms). */
  answerMs: number;
  /**
   * Limits after a start (ms): until any sign of the job; the same if the printer accepted the command, because it may
   * show the end of the last job for minutes while it reads the file; and until the job is active.
   */
  startSignMs: number;
  startAcceptedMs: number;
  startActiveMs: number;
}

export const defaultBambuTiming: BambuTiming = {
  ...defaultReconnectTiming,
  ...defaultEndingTiming,
  connectMs: 15_000,
  firstReportMs: 60_000,
  modelMs: 3000,
  transferReplyMs: 90_000,
  quietMs: 30_000,
  silentMs: 60_000,
  observeMs: 20_000,
  answerMs: 12_000,
  startSignMs: 90_000,
  startAcceptedMs: 240_000,
  startActiveMs: 180_000,
};

export interface BambuOptions extends DriverOptions {
  /** Serial number, upper case, as on the printer's screen. */
  serial: string;
  accessCode: string;
  mqttPort?: number;
  ftpsPort?: number;
  /** PEM of the authority that signed the printer's certificate, or a file with it. */
  ca?: string;
  caFile?: string;
  /** SHA-256 of the printer's certificate, instead of an authority. */
  fingerprint?: string;
  /** The printer's preparations before a print. */
  choices?: Partial<StartChoices>;
  timing?: Partial<BambuTiming>;
}

/** A driver for one Bambu Lab printer in LAN-only and Developer Mode. */
export function createBambuDriver(options: BambuOptions): Driver {
  return new BambuDriver(options);
}

const leastPushAllPauseMs = 3000;
const leastStaleStateMs = 3000;
const verifyFailedCodes = [84033543, 84033544, 84033545, 84033546, 84033547, 84033548];
const longestControlMs = 60_000;

class BambuDriver extends BaseDriver<MqttSession> {
  readonly make = 'bambu';
  readonly #settings: BambuOptions;
  readonly #timing: BambuTiming;
  readonly #choices: StartChoices;
  readonly #tracker: ReportTracker;
  #unknownWord: string | undefined;
  /** The slicing information of the last plate that was read. */
  #sliced: { sha256: string; plate: number; file: SlicedFor } | undefined;
  #lastStatusAt = 0;
  /** When the newest message arrived; a report is never younger than that. */
  #received = this.stamp();
  #lastPushAllAt = Number.NEGATIVE_INFINITY;
  #recheck: NodeJS.Timeout | undefined;
  /** Called for every full status frame, before the report of it is published. */
  readonly #fullListeners = new Set<() => void>();

  constructor(settings: BambuOptions) {
    // The time for which an old state lingers is printer time, and a simulator's clock runs faster.
    const { timeScale } = settings;
    const staleStateMs = Math.max(leastStaleStateMs, defaultBambuTiming.staleStateMs / timeScale);
    const { startSignMs } = defaultBambuTiming;
    const startAcceptedMs = Math.max(startSignMs, defaultBambuTiming.startAcceptedMs / timeScale);
    const timing = { ...defaultBambuTiming, staleStateMs, startAcceptedMs, ...settings.timing };
    super(settings, timing);
    this.#settings = settings;
    this.#timing = timing;
    this.#choices = { ...defaultStartChoices, ...settings.choices };
    this.#tracker = new ReportTracker(timing);
  }

  async observe(): Promise<PrinterReport> {
    await this.#requestFull(this.connected());
    return this.report ?? this.#makeReport();
  }

  async preflight(order: StartOrder): Promise<PreflightFailure[]> {
    const report = await this.observe();
    const slicedFor = await this.#readSliced(order);
    return checkOrder(order, this.#tracker.print, report, this.capabilities, slicedFor);
  }

  /**
   * The file's information is read in advance, because there may be no await between the last observation and the
   * start.
   */
  override async start(order: StartOrder, permit: StartPermit): Promise<PrinterReport> {
    await this.#readSliced(order);
    return super.start(order, permit);
  }

  async upload(order: StartOrder, options: { signal: AbortSignal; progress(fraction: number): void }): Promise<void> {
    this.connected();
    await uploadByFtps(this.#ftps(), {
      path: order.file.path,
      size: order.file.size,
      fileName: order.identity.fileName,
      ...options,
    });
  }

  async pause(): Promise<void> {
    await this.#command('pause', (report) => report.state === 'paused');
  }

  async resume(): Promise<void> {
    await this.#command('resume', (report) => report.state === 'printing' || report.state === 'preparing');
  }

  async stop(identity: JobIdentity): Promise<void> {
    this.#tracker.expect(identity.taskId);
    const until = performance.now() + longestControlMs;
    for (;;) {
      const report = await this.observe();
      const ours = isSameJob(identity, report.job);
      if (ours && !isActive(report.state)) return;
      if (!ours) throw new JobNotRunningError(`The printer does not run ${identity.fileName}.`);
      this.#tracker.askedToStop();
      if (await this.#send('stop', (later) => !isActive(later.state))) return;
      if (performance.now() > until) throw new CommandRefusedError('The printer did not answer the stop.');
    }
  }

  async trace(order: StartOrder): Promise<JobTrace> {
    this.#tracker.expect(order.identity.taskId);
    const session = this.connected();
    let report = await this.observe();
    if (!isSameJob(order.identity, report.job)) {
      const shown = report.job === null ? 'no job' : `the job ${report.job.name}`;
      return { verdict: 'none', evidence: `The printer shows ${shown} and keeps no history.` };
    }
    if (report.ending === null && !isActive(report.state)) {
      const timeoutMs = this.#timing.cancelCodeMs + this.#timing.staleStateMs;
      report = await this.waitForReport((later) => later.ending !== null || isActive(later.state), {
        timeoutMs,
        session,
      });
    }
    if (report.ending === null) return { verdict: 'active', report };
    return {
      verdict: 'ended',
      ending: report.ending,
      evidence: `The printer shows ${textOf(this.#tracker.print.gcode_state) ?? '?'} for ${order.identity.fileName}.`,
    };
  }

  async forget(identity: JobIdentity): Promise<void> {
    await removeByFtps(this.#ftps(), identity.fileName).catch((error: unknown) => {
      this.log('debug', `${identity.fileName} was not removed: ${asError(error).message}`);
    });
  }

  protected async connect(signal: AbortSignal): Promise<MqttSession> {
    const first = new Deferred<void>();
    let session: MqttSession | undefined;
    const isCurrent = (): boolean => session !== undefined && (this.session === session || this.session === undefined);
    const listener: MqttListener = {
      status: (message) => {
        if (!isCurrent()) return;
        this.#tracker.takeStatus(message);
        this.#lastStatusAt = performance.now();
        this.#received = this.stamp();
        if (message.full) {
          first.resolve();
          for (const notify of [...this.#fullListeners]) notify();
        }
        if (this.session !== undefined) this.#makeReport();
      },
      answer: (answer) => {
        if (isCurrent()) this.#onAnswer(answer);
      },
    };
    this.#tracker.restart();
    session = await MqttSession.open(
      {
        host: this.options.host,
        port: this.#settings.mqttPort ?? 8883,
        accessCode: this.#settings.accessCode,
        trust: this.#trust(),
        timeoutMs: this.#timing.connectMs,
      },
      listener,
      signal,
    );
    const abort = (): void => session?.destroy(new PrinterUnavailableError('The connection attempt was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    const forget = session.onEnd((reason) => first.reject(reason));
    try {
      const sequenceId = session.nextSequenceId();
      const version = session.answerTo('get_version', sequenceId);
      version.promise.catch(() => {});
      session.publish(getVersion(sequenceId));
      this.#pushAll(session);
      await within(
        first.promise,
        this.#timing.firstReportMs,
        () =>
          new PrinterUnavailableError(
            `Connected, but no report came: is ${this.#settings.serial} the right serial number?`,
          ),
      );
      await within(
        version.promise,
        this.#timing.modelMs,
        () => new WaitTimeoutError('The printer did not report its version.'),
      ).catch(() => {});
      version.forget();
      this.#checkModel();
      return session;
    } catch (error) {
      session.destroy(asError(error));
      throw error;
    } finally {
      forget();
      signal.removeEventListener('abort', abort);
    }
  }

  /** @throws PrinterRefusedError the printer's model is not supported */
  #checkModel(): void {
    const product = this.#tracker.product;
    const verdict = judgeModel({ product, token: this.capabilities.model, serial: this.#settings.serial });
    if (verdict?.supported === false) {
      throw new PrinterRefusedError(
        `Platewise does not drive the ${verdict.name}. ${verdict.reason}`,
        'Remove the printer from the farm, or ask for its model to be added.',
      );
    }
    const conflict = this.#conflict();
    if (conflict !== undefined) this.log('error', conflict.message);
  }

  /** The model from the table: as reported by the printer, otherwise as configured. */
  #model(): BambuModel | undefined {
    return bambuModel(this.#tracker.product) ?? bambuModel(this.capabilities.model);
  }

  /** Returns the fault if the printer reports a different model from the configured one. */
  #conflict(): PrinterFault | undefined {
    const told = bambuModel(this.#tracker.product);
    const expected = bambuModel(this.capabilities.model);
    if (told === undefined || expected === undefined || told === expected) return undefined;
    return {
      code: 'model',
      message: `The printer is set up as a ${expected.name}, and reports that it is a ${told.name}.`,
      remedy: 'Choose the right model in its node.',
      blocking: true,
    };
  }

  override describe(capabilities: PrinterCapabilities): void {
    super.describe(capabilities);
    if (this.session !== undefined) this.#makeReport();
  }

  /** The certificate has proved the serial number before the login. */
  protected identity(): ToldIdentity {
    return { ids: { serial: this.#settings.serial }, complete: true };
  }

  protected begin(session: MqttSession): void {
    this.#lastStatusAt = performance.now();
    const watchdog = setInterval(() => this.#watch(session), Math.min(5000, this.#timing.quietMs / 2));
    session.onEnd(() => {
      clearInterval(watchdog);
      clearTimeout(this.#recheck);
    });
    this.#makeReport();
  }

  protected prepareStart(order: StartOrder, session: MqttSession): () => Promise<PrinterReport> {
    // Two prints under one id would be taken for one: the ending of the earlier would count for the later.
    const id = String(order.identity.taskId);
    if (jobIds(this.#tracker.print).includes(id)) throw new Error(`The printer already names a task ${id}.`);
    const sequenceId = session.nextSequenceId();
    const known = this.#sliced;
    const isOurs = known?.sha256 === order.identity.sha256 && known.plate === order.plate;
    const sliced = isOurs ? known.file : slicedForAnything;
    const slots = slotsOfProject(order.slots, sliced);
    if (slots === undefined) throw new Error('The slots given are not those of the filaments of the file.');
    const url = fileUrl(this.#model(), order.identity.fileName);
    const payload = projectFile(order, sequenceId, this.#choices, slots, url);
    return () => {
      this.#tracker.expect(order.identity.taskId);
      const errorBefore = currentErrorCode(this.#tracker.print);
      const answer = session.answerTo('project_file', sequenceId);
      session.publish(payload);
      return this.#confirmStart(order, session, { answer: answer.promise, errorBefore }).finally(answer.forget);
    };
  }

  async #readSliced(order: StartOrder): Promise<SlicedFor> {
    const { plate } = order;
    const { sha256 } = order.identity;
    const known = this.#sliced;
    if (known === undefined || known.sha256 !== sha256 || known.plate !== plate || sha256 === '') {
      const file = await readSlicedFor(order.file.path, plate).catch((thrown: unknown) => {
        this.log('debug', `The sliced file tells nothing about itself: ${asError(thrown).message}`);
        return slicedForAnything;
      });
      this.#sliced = { sha256, plate, file };
      return file;
    }
    return known.file;
  }

  async #confirmStart(
    order: StartOrder,
    session: MqttSession,
    sent: { answer: Promise<PrinterAnswer>; errorBefore: string | undefined },
  ): Promise<PrinterReport> {
    const rejected = new Deferred<never>();
    let accepted = false;
    sent.answer.then(
      (answer) => {
        const refusal = refusalOf(answer);
        accepted = refusal === undefined;
        // A job that is running takes precedence over a negative reply.
        if (refusal !== undefined && !this.#shows(order)) rejected.reject(refusal);
      },
      () => {},
    );
    const shown = async (): Promise<PrinterReport> => {
      const next = (condition: (report: PrinterReport) => boolean, timeoutMs: number): Promise<PrinterReport> =>
        this.waitForReport(
          (report) => {
            this.#throwIfRefused(report, order, sent.errorBefore);
            return condition(report);
          },
          { timeoutMs, session },
        );
      const { startSignMs, startAcceptedMs } = this.#timing;
      const isThere = (report: PrinterReport): boolean => isSameJob(order.identity, report.job);
      const sign = await next(isThere, startSignMs).catch((thrown: unknown) => {
        if (!accepted || !(thrown instanceof WaitTimeoutError)) throw thrown;
        return next(isThere, Math.max(0, startAcceptedMs - startSignMs));
      });
      const started = isStarted(sign, order)
        ? sign
        : await next((report) => isStarted(report, order), this.#timing.startActiveMs);
      // The printer detects an unreadable file only while it prepares; nothing has moved then.
      if (started.ending !== null || !this.#isParsing()) return started;
      const parsed = next((report) => isStarted(report, order) && !this.#isParsing(), this.#timing.startActiveMs);
      return parsed.catch((thrown: unknown) => {
        if (thrown instanceof WaitTimeoutError && this.report !== undefined) return this.report;
        throw thrown;
      });
    };
    return Promise.race([shown(), rejected.promise]);
  }

  #shows(order: StartOrder): boolean {
    return isSameJob(order.identity, mapJob(this.#tracker.print, String(order.identity.taskId)));
  }

  #isParsing(): boolean {
    const state = gcodeState(this.#tracker.print);
    return state === 'PREPARE' || state === 'SLICING';
  }

  /** A new error of the kind that comes before any motion, while our job does not run: it will not start. */
  #throwIfRefused(report: PrinterReport, order: StartOrder, errorBefore: string | undefined): void {
    const code = currentErrorCode(this.#tracker.print);
    if (!isStartRefusal(code) || code === errorBefore) return;
    const ours = isSameJob(order.identity, report.job);
    if (ours && (isRunning(gcodeState(this.#tracker.print)) || this.#tracker.hasRun())) return;
    const { words, remedy } = bambuCode(code);
    throw new StartRejectedError(`The printer did not start the job: ${words}`, remedy, {
      retryable: code === '0500_4004' || code === '0502_400D' || code === '0500_4042',
    });
  }

  async #command(command: 'pause' | 'resume', done: (report: PrinterReport) => boolean): Promise<void> {
    const report = await this.observe();
    if (!isActive(report.state)) throw new JobNotRunningError('The printer runs no job.');
    if (done(report)) return;
    if (!(await this.#send(command, done))) {
      throw new CommandRefusedError(`The printer did not answer the ${command}.`);
    }
  }

  /**
   * Sends a command once. Returns true if the printer accepted it, false if it stayed silent; the connection is then
   * rebuilt.
   */
  async #send(command: 'pause' | 'resume' | 'stop', done: (report: PrinterReport) => boolean): Promise<boolean> {
    const session = this.connected();
    const sequenceId = session.nextSequenceId();
    const answer = session.answerTo(command, sequenceId);
    const effect = this.waitForReport(done, { timeoutMs: this.#timing.answerMs, session });
    try {
      session.publish(control(command, sequenceId));
      const first = await Promise.race([answer.promise, effect]);
      if ('fields' in first) {
        const refusal = refusalText(first);
        if (refusal !== undefined) throw new CommandRefusedError(`The printer refused the ${command}: ${refusal}`);
      }
      return true;
    } catch (error) {
      if (error instanceof CommandRefusedError) throw error;
      session.destroy(new PrinterUnavailableError(`The printer did not answer the ${command}.`));
      await this.#reconnected();
      return false;
    } finally {
      answer.forget();
      effect.catch(() => {});
    }
  }

  /** Waits a limited time for a new connection. */
  async #reconnected(): Promise<void> {
    for (let waited = 0; waited < 20 && this.session === undefined; waited++) await pause(500);
  }

  /**
   * Resolves after a full report that was made after this call: the first one after the answer to a query sent before,
   * or, for printers that do not answer the query, the second one after a second request.
   */
  async #requestFull(session: MqttSession): Promise<void> {
    const done = new Deferred<void>();
    let answered = false;
    let frames = 0;
    const sequenceId = session.nextSequenceId();
    const version = session.answerTo('get_version', sequenceId);
    version.promise.then(
      () => {
        answered = true;
      },
      () => {},
    );
    const onFull = (): void => {
      frames++;
      if (answered || frames >= 3) done.resolve();
      else if (frames >= 1) this.#pushAll(session);
    };
    const forget = session.onEnd((reason) => done.reject(reason));
    this.#fullListeners.add(onFull);
    const again = setInterval(() => this.#pushAll(session), leastPushAllPauseMs);
    try {
      session.publish(getVersion(sequenceId));
      this.#pushAll(session);
      await within(done.promise, this.#timing.observeMs, () => {
        const late = new PrinterUnavailableError('The printer did not report when it was asked to.');
        session.destroy(late);
        return late;
      });
    } finally {
      clearInterval(again);
      this.#fullListeners.delete(onFull);
      version.forget();
      forget();
    }
  }

  /** Requests a full report, but not more often than printers tolerate. */
  #pushAll(session: MqttSession): void {
    const now = performance.now();
    if (now - this.#lastPushAllAt < leastPushAllPauseMs) return;
    this.#lastPushAllAt = now;
    session.request(pushAll(session.nextSequenceId()));
  }

  #watch(session: MqttSession): void {
    const silence = performance.now() - this.#lastStatusAt;
    if (silence > this.#timing.silentMs) {
      session.destroy(new PrinterUnavailableError(`No report for ${Math.round(silence / 1000)} s.`));
    } else if (silence > this.#timing.quietMs) {
      session.request(startPushing(session.nextSequenceId()));
      this.#pushAll(session);
    }
  }

  #onAnswer(answer: PrinterAnswer): void {
    if (answer.section === 'info' && answer.command === 'get_version') this.#tracker.takeVersion(answer.fields);
    if (!answer.own && ['stop', 'pause', 'resume', 'project_file'].includes(answer.command)) {
      this.log('info', `Another client sent the printer a ${answer.command}.`);
    }
  }

  #makeReport(): PrinterReport {
    const { undecidedForMs, ...tracked } = this.#tracker.at(performance.now());
    const { unknownWord } = this.#tracker;
    if (unknownWord !== undefined && unknownWord !== this.#unknownWord) {
      this.log('error', `The printer is in a state that is not known: ${unknownWord}.`);
    }
    this.#unknownWord = unknownWord;
    const conflict = this.#conflict();
    const { toolHead } = tracked;
    const report: PrinterReport = {
      ...this.#received,
      ...tracked,
      ...(conflict && {
        state: tracked.state === 'idle' ? 'fault' : tracked.state,
        faults: [...tracked.faults, conflict],
      }),
      capabilities: reportedCapabilities(bambuModel(this.#tracker.product), toolHead?.nozzleDiameters ?? []),
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

  #trust(): PrinterTrust {
    const { serial, ca, caFile, fingerprint } = this.#settings;
    const issuer = bambuModel(this.capabilities.model)?.certificateIssuer;
    return { serial, fingerprint, issuer, ca: ca ?? (caFile === undefined ? undefined : readFileSync(caFile, 'utf8')) };
  }

  #ftps(): FtpsAddress {
    return {
      host: this.options.host,
      port: this.#settings.ftpsPort ?? 990,
      accessCode: this.#settings.accessCode,
      trust: this.#trust(),
      replyMs: this.#timing.transferReplyMs,
    };
  }
}

function reportedCapabilities(model: BambuModel | undefined, nozzles: number[]): ReportedCapabilities {
  return { ...(model && { model: model.token }), ...(nozzles.length > 0 && { nozzleDiameters: nozzles }) };
}

/** Whether the printer shows the job as running, or as having run. */
function isStarted(report: PrinterReport, order: StartOrder): boolean {
  if (!isSameJob(order.identity, report.job)) return false;
  if (isActive(report.state)) return true;
  return report.ending === 'finished' || report.ending === 'failed' || report.ending === 'cancelled';
}

/** Returns the printer's text if the reply is negative. */
function refusalText(answer: PrinterAnswer): string | undefined {
  const result = textOf(answer.fields.result)?.toLowerCase();
  const code = numberOf(answer.fields.err_code) ?? 0;
  if (verifyFailedCodes.includes(code)) return 'Developer Mode is off.';
  const failed = result !== undefined && result !== 'success' && result !== '0' && result !== '';
  return failed ? (textOf(answer.fields.reason) ?? result) : undefined;
}

function refusalOf(answer: PrinterAnswer): StartRejectedError | undefined {
  const text = refusalText(answer);
  if (text === undefined) return undefined;
  const code = numberOf(answer.fields.err_code) ?? 0;
  return verifyFailedCodes.includes(code)
    ? new StartRejectedError(
        'The printer refuses commands from the network.',
        "Switch on LAN Only Mode and Developer Mode in the printer's network settings.",
        { retryable: false },
      )
    : new StartRejectedError(`The printer refused the start: ${text}`, 'Look at the printer.');
}
