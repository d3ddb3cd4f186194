import { admitMachine } from '../../beds/admit-machine';
import { AttentionJudge } from '../../beds/attention';
import { hasEnded, judgeBed } from '../../beds/bed-judgement';
import { type AgentContext, agentName } from '../../farm/agent-context';
import { type ConnectionState, isSameJob, WrongMachineError } from '../../makes/driver';
import { asError } from '../../model/errors';
import { isActive, type PrinterJob, type PrinterReport } from '../../model/printer';
import { type Attempt, noteProgress, openAttemptOf } from '../../store/attempts';
import { notify } from '../../store/database';
import { amendJob, lockJob } from '../../store/jobs';
import {
  countBed,
  firstClearedBedVersion,
  lockPrinter,
  occupyBedByOther,
  type Printer,
  storeReport,
  storeTrouble,
} from '../../store/printers';
import type { Transaction } from '../../store/queryable';
import { gapSeconds, hasCome } from './print-seen';
import type { Sight } from './start-check';

const reportInterval = 1000;
const heartbeatInterval = 5000;

/**
 * Keeps the printer's row up to date: its reports, whether it is online, and any sign of a foreign print, which occupies the bed.
 * All writes are serialised, so that reports are judged in their order.
 */
export class PrinterWatch {
  readonly #context: AgentContext;
  #chain: Promise<void> = Promise.resolve();
  #timer: NodeJS.Timeout | undefined;
  #lastStored = 0;
  #lastState: string | undefined;
  /** Grows with each end of a connection: reports of one connection prove nothing about the time before the next. */
  #connectionNumber = 1;
  /** The connection of the last judged report. */
  #judgedConnection = 0;
  #lastJob: PrinterJob | null | undefined;
  /** The attempt whose job that report shows. */
  #ours: Attempt | undefined;
  /** The last report that was judged and stored. */
  #storedReport: PrinterReport | undefined;
  #seen: Sight = { job: undefined, active: 0 };
  /** How many active reports had been received when the last judged one came. */
  #judgedActive = 0;
  /** False after a failed judgement. */
  #judged = true;
  #closed = false;
  readonly #attention: AttentionJudge;
  /** The last published attention; undefined: the database's value is unknown. */
  #published: string | null | undefined;

  constructor(context: AgentContext) {
    this.#context = context;
    this.#attention = new AttentionJudge(context.times.standstillMinutes);
  }

  start(): void {
    const { driver } = this.#context;
    this.#closed = false;
    this.#published = undefined;
    this.#connectionNumber++;
    this.#judgedActive = this.#seen.active;
    this.#judged = true;
    driver.admit((identity) => admitMachine(this.#context, identity));
    driver.on('report', this.#onReport);
    driver.on('connection', this.#onConnection);
    this.#timer = setInterval(() => this.#enqueue(() => this.#beat()), heartbeatInterval);
    this.#enqueue(() => this.#store());
  }

  /** @param farewell whether the printer's row records that no agent serves it; false if another agent does */
  async stop(farewell: boolean): Promise<void> {
    this.#closed = true;
    clearInterval(this.#timer);
    this.#context.driver.off('report', this.#onReport);
    this.#context.driver.off('connection', this.#onConnection);
    await this.#chain;
    if (!farewell) return;
    await storeReport(this.#context.database, this.#context.printerId, {
      connected: false,
      problem: 'No agent serves it: its node is disabled, removed, or being deployed.',
      report: undefined,
    }).catch(() => undefined);
  }

  /** What the reports have shown up to now, judged or not. */
  get seen(): Sight {
    return this.#seen;
  }

  /** Whether the state of the bed reflects all reports; false after a judgement that could not be stored. */
  get judged(): boolean {
    return this.#judged;
  }

  /** Judges and stores the printer's current report, unless that has happened already. */
  refresh(): Promise<void> {
    this.#enqueue(() => this.#beat());
    return this.#chain;
  }

  /** Resolves when all reports received so far have been judged. */
  settled(): Promise<void> {
    return this.#chain;
  }

  readonly #onConnection = (state: ConnectionState): void => {
    if (state.status !== 'connected') this.#connectionNumber++;
    this.#enqueue(async () => {
      await this.#store();
      await notify(this.#context.database, 'plan');
    });
  };

  readonly #onReport = (report: PrinterReport): void => {
    this.#seen = { job: report.job, active: this.#seen.active + (isActive(report.state) ? 1 : 0) };
    const changed = report.state !== this.#lastState || !sameWords(report.job, this.#lastJob);
    const due = performance.now() - this.#lastStored >= reportInterval;
    const connection = this.#connectionNumber;
    const { active } = this.#seen;
    if (!changed && !due && connection === this.#judgedConnection && this.#judged) return;
    this.#lastState = report.state;
    this.#lastStored = performance.now();
    this.#enqueue(async () => {
      await this.#judge(report, connection, active);
      await this.#attend(report);
      if (changed) await notify(this.#context.database, 'plan');
    });
  };

  /**
   * Stores a report together with its consequence for the bed: the stored state of the printer must never be newer than the
   * judgement of it. Clearing the bed decides under the lock of the printer's row, on the newest of both.
   */
  async #judge(report: PrinterReport, connection: number, active: number): Promise<void> {
    const { database, printerId } = this.#context;
    const afterGap = connection !== this.#judgedConnection;
    // Reports of a print arrived while the database was away, and were never judged.
    const missedActive = active - (isActive(report.state) ? 1 : 0) > this.#judgedActive;
    const judging = database.transaction(async (tx) => {
      const attempt = await openAttemptOf(tx, printerId);
      const own = attempt && isSameJob(attempt, report.job) ? attempt : undefined;
      if (own && hasCome(own, report)) await noteProgress(tx, own.id, report.progress, report.filamentMm ?? null);
      await this.#judgeBed(tx, report, { ours: own !== undefined, afterGap: afterGap || missedActive, missedActive });
      await storeReport(tx, printerId, { ...this.#state(report), judged: true });
      return own;
    });
    const ours = await judging.catch((error: unknown) => {
      this.#judged = false;
      throw error;
    });
    this.#judged = true;
    this.#ours = ours;
    this.#judgedConnection = connection;
    this.#judgedActive = active;
    this.#lastJob = report.job;
    this.#storedReport = report;
  }

  async #judgeBed(
    tx: Transaction,
    report: PrinterReport,
    { ours, afterGap, missedActive }: { ours: boolean; afterGap: boolean; missedActive: boolean },
  ): Promise<void> {
    const { printerId, log } = this.#context;
    const printer = await lockPrinter(tx, printerId);
    const wasActive = missedActive || (printer.report !== null && isActive(printer.report.state));
    const cause = judgeBed({
      report,
      ours,
      wasActive,
      known: printer.lastJob,
      bed: { state: printer.bedState, cause: printer.bedCause },
      afterGap,
      gapSeconds: this.#gapSeconds(printer, report),
      firstContact: printer.firstConnectedAt === null,
      neverUsed: this.#neverUsed(printer),
    });
    if (cause === null) {
      if (hasEnded({ wasActive, report })) await countBed(tx, printer, agentName(printerId));
      return;
    }
    const name = report.job ? `"${report.job.name}"` : 'nothing that it remembers';
    log(
      'warn',
      cause === 'foreign'
        ? `${printer.name} shows a print that is not ours: ${name}. Its bed counts as occupied.`
        : `${printer.name} shows ${name} after a time without a report; whether something was printed meanwhile is unknown. Its bed counts as occupied.`,
    );
    await occupyBedByOther(tx, printerId, cause, agentName(printerId));
  }

  /** How long the printer was out of sight, by its own clock; the longer one of two measurements. */
  #gapSeconds(printer: Printer, report: PrinterReport): number {
    const mine = this.#storedReport;
    const byProcess = mine === undefined ? 0 : (report.receivedAt - mine.receivedAt) / 1000;
    return gapSeconds(printer.reportAgeSeconds, byProcess, report.timeScale);
  }

  /** A simulator that has not printed anything yet, neither for the farm nor for another client. */
  #neverUsed(printer: Printer): boolean {
    return this.#context.simulated && printer.bedVersion <= firstClearedBedVersion;
  }

  /** Stores a report once more if no other has followed it. */
  #beat(): Promise<void> {
    const { connection, report } = this.#context.driver;
    const news = connection.status === 'connected' && report !== undefined && report !== this.#storedReport;
    return (news ? this.#judge(report, this.#connectionNumber, this.#seen.active) : this.#store()).then(() =>
      connection.status === 'connected' && report !== undefined ? this.#attend(report) : undefined,
    );
  }

  /** Reports that the printer needs an operator, and shows it in the status of its job. */
  async #attend(report: PrinterReport): Promise<void> {
    const { database, printerId } = this.#context;
    const attempt = isActive(report.state) ? this.#ours : undefined;
    const attention = this.#attention.judge(report, attempt?.slot ?? null, performance.now());
    const news = attention && `${attention.code} ${attention.text}`;
    if (news === this.#published) return;
    let shown = true;
    await database.transaction(async (tx) => {
      const job = attempt && (await lockJob(tx, attempt.jobId));
      const facts = { job: job?.id ?? null, actor: agentName(printerId) };
      await storeTrouble(tx, printerId, 'attention', attention, facts);
      // Once the job is printing its reason is shown; until then this is retried.
      shown = attention === null || job === undefined || job.status === 'printing';
      if (job?.status !== 'printing') return;
      const pause = report.state === 'paused' ? 'paused: ' : '';
      await amendJob(tx, job.id, { statusReason: attention ? `${pause}${attention.text}` : 'printing' });
    });
    if (!shown) return;
    this.#published = news;
    if (attention) this.#context.log('warn', `${printerId}: ${attention.text} ${attention.remedy}`);
  }

  /** Stores whether the printer is online. Its reports are stored only with their judgement. */
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

/** Whether two reports name the same job with equal texts. */
const sameWords = (a: PrinterJob | null | undefined, b: PrinterJob | null | undefined): boolean =>
  a?.name === b?.name && a?.taskId === b?.taskId && a?.recordId === b?.recordId;
