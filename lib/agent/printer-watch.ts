import { asError } from '../model/errors';
import { isActive, type PrinterJob, type PrinterReport } from '../model/printer';
import { type ConnectionState, isSameJob, type JobIdentity, WrongMachineError } from '../printers/driver';
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
import { admitMachine } from './admit-machine';
import { judgeBed } from './bed-judgement';
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
  /** The last report that was judged and stored. */
  #storedReport: PrinterReport | undefined;
  #seen: Sight = { job: undefined, active: 0 };
  #closed = false;

  constructor(context: AgentContext) {
    this.#context = context;
  }

  start(): void {
    const { driver } = this.#context;
    this.#closed = false;
    this.#baselineNeeded = true;
    driver.admit((identity) => admitMachine(this.#context, identity));
    driver.on('report', this.#onReport);
    driver.on('connection', this.#onConnection);
    this.#timer = setInterval(() => this.#enqueue(() => this.#beat()), heartbeatInterval);
    this.#enqueue(() => this.#store());
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
      await this.#store();
      await notify(this.#context.database, 'plan');
    });
  };

  readonly #onReport = (report: PrinterReport): void => {
    this.#seen = { job: report.job, active: this.#seen.active + (isActive(report.state) ? 1 : 0) };
    const changed = report.state !== this.#lastState || !sameWords(report.job, this.#lastJob);
    const due = performance.now() - this.#lastStored >= reportInterval;
    if (!changed && !due && !this.#baselineNeeded) return;
    this.#lastState = report.state;
    this.#lastStored = performance.now();
    this.#enqueue(async () => {
      await this.#judge(report);
      if (changed) await notify(this.#context.database, 'plan');
    });
  };

  /**
   * Stores a report together with what it says of the bed: what is known of the printer must never be newer than what was
   * judged of it. Whoever clears the bed decides under the lock of the printer's row, on the newest of both.
   */
  async #judge(report: PrinterReport): Promise<void> {
    const { database, printerId } = this.#context;
    const afterGap = this.#baselineNeeded;
    await database.transaction(async (tx) => {
      await this.#judgeBed(tx, report, afterGap);
      await storeLastJob(tx, printerId, report.job);
      await storeReport(tx, printerId, this.#state(report));
    });
    this.#baselineNeeded = false;
    this.#lastJob = report.job;
    this.#storedReport = report;
  }

  async #judgeBed(tx: Transaction, report: PrinterReport, afterGap: boolean): Promise<void> {
    const { printerId, log } = this.#context;
    const attempt = await openAttemptOf(tx, printerId);
    const identity = attempt && ({ fileName: attempt.fileName, taskId: attempt.taskId } as JobIdentity);
    const printer = await lockPrinter(tx, printerId);
    const cause = judgeBed({
      report,
      ours: identity !== undefined && isSameJob(identity, report.job),
      known: printer.lastJob,
      bed: { state: printer.bedState, cause: printer.bedCause },
      afterGap,
      gapSeconds: this.#gapSeconds(printer, report),
      firstContact: printer.firstConnectedAt === null,
      neverUsed: this.#neverUsed(printer),
    });
    if (cause === null) return;
    const name = report.job ? `"${report.job.name}"` : 'nothing that it remembers';
    log(
      'warn',
      cause === 'foreign'
        ? `${printer.name} shows a print that is not ours: ${name}. Its bed counts as occupied.`
        : `${printer.name} shows ${name} after a time without a report; whether something was printed meanwhile cannot be told. Its bed counts as occupied.`,
    );
    await occupyBedByOther(tx, printerId, cause, agentName(printerId));
  }

  /** For how long the printer was out of sight, by its own clock; of two clocks the one that says longer. */
  #gapSeconds(printer: Printer, report: PrinterReport): number {
    const byDatabase = printer.reportAgeSeconds ?? Number.POSITIVE_INFINITY;
    const mine = this.#storedReport;
    const byProcess = mine === undefined ? 0 : (report.receivedAt - mine.receivedAt) / 1000;
    // A clock that was set back tells nothing.
    const gap = byDatabase < 0 ? Number.POSITIVE_INFINITY : Math.max(byDatabase, byProcess);
    return gap * report.timeScale;
  }

  /** A simulator that has printed nothing yet, neither for us nor for anybody else. */
  #neverUsed(printer: Printer): boolean {
    return this.#context.simulated && printer.bedVersion <= firstClearedBedVersion;
  }

  /** A report that nothing has followed is stored all the same, once. */
  #beat(): Promise<void> {
    const { connection, report } = this.#context.driver;
    const news = connection.status === 'connected' && report !== undefined && report !== this.#storedReport;
    return news ? this.#judge(report) : this.#store();
  }

  /** Stores whether the printer is there. What it reports is stored only with its judgement. */
  async #store(): Promise<void> {
    const { database, printerId } = this.#context;
    await storeReport(database, printerId, this.#state(undefined));
  }

  #state(report: PrinterReport | undefined): Parameters<typeof storeReport>[2] {
    const { connection, report: latest } = this.#context.driver;
    const refused = connection.status === 'refused' ? connection.error : undefined;
    return {
      connected: connection.status === 'connected' && latest !== undefined,
      problem: refused === undefined ? null : `${refused.message} ${refused.remedy}`,
      ...(refused instanceof WrongMachineError ? { stranger: refused.found } : {}),
      report,
    };
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

/** Whether two reports name the same job in the same words. */
const sameWords = (a: PrinterJob | null | undefined, b: PrinterJob | null | undefined): boolean =>
  a?.name === b?.name && a?.taskId === b?.taskId && a?.recordId === b?.recordId;
