import { asError } from '../model/errors';
import { isActive, type PrinterJob, type PrinterReport } from '../model/printer';
import { type ConnectionState, isSameJob, type JobIdentity } from '../printers/driver';
import { openAttemptOf } from '../store/attempts';
import { notify, type Transaction } from '../store/database';
import {
  firstClearedBedVersion,
  lockPrinter,
  occupyBedByOther,
  type Printer,
  storeLastJob,
  storeReport,
} from '../store/printers';
import { type AgentContext, agentName } from './context';

/** What the printer has shown so far: its job, and how many reports of a running print there were. */
export interface Sight {
  job: PrinterJob | null | undefined;
  active: number;
}

const reportInterval = 1000;
const heartbeatInterval = 5000;

/**
 * Keeps the printer's row true: what it reports, whether it is there, and any sign of a print that is not ours,
 * which occupies the bed. All writing goes through one chain, so that reports are judged in their order.
 */
export class PrinterWatch {
  readonly #context: AgentContext;
  #chain: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #lastStored = 0;
  #lastState: string | undefined;
  #baselineNeeded = true;
  #lastJob: PrinterJob | null | undefined;
  #seen: Sight = { job: undefined, active: 0 };
  #closed = false;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  start(): void {
    const { driver } = this.#context;
    this.#closed = false;
    this.#baselineNeeded = true;
    driver.on('report', this.#onReport);
    driver.on('connection', this.#onConnection);
    this.#timer = setInterval(() => this.#enqueue(() => this.#store(driver.report)), heartbeatInterval);
    this.#enqueue(() => this.#store(undefined));
  }

  /** @param farewell whether the printer's row shall say that nobody serves it; not if another agent does */
  async stop(farewell: boolean): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#context.driver.off('report', this.#onReport);
    this.#context.driver.off('connection', this.#onConnection);
    await this.#chain;
    if (!farewell) return;
    await storeReport(this.#context.database, this.#context.printerId, {
      connected: false,
      problem: 'The agent was stopped.',
      report: undefined,
    }).catch(() => undefined);
  }

  /** What the reports have shown until this moment, judged or not. */
  get seen(): Sight {
    return this.#seen;
  }

  /** Resolves when everything reported so far has been judged. */
  settled(): Promise<void> {
    return this.#chain;
  }

  readonly #onConnection = (state: ConnectionState): void => {
    if (state.status !== 'connected') this.#baselineNeeded = true;
    this.#enqueue(async () => {
      await this.#store(undefined);
      await notify(this.#context.database, 'plan');
    });
  };

  readonly #onReport = (report: PrinterReport): void => {
    this.#seen = { job: report.job, active: this.#seen.active + (isActive(report.state) ? 1 : 0) };
    const changed = report.state !== this.#lastState || !sameRecord(report.job, this.#lastJob);
    const due = performance.now() - this.#lastStored >= reportInterval;
    if (!changed && !due && !this.#baselineNeeded) return;
    this.#lastState = report.state;
    this.#lastStored = performance.now();
    this.#enqueue(async () => {
      await this.#judge(report);
      await this.#store(report);
      if (changed) await notify(this.#context.database, 'plan');
    });
  };

  /**
   * Occupies the bed when the report shows a print that no open attempt of ours accounts for. Only with that the printer's
   * last job is stored: what is known of it must never be newer than what was judged.
   */
  async #judge(report: PrinterReport): Promise<void> {
    const { database, printerId } = this.#context;
    const baseline = this.#baselineNeeded;
    await database.transaction(async (tx) => {
      await this.#occupyIfForeign(tx, report, baseline);
      await storeLastJob(tx, printerId, report.job);
    });
    this.#baselineNeeded = false;
    this.#lastJob = report.job;
  }

  async #occupyIfForeign(tx: Transaction, report: PrinterReport, baseline: boolean): Promise<void> {
    const { printerId, log } = this.#context;
    const attempt = await openAttemptOf(tx, printerId);
    const ours =
      attempt !== undefined &&
      isSameJob({ fileName: attempt.fileName, taskId: attempt.taskId } as JobIdentity, report.job);
    const printer = await lockPrinter(tx, printerId);
    const known = printer.lastJob;
    const active = isActive(report.state);
    let foreign = false;
    if (ours) foreign = false;
    else if (active) foreign = true;
    else if (baseline && printer.firstConnectedAt !== null) {
      // Who remembers no job may have been switched off since, with a part of somebody else's on the bed.
      foreign = report.job === null ? !this.#neverUsed(printer) : !sameRecord(report.job, known);
    } else if (!baseline) foreign = report.job !== null && !sameRecord(report.job, known);
    if (!foreign) return;
    // A printer that forgot its last job tells nothing new about a bed that is occupied anyway.
    if (!active && report.job === null && printer.bedState === 'occupied') return;
    // What is there already because of this very print needs no new version.
    if (printer.bedCause === 'foreign' && (active || baseline) && sameRecord(report.job, known)) return;
    const name = report.job ? `"${report.job.name}"` : 'something that it no longer remembers';
    log('warn', `${printer.name} shows a print that is not ours: ${name}. Its bed counts as occupied.`);
    await occupyBedByOther(tx, printerId, 'foreign', agentName(printerId));
  }

  /** A simulator that has printed nothing yet, neither for us nor for anybody else. */
  #neverUsed(printer: Printer): boolean {
    return this.#context.simulated && printer.bedVersion <= firstClearedBedVersion;
  }

  async #store(report: PrinterReport | undefined): Promise<void> {
    const { database, driver, printerId } = this.#context;
    const connection = driver.connection;
    await storeReport(database, printerId, {
      connected: connection.status === 'connected' && driver.report !== undefined,
      problem: connection.status === 'refused' ? `${connection.error.message} ${connection.error.remedy}` : null,
      report,
    });
  }

  #enqueue(work: () => Promise<void>): void {
    this.#chain = this.#chain.then(async () => {
      if (this.#closed) return;
      try {
        await work();
      } catch (error) {
        this.#context.log('warn', `The state of the printer could not be stored: ${asError(error).message}`);
      }
    });
  }
}

/** Whether two reports name the same job. */
export function sameRecord(a: PrinterJob | null | undefined, b: PrinterJob | null | undefined): boolean {
  if (!a || !b) return !a && !b;
  return a.name === b.name && (a.taskId ?? '') === (b.taskId ?? '');
}
