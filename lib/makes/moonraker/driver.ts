import { readFileSync } from 'node:fs';
import { asError } from '../../model/errors';
import type { ToldIdentity } from '../../model/machine-identity';
import type { Photo } from '../../model/photo';
import { isActive, type PrinterReport } from '../../model/printer';
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
  PrinterUnavailableError,
  type StartOrder,
  StartRejectedError,
} from '../driver';
import { isObject, type JsonObject, listOf, numberOf, objectOf, textOf } from '../values';
import { pause } from '../waiting';
import { MoonrakerError } from './errors';
import type { HttpAddress } from './http';
import { boardIds, hostIds } from './identity';
import { checkOrder } from './preflight';
import { asConnectionError, RpcSocket } from './rpc-socket';
import { takeSnapshot } from './snapshot';
import {
  type FileFacts,
  type HistoryJob,
  historyEnding,
  klippyState,
  mapCapabilities,
  mapFaults,
  mapFilament,
  mapLayers,
  mapProgress,
  mapSlots,
  mapTemperatures,
  mapToolHead,
  printFileName,
  readHistoryJob,
  usefulSettings,
  watchedObjects,
} from './state-mapping';
import { klippyOf, StateTracker } from './tracker';
import { agentFor } from './trust';
import { uploadFile } from './upload';

export interface MoonrakerTiming extends ReconnectTiming {
  /** How long establishing a connection may take (ms). */
  connectMs: number;
  /** How long an upload may make no headway, and how long the printer may read the file before it answers (ms). */
  stallMs: number;
  uploadReplyMs: number;
  /** How often the state is queried although nothing has changed (ms). */
  heartbeatMs: number;
  /** How often `server.info` is queried while Klipper is not ready (ms). */
  notReadyPollMs: number;
  /** How long a query may stay unanswered (ms). */
  answerMs: number;
  /** How long the answer to a start may take (ms): a script that runs is finished first. */
  startAnswerMs: number;
  /** How long the effect of a command may take to show after the printer has accepted it (ms). */
  shownMs: number;
  /** How long the history may take to report how a job ended that the printer no longer shows (ms). */
  historyMs: number;
  /** How long a pause or a resume may take: heating up cannot be interrupted (ms). */
  controlMs: number;
  /** How long a picture may take, including the query for the camera (ms). */
  photoMs: number;
}

export const defaultMoonrakerTiming: MoonrakerTiming = {
  ...defaultReconnectTiming,
  connectMs: 15_000,
  stallMs: 60_000,
  uploadReplyMs: 120_000,
  heartbeatMs: 10_000,
  notReadyPollMs: 1500,
  answerMs: 15_000,
  startAnswerMs: 120_000,
  shownMs: 10_000,
  historyMs: 5000,
  controlMs: 15 * 60_000,
  photoMs: 5000,
};

export interface MoonrakerOptions extends DriverOptions {
  port?: number;
  apiKey?: string;
  tls?: boolean;
  /** The prefix of every Moonraker path, if a web server serves it under one: `/printer1`. */
  pathPrefix?: string;
  /**
   * With `tls`: a file (PEM) with the authority that signed the certificate, or its SHA-256; neither: as any web site.
   */
  caFile?: string;
  fingerprint?: string;
  timing?: Partial<MoonrakerTiming>;
}

/** A driver for one Klipper printer behind Moonraker. */
export function createMoonrakerDriver(options: MoonrakerOptions): Driver {
  return new MoonrakerDriver(options);
}

const publishIntervalMs = 1000;
const startPollMs = 500;

class MoonrakerDriver extends BaseDriver<RpcSocket> {
  readonly make = 'moonraker';
  readonly #settings: MoonrakerOptions;
  readonly #timing: MoonrakerTiming;
  readonly #tracker: StateTracker;
  #watched: JsonObject = watchedObjects([]);
  /** The names of all sections in Klipper's configuration, once known. */
  #objectNames: readonly string[] | undefined;
  /** The relevant part of its contents. */
  #configuration: JsonObject = {};
  /** Moonraker's report of its host, and the path of Klipper's configuration there. */
  #system: JsonObject = {};
  #configFile: string | undefined;
  /** Whether this connection has reported all ids of its machine. */
  #identified = false;
  #received = this.stamp();
  #facts: { name: string; facts: FileFacts } = { name: '', facts: {} };
  #publishedAt = Number.NEGATIVE_INFINITY;
  #publishedKey = '';
  #firmware: string | undefined;
  /** Free bytes on the printer, as last queried. */
  #free: number | undefined;
  #recheck: NodeJS.Timeout | undefined;
  #stopping: Promise<void> | undefined;
  /** Aborts each picture that is being taken. */
  readonly #photographing = new Set<() => void>();

  constructor(settings: MoonrakerOptions) {
    const timing = { ...defaultMoonrakerTiming, ...settings.timing };
    super(settings, timing);
    this.#timing = timing;
    this.#tracker = new StateTracker(timing.historyMs);
    this.#settings = settings;
  }

  /** Read again for each connection, so that a changed CA file applies from the next one on. */
  get #address(): HttpAddress {
    const { host, port, tls = false, apiKey, caFile, fingerprint, pathPrefix = '' } = this.#settings;
    const ca = tls && fingerprint === undefined && caFile !== undefined ? readFileSync(caFile, 'utf8') : undefined;
    return {
      host,
      port: port ?? 7125,
      tls,
      apiKey,
      prefix: pathPrefix.replace(/\/+$/, '').replace(/^(?=[^/])/, '/'),
      agent: tls ? agentFor({ ca, fingerprint }) : undefined,
      timeoutMs: this.#timing.connectMs,
      stallMs: this.#timing.stallMs,
      uploadReplyMs: this.#timing.uploadReplyMs,
    };
  }

  async observe(): Promise<PrinterReport> {
    const session = this.connected();
    await this.#refresh(session);
    return this.#makeReport(true);
  }

  async preflight(order: StartOrder): Promise<PreflightFailure[]> {
    const session = this.connected();
    this.#free = await this.#freeBytes(session);
    const queued = await this.#queuedJobs(session);
    const report = await this.observe();
    const { state } = this.#tracker;
    return checkOrder(
      order,
      {
        report,
        klippy: klippyState(state),
        objects: state.objects,
        free: this.#free,
        queued,
        objectNames: this.#objectNames,
      },
      this.capabilities,
    );
  }

  async upload(order: StartOrder, options: { signal: AbortSignal; progress(fraction: number): void }): Promise<void> {
    const session = this.connected();
    await uploadFile(this.#address, order, options, (fileName) => this.#storedSize(session, fileName));
  }

  async pause(): Promise<void> {
    const report = await this.observe();
    if (report.state === 'paused') return;
    if (!isActive(report.state)) throw new JobNotRunningError('The printer runs no job.');
    await this.#control('pause', (later) => later.state === 'paused' || !isActive(later.state));
    if (this.report?.state !== 'paused') throw new CommandRefusedError('The printer did not pause.');
  }

  async resume(): Promise<void> {
    const report = await this.observe();
    if (report.state === 'printing' || report.state === 'preparing') return;
    // On a Giga that is not paused, a resume halts the file and purges filament.
    if (report.state !== 'paused') throw new JobNotRunningError('The printer is not paused.');
    await this.#control('resume', (later) => later.state !== 'paused');
    if (this.report?.state === 'paused') throw new CommandRefusedError('The printer did not resume.');
  }

  stop(identity: JobIdentity): Promise<void> {
    this.#stopping ??= this.#stopOnce(identity).finally(() => {
      this.#stopping = undefined;
    });
    return this.#stopping;
  }

  async trace(order: StartOrder): Promise<JobTrace> {
    const session = this.connected();
    let report = await this.observe();
    if (report.ending === null && !isActive(report.state) && isSameJob(order.identity, report.job)) {
      report = await this.waitForReport((later) => later.ending !== null || isActive(later.state), {
        timeoutMs: this.#timing.historyMs * 2,
        session,
      });
    }
    if (isSameJob(order.identity, report.job)) {
      if (report.ending === null) return { verdict: 'active', report };
      if (report.ending !== 'unknown') {
        return {
          verdict: 'ended',
          ending: report.ending,
          evidence: `The printer shows ${order.identity.fileName} as ${report.ending}.`,
        };
      }
    }
    const record = (await this.#history(session, 100)).find((job) => isSameJob(order.identity, { name: job.fileName }));
    if (record !== undefined) {
      return {
        verdict: 'ended',
        ending: historyEnding(record.status),
        evidence: `The history says "${record.status}" of ${record.fileName}.`,
      };
    }
    if (isSameJob(order.identity, report.job)) {
      return {
        verdict: 'ended',
        ending: 'unknown',
        evidence: `The printer showed ${order.identity.fileName} and runs it no more.`,
      };
    }
    const metadata = await this.#metadata(session, order.identity.fileName);
    if (numberOf(metadata?.print_start_time) !== undefined) {
      return {
        verdict: 'ended',
        ending: 'unknown',
        evidence: 'The file says that it was printed, the history knows nothing of it.',
      };
    }
    return { verdict: 'none', evidence: 'Neither the printer nor its history shows the job.' };
  }

  async forget(identity: JobIdentity): Promise<void> {
    try {
      await this.connected().call(
        'server.files.delete_file',
        { path: `gcodes/${identity.fileName}` },
        this.#timing.answerMs,
      );
    } catch (thrown) {
      this.log('debug', `${identity.fileName} was not removed: ${asError(thrown).message}`);
    }
  }

  async photograph(): Promise<Photo | null> {
    const ending = new AbortController();
    const end = (): void => ending.abort();
    const timer = setTimeout(end, this.#timing.photoMs);
    this.#photographing.add(end);
    try {
      return await takeSnapshot(this.#address, ending.signal);
    } finally {
      clearTimeout(timer);
      this.#photographing.delete(end);
    }
  }

  override close(): Promise<void> {
    for (const end of this.#photographing) end();
    return super.close();
  }

  protected async connect(signal: AbortSignal): Promise<RpcSocket> {
    let session: RpcSocket | undefined;
    session = await RpcSocket.open(
      this.#address,
      (method, params) => {
        if (session !== undefined && (this.session === session || this.session === undefined))
          this.#onNotify(session, method, params);
      },
      signal,
    );
    const abort = (): void => session?.destroy(new PrinterUnavailableError('The connection attempt was given up.'));
    signal.addEventListener('abort', abort, { once: true });
    try {
      await this.#identify(session);
      // A different machine may have answered before.
      this.#configuration = {};
      this.#configFile = undefined;
      this.#identified = false;
      await this.#readHost(session);
      await this.#refresh(session);
      return session;
    } catch (thrown) {
      session.destroy(asError(thrown));
      throw asConnectionError(thrown);
    } finally {
      signal.removeEventListener('abort', abort);
    }
  }

  protected identity(): ToldIdentity {
    const ids = { ...hostIds(this.#system, this.#configFile), ...boardIds(this.#configuration) };
    return { ids, complete: this.#identified };
  }

  protected begin(session: RpcSocket): void {
    const heartbeat = setInterval(() => {
      this.observe().catch((thrown: unknown) => session.destroy(asError(thrown)));
    }, this.#timing.heartbeatMs);
    const poll = setInterval(() => {
      if (!this.#tracker.isReady) this.observe().catch(() => {});
    }, this.#timing.notReadyPollMs);
    session.onEnd(() => {
      clearInterval(heartbeat);
      clearInterval(poll);
      clearTimeout(this.#recheck);
    });
    this.#makeReport(true);
  }

  protected prepareStart(order: StartOrder, session: RpcSocket): () => Promise<PrinterReport> {
    return () => {
      const answer = session.call('printer.print.start', { filename: order.identity.fileName });
      return this.#confirmStart(order, session, answer);
    };
  }

  async #confirmStart(order: StartOrder, session: RpcSocket, answer: Promise<unknown>): Promise<PrinterReport> {
    const until = performance.now() + this.#timing.startAnswerMs;
    let shownUntil = Number.POSITIVE_INFINITY;
    let refusal: MoonrakerError | undefined;
    let failure: Error | undefined;
    answer.then(
      () => {
        shownUntil = performance.now() + this.#timing.shownMs;
      },
      (thrown: unknown) => {
        if (thrown instanceof MoonrakerError && isRefusal(thrown)) refusal = thrown;
        else failure = asError(thrown);
      },
    );
    for (;;) {
      // The printer's answer before this observation; a job that shows nevertheless takes precedence over a refusal.
      const refused = refusal;
      const report = await this.observe();
      if (isShown(report, order)) return report;
      if (refused !== undefined) {
        throw new StartRejectedError(`The printer did not start the job: ${refused.message}`, 'Look at the printer.', {
          cause: refused,
        });
      }
      if (failure !== undefined) throw failure;
      const now = performance.now();
      if (now > Math.min(until, shownUntil)) throw new WaitTimeoutError('The job did not appear.');
      await this.waitForReport((later) => isShown(later, order), { timeoutMs: startPollMs, session }).catch(
        (thrown: unknown) => {
          if (!(thrown instanceof WaitTimeoutError)) throw thrown;
        },
      );
    }
  }

  /** Pause or resume: g-code that runs behind whatever runs now. Never sent twice. */
  async #control(command: 'pause' | 'resume', done: (report: PrinterReport) => boolean): Promise<void> {
    const session = this.connected();
    const effect = this.waitForReport(done, { timeoutMs: this.#timing.controlMs, session });
    effect.catch(() => {});
    const answer = session.call(`printer.print.${command}`).then(async () => {
      await Promise.race([effect.catch(() => {}), pause(this.#timing.shownMs)]);
    });
    try {
      await Promise.race([effect, answer]);
      await this.observe();
    } catch (thrown) {
      if (thrown instanceof MoonrakerError)
        throw new CommandRefusedError(`The printer refused the ${command}: ${thrown.message}`);
      if (thrown instanceof WaitTimeoutError) throw new CommandRefusedError(`The printer did not ${command} in time.`);
      throw thrown;
    }
  }

  async #stopOnce(identity: JobIdentity): Promise<void> {
    const session = this.connected();
    const report = await this.observe();
    if (!isSameJob(identity, report.job))
      throw new JobNotRunningError(`The printer does not run ${identity.fileName}.`);
    if (!isActive(report.state)) return;
    this.#tracker.askedToStop(report.job?.name ?? '');
    const gone = this.waitForReport((later) => !isActive(later.state), { timeoutMs: this.#timing.shownMs, session });
    gone.catch(() => {});
    const answer = session.call('printer.print.cancel');
    answer.catch(() => {});
    // The cancel is g-code that waits for its turn. An answer to a later query on the same connection proves that the
    // printer has received it; the reports show how it ends.
    const taken = session.call('server.info', {}, this.#timing.answerMs).then(() => pause(300));
    try {
      await Promise.race([answer, gone.catch(() => taken), taken]);
    } catch (thrown) {
      if (thrown instanceof MoonrakerError)
        throw new CommandRefusedError(`The printer refused to stop: ${thrown.message}`);
      throw thrown;
    }
  }

  async #identify(session: RpcSocket): Promise<void> {
    const key = this.#settings.apiKey;
    try {
      await session.call(
        'server.connection.identify',
        {
          client_name: 'platewise',
          version: '1',
          type: 'other',
          url: 'https://github.com/platewise/node-red-platewise',
          ...(key === undefined ? {} : { api_key: key }),
        },
        this.#timing.answerMs,
      );
    } catch (thrown) {
      // It only identifies the client, so old versions that do not support it may refuse.
      if (!(thrown instanceof MoonrakerError) || thrown.unauthorized) throw thrown;
    }
  }

  /** Queries everything again. The printer's state is queried last, so that it is the freshest. */
  async #refresh(session: RpcSocket): Promise<void> {
    const info = objectOf(await session.call('server.info', {}, this.#timing.answerMs));
    this.#received = this.stamp();
    const klippy = klippyOf(info);
    const version = textOf(info.moonraker_version);
    if (version !== undefined) this.#firmware = `Moonraker ${version}`;
    const wasReady = this.#tracker.state.klippy === 'ready' && this.session === session;
    this.#tracker.klippyIs(klippy);
    await this.#readHistory(session);
    if (klippy === 'ready') {
      if (!wasReady) {
        await this.#listObjects(session);
        await this.#readConfiguration(session);
        await this.#readConfigFile(session);
        this.#identified = true;
        // Klipper came back on this connection, and reports the ids of its boards only now. Until they are checked it is not ready.
        if (this.session === session) await this.admitted(session);
      }
      await this.#readObjects(session, wasReady ? 'printer.objects.query' : 'printer.objects.subscribe', klippy);
    } else {
      await this.#readKlippyMessage(session);
      // Klipper may still report its objects after a shutdown.
      if (klippy === 'shutdown') await this.#readObjects(session, 'printer.objects.query', klippy);
    }
  }

  /** Queries something that not every version supports; undefined: this one does not. */
  async #askIfTold(session: RpcSocket, method: string, parameters?: JsonObject): Promise<JsonObject | undefined> {
    try {
      return objectOf(await session.call(method, parameters, this.#timing.answerMs));
    } catch (thrown) {
      if (!(thrown instanceof MoonrakerError) || thrown.unauthorized) throw thrown;
      return undefined;
    }
  }

  /**
   * Queries something that belongs to the identity of the machine; undefined: this version does not support it.
   * @throws PrinterUnavailableError it was not answered, so that it is unknown which machine this is
   */
  async #askIdentity(session: RpcSocket, method: string, parameters?: JsonObject): Promise<JsonObject | undefined> {
    try {
      return objectOf(await session.call(method, parameters, this.#timing.answerMs));
    } catch (thrown) {
      if (!(thrown instanceof MoonrakerError) || thrown.unauthorized) throw thrown;
      if (thrown.unsupported) return undefined;
      throw new PrinterUnavailableError(`The printer did not report its identity: ${thrown.message}`, thrown);
    }
  }

  async #readHost(session: RpcSocket): Promise<void> {
    this.#system = objectOf((await this.#askIdentity(session, 'machine.system_info'))?.system_info);
  }

  async #readConfigFile(session: RpcSocket): Promise<void> {
    this.#configFile = textOf((await this.#askIdentity(session, 'printer.info'))?.config_file);
  }

  async #listObjects(session: RpcSocket): Promise<void> {
    const answer = await this.#askIfTold(session, 'printer.objects.list');
    if (answer === undefined) return;
    const names = listOf(answer.objects).filter((name): name is string => typeof name === 'string');
    this.#objectNames = names;
    this.#watched = watchedObjects(names);
  }

  /** Its configuration changes only with a restart. It is large, so it is queried once and not subscribed to. */
  async #readConfiguration(session: RpcSocket): Promise<void> {
    const answer = await this.#askIdentity(session, 'printer.objects.query', { objects: { configfile: ['settings'] } });
    if (answer !== undefined) this.#configuration = usefulSettings(objectOf(objectOf(answer.status).configfile));
  }

  /** Takes over objects and Klipper's state together: the old objects do not apply to a Klipper that came back. */
  async #readObjects(
    session: RpcSocket,
    method: 'printer.objects.query' | 'printer.objects.subscribe',
    klippy: 'ready' | 'shutdown',
  ): Promise<void> {
    try {
      const answer = objectOf(await session.call(method, { objects: this.#watched }, this.#timing.answerMs));
      this.#received = this.stamp();
      this.#tracker.objectsAre(objectOf(answer.status), klippy);
      this.#fetchFacts(session);
    } catch (thrown) {
      if (!(thrown instanceof MoonrakerError) || thrown.unauthorized) throw thrown;
      if (thrown.status === 503 || klippy === 'ready') this.#tracker.klippyIs('disconnected');
    }
  }

  async #readKlippyMessage(session: RpcSocket): Promise<void> {
    const info = await this.#askIfTold(session, 'printer.info');
    if (info !== undefined) this.#tracker.klippySays(textOf(info.state_message) ?? '');
  }

  async #history(session: RpcSocket, limit: number): Promise<HistoryJob[]> {
    try {
      const answer = objectOf(
        await session.call('server.history.list', { limit, order: 'desc' }, this.#timing.answerMs),
      );
      return listOf(answer.jobs).flatMap((job) => readHistoryJob(job) ?? []);
    } catch (thrown) {
      if (!(thrown instanceof MoonrakerError) || thrown.unauthorized) throw thrown;
      return [];
    }
  }

  async #readHistory(session: RpcSocket): Promise<void> {
    const [newest] = await this.#history(session, 1);
    if (newest !== undefined) this.#tracker.newestJobIs(newest);
  }

  #onNotify(session: RpcSocket, method: string, params: unknown[]): void {
    const effect = this.#tracker.notify(method, params);
    if (effect === 'none') return;
    this.#received = this.stamp();
    this.#fetchFacts(session);
    if (this.session !== session) return;
    if (effect === 'ask anew') {
      this.observe().catch((thrown: unknown) => session.destroy(asError(thrown)));
      return;
    }
    if (effect === 'changed, ask') this.observe().catch(() => {});
    this.#makeReport(false);
  }

  /** Fetches the metadata of the running job's file. */
  #fetchFacts(session: RpcSocket): void {
    const name = this.#tracker.activeFile;
    if (name === undefined) return;
    if (this.#facts.name === name) return;
    this.#facts = { name, facts: {} };
    this.#metadata(session, name).then(
      (metadata) => {
        if (this.#facts.name !== name || metadata === undefined) return;
        this.#facts = {
          name,
          facts: {
            startByte: numberOf(metadata.gcode_start_byte),
            endByte: numberOf(metadata.gcode_end_byte),
            estimatedSeconds: numberOf(metadata.estimated_time),
          },
        };
      },
      () => {},
    );
  }

  async #metadata(session: RpcSocket, fileName: string): Promise<JsonObject | undefined> {
    try {
      const answer = await session.call('server.files.metadata', { filename: fileName }, this.#timing.answerMs);
      return isObject(answer) ? answer : undefined;
    } catch (thrown) {
      if (thrown instanceof MoonrakerError) return undefined;
      throw thrown;
    }
  }

  /** Size of a stored file; undefined if there is no such file. */
  async #storedSize(session: RpcSocket, fileName: string): Promise<number | undefined> {
    const size = numberOf((await this.#metadata(session, fileName))?.size);
    if (size !== undefined) return size;
    const files = listOf(await session.call('server.files.list', { root: 'gcodes' }, this.#timing.answerMs));
    const found = files
      .filter(isObject)
      .find((file) => textOf(file.path) === fileName || textOf(file.filename) === fileName);
    return numberOf(found?.size);
  }

  async #freeBytes(session: RpcSocket): Promise<number | undefined> {
    try {
      const answer = objectOf(
        await session.call('server.files.get_directory', { path: 'gcodes' }, this.#timing.answerMs),
      );
      return numberOf(objectOf(answer.disk_usage).free);
    } catch (thrown) {
      if (thrown instanceof MoonrakerError) return undefined;
      throw thrown;
    }
  }

  /** The number of jobs in the printer's own queue: another program uses it. */
  async #queuedJobs(session: RpcSocket): Promise<number> {
    try {
      const status = objectOf(await session.call('server.job_queue.status', {}, this.#timing.answerMs));
      return listOf(status.queued_jobs).length;
    } catch (thrown) {
      if (thrown instanceof MoonrakerError) return 0;
      throw thrown;
    }
  }

  #makeReport(always: boolean): PrinterReport {
    const { objects } = this.#tracker.state;
    const { undecidedForMs, ...mapped } = this.#tracker.at(performance.now());
    if (undecidedForMs !== undefined) {
      clearTimeout(this.#recheck);
      this.#recheck = setTimeout(() => {
        this.session?.guard(() => this.#makeReport(true));
      }, undecidedForMs + 1);
    }
    const faults = mapFaults(this.#tracker.state);
    const facts = this.#facts.name === printFileName(objects) ? this.#facts.facts : {};
    const report: PrinterReport = {
      ...this.#received,
      ...mapped,
      ...(isActive(mapped.state) ? mapProgress(objects, facts) : { progress: null, remainingMinutes: null }),
      ...mapLayers(objects),
      ...mapFilament(objects),
      temperatures: mapTemperatures(objects),
      slots: mapSlots(objects),
      toolHead: mapToolHead(this.#tracker.state, this.#configuration),
      capabilities: mapCapabilities(this.#tracker.state, this.#configuration),
      ...(this.#free === undefined ? {} : { storage: { state: 'present', freeBytes: this.#free } }),
      faults,
      ...(this.#firmware === undefined ? {} : { firmware: this.#firmware }),
    };
    const key = JSON.stringify([report.state, report.job, report.ending, report.message, faults, report.slots]);
    const now = performance.now();
    if (always || key !== this.#publishedKey || now - this.#publishedAt >= publishIntervalMs) {
      this.#publishedKey = key;
      this.#publishedAt = now;
      this.publish(report);
    }
    return report;
  }
}

/** Answers after which the job certainly does not start: Klipper refused it, or the request was invalid. */
function isRefusal(error: MoonrakerError): boolean {
  return error.status === 400 || error.status === 401 || (error.status <= -32600 && error.status >= -32602);
}

/** Whether the printer shows the job as running, or as having run. */
function isShown(report: PrinterReport, order: StartOrder): boolean {
  if (!isSameJob(order.identity, report.job)) return false;
  return isActive(report.state) || (report.ending !== null && report.ending !== 'unknown');
}
