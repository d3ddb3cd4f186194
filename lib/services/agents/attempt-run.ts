import type { ConditionWatch } from '../../beds/printer-condition';
import { type AgentContext, agentName } from '../../farm/agent-context';
import { recordOutcome } from '../../jobs/record-outcome';
import { settle } from '../../jobs/settle';
import type { FailureClass } from '../../jobs/settlement';
import { showPhase } from '../../jobs/show-phase';
import {
  type JobTrace,
  type PreflightFailure,
  PrinterRefusedError,
  PrinterUnavailableError,
  type PrintFile,
  StartNotSentError,
  type StartOrder,
  StartRejectedError,
  UploadFailedError,
} from '../../makes/driver';
import { mayHaveStarted } from '../../model/attempt';
import { costOf } from '../../model/cost';
import { asError, PlatewiseError } from '../../model/errors';
import type { Job } from '../../model/job';
import { atMost, mostJobHours } from '../../model/limits';
import type { Material } from '../../model/material';
import type { Moment } from '../../model/moments';
import type { Photo } from '../../model/photo';
import type { Ending, PrinterReport } from '../../model/printer';
import { fitJob, fitPrinter } from '../../schedule/fit-subject';
import { type Attempt, advanceAttempt, endAttempt, findAttempt, undoIntent } from '../../store/attempts';
import { DatabaseUnavailableError } from '../../store/database';
import { findFarmPause } from '../../store/farm-pause';
import { amendJob, lockJob } from '../../store/jobs';
import { findMaterial, missingGrams } from '../../store/materials';
import { findPrinter, loadedSlots, lockPrinter, occupyBed, restoreBed } from '../../store/printers';
import type { Transaction } from '../../store/queryable';
import { keepPhoto } from './keep-photo';
import type { Lease } from './lease';
import { misfitsOf } from './misfit';
import { notReady, preflightVerdict } from './preflight-verdict';
import { isPrintFileHere, preparedPrint } from './prepared-print';
import { recognise, verdictOf } from './print-seen';
import type { PrinterWatch } from './printer-watch';
import { ProgressNote } from './progress-note';
import { startRefusal } from './start-check';

/** Minimum interval between queries for traces of a print at a printer (ms). */
const traceInterval = 1000;

/** How many times longer a connected printer may leave these queries unanswered than answer that it has no trace. */
const unansweredPatience = 5;

/**
 * How long an observation stays valid (ms): on a slow network, or after a stall of this process, another client's print must not have time
 * to begin and end before the start is sent.
 */
const observationHoldsMs = 5000;

/** This process has lost the claim: another agent writes the attempt from now on. */
class FencedError extends Error {}

/** Ends a run with the outcome of the attempt. */
class AttemptOver extends Error {
  constructor(
    readonly outcome: 'failed' | 'cancelled' | 'not_started' | 'withdrawn',
    readonly failure: FailureClass,
    message: string,
    /** Whether the job should wait briefly before it is given to this printer again. */
    readonly pause = false,
  ) {
    super(message);
  }
}

/**
 * Drives one claimed attempt to its end, from any phase. Every phase is stored before the action that it names. The start is
 * sent at most once, on a fresh idle observation, and never again after a crash.
 */
export class AttemptRun {
  readonly #context: AgentContext;
  readonly #lease: Lease;
  readonly #actor: string;
  readonly #printerWatch: Pick<PrinterWatch, 'judged' | 'refresh' | 'settled' | 'seen'>;
  readonly #conditions: Pick<ConditionWatch, 'close'>;
  readonly #abort = new AbortController();
  #attempt: Attempt;
  #cancelAsked = false;
  /** Whether this process saw the print run; if not, its duration is unknown. */
  #sawItRun = false;
  #lastProgress = 0;
  /** mm that the printer had counted for this print at its end. */
  #filamentMm: number | null = null;
  #sleeper: (() => void) | undefined;
  /** A wake-up arrived while the run was not sleeping. */
  #woken = false;

  constructor(options: {
    context: AgentContext;
    attempt: Attempt;
    lease: Lease;
    watch: Pick<PrinterWatch, 'judged' | 'refresh' | 'settled' | 'seen'>;
    conditions: Pick<ConditionWatch, 'close'>;
  }) {
    this.#context = options.context;
    this.#attempt = options.attempt;
    this.#lease = options.lease;
    this.#printerWatch = options.watch;
    this.#conditions = options.conditions;
    this.#actor = agentName(options.context.printerId);
    this.#cancelAsked = options.attempt.cancelRequestedAt !== null;
    this.#lease.lost.addEventListener('abort', () => this.stop());
  }

  get attemptId(): string {
    return this.#attempt.id;
  }

  /** Stops the work of this process on the attempt; the attempt itself does not change. */
  stop(): void {
    this.#abort.abort();
    this.#wake();
  }

  /** Reads the row: a cancel was requested, or an operator has answered. */
  async look(): Promise<void> {
    const attempt = await findAttempt(this.#context.database, this.#attempt.id);
    if (!attempt || attempt.phase === 'ended') return this.stop();
    if (attempt.cancelRequestedAt !== null) {
      this.#cancelAsked = true;
      this.#wake();
    }
  }

  /** Runs until the attempt has ended, the claim is lost, or `stop` is called. Never rejects. */
  async run(): Promise<void> {
    if (this.#abort.signal.aborted) return;
    try {
      await this.#go();
    } catch (error) {
      if (error instanceof FencedError || this.#abort.signal.aborted) return;
      const { log } = this.#context;
      log('error', `The attempt ${this.#attempt.id} stopped in phase ${this.#attempt.phase}: ${asError(error).stack}`);
      if (error instanceof DatabaseUnavailableError) return;
      await this.#failUnexpectedly(asError(error)).catch((thrown: unknown) => {
        if (!(thrown instanceof FencedError)) log('error', asError(thrown).message);
      });
    }
  }

  /** An unexpected error would recur in the next run, so the attempt ends, or an operator is asked for its outcome. */
  async #failUnexpectedly({ message }: Error): Promise<void> {
    // The transaction that failed may have changed this copy of the row.
    const stored = await findAttempt(this.#context.database, this.#attempt.id);
    if (!stored || stored.phase === 'ended') return;
    this.#attempt = stored;
    if (!mayHaveStarted(stored.phase)) {
      await this.#end('not_started', `an unexpected error: ${message}`, 'transient');
    } else {
      await this.#ask(`the print could not be followed to its end: ${message}`);
    }
  }

  async #go(): Promise<void> {
    try {
      if (
        this.#attempt.phase === 'printing' ||
        this.#attempt.phase === 'starting' ||
        this.#attempt.phase === 'outcome_unknown'
      ) {
        await this.#watch(this.#order('watch'));
        return;
      }
      // The cancel was requested during a start, by a process that is gone now.
      if (this.#cancelAsked) throw new AttemptOver('cancelled', 'transient', 'cancelled before it was started');
      const order = await this.#prepare();
      await this.#upload(order);
      await this.#start(order);
      await this.#watch(order);
    } catch (error) {
      if (!(error instanceof AttemptOver)) throw error;
      await this.#end(error.outcome, error.message, error.failure, error.pause);
    }
  }

  // ---- preparing ----------------------------------------------------------------------------------------------

  /** Slices the file, or takes over what an earlier run sliced for this attempt. */
  async #prepare(): Promise<StartOrder> {
    if (await this.#hasPrintFile()) return this.#order();
    const { database, log } = this.#context;
    await this.#advance(['claimed', 'preparing', 'uploading'], 'preparing');
    const { job, material } = await this.#jobAndMaterial();
    const printer = await findPrinter(database, this.#context.printerId);
    await this.#refuseMisfit(job, material, printer.report);
    let made: Awaited<ReturnType<typeof preparedPrint>>;
    const shown = new ProgressNote((text) => this.#note(text));
    try {
      const progress = (fraction: number) => shown.tell(fraction);
      made = await preparedPrint(this.#context, job, material, printer, this.#attempt.tool, {
        signal: this.#abort.signal,
        progress,
      });
    } catch (error) {
      if (this.#abort.signal.aborted) throw error;
      const failure: FailureClass = error instanceof PlatewiseError && !error.retryable ? 'permanent' : 'transient';
      throw new AttemptOver('not_started', failure, `could not be prepared: ${words(error)}`);
    } finally {
      await shown.settled();
    }
    const { print } = made;
    for (const warning of print.warnings) log('info', `${job.jobName}: ${warning}`);
    const hours = print.estimatedSeconds / 3600;
    const cost = costOf({
      grams: print.filamentGrams,
      material,
      hours,
      printer: printer.capabilities,
      startedAt: Date.now(),
      tariff: this.#context.tariff,
    });
    await this.#transaction(async (tx) => {
      await this.#advanceIn(tx, ['preparing'], 'preparing', {
        gcodeSha256: print.gcodeSha256,
        gcodeMd5: print.gcodeMd5,
        gcodeSize: print.gcodeSize,
        gcodeLines: print.gcodeLines,
        estimatedSeconds: print.estimatedSeconds,
        estimatedGrams: print.filamentGrams,
        layers: print.layers,
      });
      await amendJob(tx, job.id, {
        gcodePath: this.#context.files.pathOf(print.gcodeSha256, print.extension),
        estimatedGrams: print.filamentGrams,
        estimatedDurationHours: atMost(mostJobHours, hours),
        estimatedCostUsd: cost.totalUsd,
      });
    });
    const short = await missingGrams(database, this.#attempt.id);
    if (short > 0) {
      const what = `the spool has ${Math.ceil(short)} g too little for the ${Math.ceil(print.filamentGrams)} g of this print`;
      throw new AttemptOver('not_started', 'transient', what);
    }
    return this.#order();
  }

  /** Whether an earlier run has prepared the print file, and this machine has it or can fetch it. */
  async #hasPrintFile(): Promise<boolean> {
    const { gcodeSha256: sha256 } = this.#attempt;
    return sha256 !== null && (await isPrintFileHere(this.#context, { sha256, extension: this.#printFileExtension }));
  }

  /**
   * Checks the fit a last time before anything is sent, against what the printer reports now. A job that no longer fits returns to the
   * queue untouched: the plan applies the same checks, and gives it to another printer or shows what it waits for.
   */
  async #refuseMisfit(job: Job, material: Material, report: PrinterReport | null): Promise<void> {
    const { database, printerId } = this.#context;
    const place = fitPrinter(await findPrinter(database, printerId), await loadedSlots(database), report);
    const reasons = misfitsOf(fitJob(job, material), place, this.#attempt, job.fileFacts !== null);
    if (reasons.length === 0) return;
    // The scheduler must see the same state before it decides again.
    await this.#printerWatch.refresh();
    throw new AttemptOver('withdrawn', 'transient', reasons.join('; '), true);
  }

  async #jobMaterialAndReport(): Promise<[Job, Material, PrinterReport | null]> {
    const { job, material } = await this.#jobAndMaterial();
    return [job, material, this.#context.driver.report ?? null];
  }

  /** Shows the progress of the slicer; cosmetic only. */
  async #note(text: string): Promise<void> {
    await this.#transaction(async (tx) => {
      const job = await lockJob(tx, this.#attempt.jobId);
      if (job.status === 'slicing') await amendJob(tx, job.id, { statusReason: text });
    });
  }

  get #printFileExtension(): '.gcode.3mf' | '.gcode' {
    return this.#attempt.fileName.endsWith('.3mf') ? '.gcode.3mf' : '.gcode';
  }

  /**
   * Builds the order for the driver from the attempt's row and the file store.
   * @param purpose watching needs no file: the attempt of a restored database may lack one
   */
  #order(purpose: 'start' | 'watch' = 'start'): StartOrder {
    const attempt = this.#attempt;
    const { gcodeSha256: sha256, gcodeMd5: md5, gcodeSize: size } = attempt;
    const known = sha256 !== null && md5 !== null && size !== null;
    if (!known && purpose === 'start') throw new Error(`The attempt ${attempt.id} has no print file.`);
    const file: PrintFile = {
      path: known ? this.#context.files.pathOf(sha256, this.#printFileExtension) : '',
      size: size ?? 0,
      sha256: sha256 ?? '',
      md5: md5 ?? '',
      lines: attempt.gcodeLines ?? 0,
      estimatedSeconds: attempt.estimatedSeconds,
    };
    const identity = {
      attemptId: attempt.id,
      fileName: attempt.fileName,
      taskId: attempt.taskId,
      sha256: file.sha256,
      md5: file.md5,
    };
    return { identity, file, slots: [attempt.slot], tool: attempt.tool, plate: attempt.plate };
  }

  // ---- uploading ----------------------------------------------------------------------------------------------

  async #upload(order: StartOrder): Promise<void> {
    const { driver, times } = this.#context;
    await this.#advance(['preparing', 'uploading'], 'uploading');
    const end = performance.now() + times.connectSeconds * 1000;
    while (driver.connection.status !== 'connected' || driver.report === undefined) {
      if (driver.connection.status === 'refused')
        throw new AttemptOver('withdrawn', 'transient', words(driver.connection.error), true);
      if (performance.now() > end) throw new AttemptOver('withdrawn', 'transient', 'the printer is offline', true);
      await this.#sleep(Math.min(250, times.askAgainSeconds * 1000));
    }
    await this.#refuseMisfit(...(await this.#jobMaterialAndReport()));
    try {
      const failures = await driver.preflight(order);
      const verdict = preflightVerdict(failures);
      if (verdict?.what === 'close') throw await this.#closed(order, verdict.because);
      // Another slot may fit, or a later moment: the job waits briefly, and moves to another printer if it can.
      if (verdict?.what === 'withdraw') throw new AttemptOver('withdrawn', 'transient', notReady(failures), true);
      if (verdict) throw new AttemptOver('not_started', 'transient', notReady(failures));
      this.#passing('upload:before');
      await driver.upload(order, { signal: this.#abort.signal, progress: () => undefined });
      this.#passing('upload:after');
    } catch (error) {
      if (error instanceof AttemptOver || error instanceof DatabaseUnavailableError || this.#abort.signal.aborted)
        throw error;
      const condition = conditionBy(error);
      if (condition) throw await this.#closed(order, [condition]);
      const why = `the upload failed: ${words(error)}`;
      if (error instanceof PrinterUnavailableError) throw new AttemptOver('withdrawn', 'transient', why, true);
      throw new AttemptOver('not_started', 'transient', why);
    }
  }

  /** The printer would refuse any job, so this one loses no try, and the printer accepts none until the condition is over. */
  async #closed(order: StartOrder, failures: readonly PreflightFailure[]): Promise<AttemptOver> {
    await this.#conditions.close(order, failures);
    return new AttemptOver('withdrawn', 'transient', notReady(failures));
  }

  // ---- starting -----------------------------------------------------------------------------------------------

  /** Commits the intent, then sends the start at most once. Returns when the printer shows the print, or must be queried. */
  async #start(order: StartOrder): Promise<void> {
    const { driver, times } = this.#context;
    // The intent depends on the state of the bed, which must reflect every report up to now.
    await this.#printerWatch.refresh();
    if (!this.#printerWatch.judged)
      throw new AttemptOver('withdrawn', 'transient', 'the last report of the printer could not be stored', true);
    const before = this.#printerWatch.seen;
    const intended = performance.now();
    this.#passing('starting:before');
    let material: Material | undefined;
    let noted: () => Promise<void>;
    try {
      [material, noted] = await this.#transaction(async (tx) => {
        const { materialId } = await lockJob(tx, this.#attempt.jobId);
        const printer = await lockPrinter(tx, this.#context.printerId);
        if (await findFarmPause(tx)) throw new AttemptOver('withdrawn', 'transient', 'the farm is paused');
        if (printer.bedState !== 'clear')
          throw new AttemptOver('withdrawn', 'transient', 'the bed became occupied', true);
        await this.#advanceIn(tx, ['uploading'], 'starting');
        await occupyBed(tx, printer.id, this.#attempt.id, this.#actor);
        const wanted = await findMaterial(tx, materialId);
        return [wanted, await this.#context.remember(tx)] as const;
      });
    } catch (error) {
      // Whether the intent was stored may be unknown, but certainly nothing was sent.
      if (error instanceof DatabaseUnavailableError) await this.#takeBack();
      throw error;
    }
    const committed = performance.now();
    this.#passing('starting:after');
    await noted().catch(async (error: unknown) => {
      // Without this note a restored database could not be detected, so nothing may be sent.
      await this.#takeBack();
      throw new AttemptOver('withdrawn', 'transient', `the start could not be noted on disk: ${words(error)}`, true);
    });
    let sent = false;
    try {
      await driver.start(order, {
        notAfter: intended + times.startCommandSeconds * 1000,
        observedWithin: observationHoldsMs,
        check: (report) => {
          const refusal = startRefusal({
            report,
            intendedAt: committed,
            identity: order.identity,
            slot: this.#attempt.slot,
            materialType: material?.type,
            before,
            now: this.#printerWatch.seen,
            leaseHeld: this.#lease.held,
            cancelled: this.#cancelAsked || this.#abort.signal.aborted,
          });
          if (refusal !== null) throw new StartNotSentError(refusal);
          this.#passing('start:before');
        },
        sent: () => {
          sent = true;
          // The write follows in this same turn of the event loop.
          setImmediate(() => this.#passing('start:written'));
        },
      });
      this.#passing('start:after');
      await this.#nowPrinting();
    } catch (error) {
      if (error instanceof FencedError) throw error;
      if (!sent || error instanceof StartRejectedError) {
        await this.#takeBack();
        // Shutting down: the attempt stays as it is, and the next agent continues it.
        if (this.#abort.signal.aborted) throw error;
        const condition = conditionBy(error);
        if (condition && !this.#cancelAsked) throw await this.#closed(order, [condition]);
        const remedy = error instanceof StartRejectedError ? ` ${error.remedy}` : '';
        // The printer or the moment prevented the start, not the job, so it costs no retry.
        const ofPrinter = error instanceof StartNotSentError || error instanceof PrinterUnavailableError;
        const outcome = this.#cancelAsked ? 'cancelled' : ofPrinter ? 'withdrawn' : 'not_started';
        throw new AttemptOver(outcome, 'transient', `the start was not made: ${asError(error).message}${remedy}`, true);
      }
      if (this.#abort.signal.aborted) throw error;
      // The printer is queried for as long as its reports can lag behind; only then is an operator asked.
      this.#context.log('warn', `The start of attempt ${this.#attempt.id} was sent, but ${asError(error).message}`);
    }
  }

  /** Reverts the intent: nothing was sent, so the bed is unchanged. Retries until the database has stored it. */
  async #takeBack(): Promise<void> {
    this.#passing('undo:before');
    await this.#persist(async (tx) => {
      await lockJob(tx, this.#attempt.jobId);
      const undone = await undoIntent(tx, this.#lease.claim);
      if (!undone) return;
      this.#attempt = undone;
      await restoreBed(tx, await lockPrinter(tx, this.#context.printerId), undone.id, this.#actor);
    });
    this.#passing('undo:after');
  }

  async #nowPrinting(): Promise<void> {
    this.#sawItRun = true;
    this.#passing('printing:before');
    await this.#persist((tx) => this.#advanceIn(tx, ['starting', 'outcome_unknown', 'printing'], 'printing'));
    this.#passing('printing:after');
  }

  async #outcomeUnknown(why: string): Promise<void> {
    this.#passing('outcome_unknown:before');
    await this.#persist(async (tx) => {
      const job = await lockJob(tx, this.#attempt.jobId);
      const advanced = await advanceAttempt(
        tx,
        this.#lease.claim,
        ['starting', 'printing', 'outcome_unknown'],
        'outcome_unknown',
        {
          reason: why,
        },
      );
      if (!advanced) throw new FencedError();
      this.#attempt = advanced;
      const question = `outcome_unknown: ${why.replace(/\.$/, '')}. Look at the printer and answer whether it printed.`;
      if (job.statusReason !== question) await amendJob(tx, job.id, { statusReason: question });
    });
    this.#passing('outcome_unknown:after');
    this.#context.log('warn', `It is unknown whether attempt ${this.#attempt.id} printed: ${why}.`);
  }

  // ---- watching -----------------------------------------------------------------------------------------------

  /** Follows the print to its end, through cancels, reconnects and times without a trace of it. */
  async #watch(order: StartOrder): Promise<void> {
    const { driver, times } = this.#context;
    const lookForMs = times.lookForJobSeconds * 1000;
    const patience = { none: lookForMs, unanswered: lookForMs * unansweredPatience };
    let lookedSince: number | undefined;
    let unansweredSince: number | undefined;
    let stopSentAt = Number.NEGATIVE_INFINITY;
    let tracedAt = Number.NEGATIVE_INFINITY;
    const onChange = (): void => this.#wake();
    driver.on('report', onChange);
    driver.on('connection', onChange);
    try {
      while (!this.#abort.signal.aborted) {
        const report = this.#isConnected ? driver.report : undefined;
        if (!report) {
          lookedSince = undefined;
          unansweredSince = undefined;
        } else {
          const seen = recognise(order.identity, report);
          if (seen === 'active') {
            lookedSince = undefined;
            if (this.#attempt.phase !== 'printing') await this.#nowPrinting();
            this.#sawItRun = true;
            this.#lastProgress = Math.max(this.#lastProgress, report.progress ?? 0);
            if (this.#cancelAsked && performance.now() - stopSentAt > times.askAgainSeconds * 1000) {
              stopSentAt = performance.now();
              await this.#sendStop(order);
            }
          } else if (seen === 'ended') {
            // A count from some time before the end does not cover the whole print.
            this.#filamentMm = report.filamentMm ?? null;
            if (await this.#ended(report.ending, report.message)) return;
          } else if (performance.now() - tracedAt > traceInterval) {
            tracedAt = performance.now();
            const trace = await this.#trace(order);
            const now = performance.now();
            // Without its connection the printer could not answer.
            if (trace.verdict === 'unanswered' && this.#isConnected) unansweredSince ??= tracedAt;
            else unansweredSince = undefined;
            if (trace.verdict === 'active') {
              lookedSince = undefined;
              if (this.#attempt.phase !== 'printing') await this.#nowPrinting();
            } else if (trace.verdict === 'ended') {
              if (await this.#ended(trace.ending, trace.evidence)) return;
            } else {
              // Reports of a print that has just begun or just ended can lag behind, and answers can be late.
              if (trace.verdict === 'none') lookedSince ??= now;
              const since = trace.verdict === 'none' ? lookedSince : unansweredSince;
              if (since !== undefined && now - since > patience[trace.verdict])
                await this.#ask(`the printer shows no trace of the print (${trace.evidence})`);
            }
          }
        }
        await this.#sleep(times.askAgainSeconds * 1000);
      }
    } finally {
      driver.off('report', onChange);
      driver.off('connection', onChange);
    }
  }

  get #isConnected(): boolean {
    return this.#context.driver.connection.status === 'connected';
  }

  /** Calls `trace` of the driver; `unanswered`: it failed. */
  async #trace(order: StartOrder): Promise<JobTrace | { verdict: 'unanswered'; evidence: string }> {
    try {
      return await this.#context.driver.trace(order);
    } catch (error) {
      return { verdict: 'unanswered', evidence: asError(error).message };
    }
  }

  async #sendStop(order: StartOrder): Promise<void> {
    try {
      await this.#context.driver.stop(order.identity);
    } catch (error) {
      if (!(error instanceof PrinterUnavailableError)) {
        this.#context.log('warn', `The printer did not accept the stop: ${asError(error).message}`);
      }
    }
  }

  /** Ends the attempt as the printer reports. Returns false if it does not report how the print ended. An operator is asked then. */
  async #ended(ending: Ending | null, message: string | undefined): Promise<boolean> {
    // The watch must judge every report of this print while the attempt is still open.
    await this.#printerWatch.settled();
    const { outcome, reason, failure } = verdictOf(ending, message, this.#cancelAsked);
    if (outcome === 'unknown') await this.#ask(reason);
    else await this.#end(outcome, reason, failure);
    return outcome !== 'unknown';
  }

  /** Asks an operator for the outcome, unless that has happened already. */
  async #ask(why: string): Promise<void> {
    if (this.#attempt.phase !== 'outcome_unknown') await this.#outcomeUnknown(why);
  }

  // ---- ending -------------------------------------------------------------------------------------------------

  /** Ends the attempt, records its consumption, and settles the job. */
  async #end(
    outcome: 'completed' | 'failed' | 'cancelled' | 'not_started' | 'withdrawn',
    reason: string,
    failure?: FailureClass,
    pause = false,
  ): Promise<void> {
    const { log } = this.#context;
    // Taken while the outcome is written, which does not depend on it.
    const photo = this.#sawItRun && (outcome === 'completed' || outcome === 'failed') ? this.#photograph() : null;
    this.#passing('ended:before');
    await this.#persist(async (tx) => {
      let job = await lockJob(tx, this.#attempt.jobId);
      const started = this.#attempt.startIntentAt !== null && outcome !== 'not_started' && outcome !== 'withdrawn';
      if (started && this.#attempt.phase !== 'printing') {
        // The print ended before it was seen running: its history records that it printed.
        job = await this.#advanceIn(tx, ['starting', 'outcome_unknown'], 'printing');
      }
      const ended = await endAttempt(tx, this.#lease.claim, outcome, reason);
      if (!ended) throw new FencedError();
      const record = started
        ? await recordOutcome(tx, job, {
            attempt: ended,
            outcome: outcome as 'completed' | 'failed' | 'cancelled',
            reason,
            timeScale: this.#context.driver.report?.timeScale ?? 1,
            sawItRun: this.#sawItRun,
            lastProgress: this.#lastProgress,
            filamentMm: this.#filamentMm,
            tariff: this.#context.tariff,
            lowStockGrams: this.#context.lowStockGrams,
            actor: this.#actor,
          })
        : {};
      await settle(tx, job, {
        attempt: ended,
        outcome,
        reason,
        actor: this.#actor,
        pause,
        ...(failure !== undefined && { failure }),
        retryPolicy: this.#context.retryPolicy,
        ...record,
      });
      this.#attempt = ended;
    });
    this.#passing('ended:after');
    log(outcome === 'completed' ? 'info' : 'warn', `Attempt ${this.#attempt.id} ended: ${outcome}, ${reason}.`);
    await this.#keep(await photo);
    if (this.#attempt.gcodeSha256 !== null) {
      await this.#context.driver.forget(this.#order().identity).catch(() => undefined);
    }
  }

  /** Takes a photo with the camera of the printer, if it has one. The photo is optional: never rejects. */
  async #photograph(): Promise<Photo | null> {
    try {
      return (await this.#context.driver.photograph?.()) ?? null;
    } catch (error) {
      this.#context.log('warn', `No photo was taken at the end of attempt ${this.#attempt.id}: ${words(error)}`);
      return null;
    }
  }

  /** Stores a photo with the outcome, which does not depend on it. Never rejects. */
  async #keep(photo: Photo | null): Promise<void> {
    if (photo === null) return;
    try {
      await keepPhoto(this.#context, this.#lease.claim, photo);
    } catch (error) {
      this.#context.log('warn', `The photo of attempt ${this.#attempt.id} was not stored: ${words(error)}`);
    }
  }

  // ---- the database -------------------------------------------------------------------------------------------

  async #jobAndMaterial(): Promise<{ job: Job; material: Material }> {
    const { job, material } = await this.#context.database.transaction(async (tx) => {
      const found = await lockJob(tx, this.#attempt.jobId);
      return { job: found, material: await findMaterial(tx, found.materialId) };
    });
    if (!material) throw new AttemptOver('not_started', 'permanent', `the material ${job.materialId} is gone`);
    return { job, material };
  }

  async #advance(from: Parameters<typeof advanceAttempt>[2], to: 'preparing' | 'uploading'): Promise<void> {
    this.#passing(`${to}:before`);
    await this.#transaction((tx) => this.#advanceIn(tx, from, to));
    this.#passing(`${to}:after`);
  }

  /** Advances the attempt and, with it, the status of its job. */
  async #advanceIn(
    tx: Transaction,
    from: Parameters<typeof advanceAttempt>[2],
    to: Parameters<typeof advanceAttempt>[3],
    facts: Parameters<typeof advanceAttempt>[4] = {},
  ): Promise<Job> {
    const job = await lockJob(tx, this.#attempt.jobId);
    const advanced = await advanceAttempt(tx, this.#lease.claim, from, to, facts);
    if (!advanced) throw new FencedError();
    this.#attempt = advanced;
    return showPhase(tx, job, advanced, this.#actor);
  }

  #transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    return this.#context.database.transaction(work);
  }

  /** Runs a transaction that outlasts an outage of the database: it is retried until it succeeds. */
  async #persist<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    for (;;) {
      try {
        return await this.#transaction(work);
      } catch (error) {
        if (!(error instanceof DatabaseUnavailableError) || this.#abort.signal.aborted) throw error;
        this.#context.log('warn', error.message);
        await this.#sleep(1000);
      }
    }
  }

  #passing(moment: Moment): void {
    this.#context.passing(moment, this.#attempt.id);
  }

  #wake(): void {
    this.#woken = true;
    this.#sleeper?.();
  }

  /** Sleeps until woken, for at most `limit` ms. */
  async #sleep(limit: number): Promise<void> {
    if (!this.#woken && !this.#abort.signal.aborted) {
      await new Promise<void>((resolve) => {
        const timer = setTimeout(resolve, limit);
        this.#sleeper = () => {
          clearTimeout(timer);
          resolve();
        };
      });
      this.#sleeper = undefined;
    }
    this.#woken = false;
  }
}

/** Returns the condition of the printer that an error reveals, if the printer would refuse any job for it. */
function conditionBy(error: unknown): PreflightFailure | undefined {
  if (error instanceof PrinterRefusedError)
    return { check: 'access', whose: 'printer', message: error.message, remedy: error.remedy };
  if (error instanceof UploadFailedError && error.whose === 'printer')
    return { check: 'storage', whose: 'printer', message: error.message, remedy: error.remedy };
  return undefined;
}

function words(error: unknown): string {
  if (error instanceof PlatewiseError || error instanceof PrinterRefusedError)
    return `${error.message} ${error.remedy}`;
  return asError(error).message;
}
