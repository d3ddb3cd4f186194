import { canEverPrint, filamentSetup, impossible, notReadyBecause, permanentReasons, setupsFor } from '../fit/judge';
import type { JobId, PrinterId } from '../model/ids';
import { type NotAllowed, notAllowedBecause } from './allowed';
import { neverFollows } from './dependencies';
import { expectedHours } from './eligibility';
import { pausedBecause, resumeIt } from './paused';
import type { Plan, PlanLine } from './plan-shape';
import { owedAt } from './priority';
import type { PlanningJob, PlanningPrinter, Snapshot } from './snapshot';
import { missingSpool, nobodyHas } from './stock';

/** The relation of one printer to a waiting job. */
export interface PrinterVerdict {
  printerId: PrinterId;
  /** Whether it could ever print the job. */
  possible: boolean;
  /** The first obstacle to starting the job on it now. */
  because: string;
  /** When that ends (ISO 8601); null if unknown or never. */
  until: string | null;
}

/** Why a job has not started. */
export interface JobExplanation {
  /** The first constraint that it violates, or the job that was preferred. */
  because: string;
  /** The remedy. */
  wouldHelp: string[];
  /** The planned start; null if it is not planned. */
  start: string | null;
  end: string | null;
  printers: PrinterVerdict[];
  /** Jobs that start before it on its printer. */
  after: JobId[];
  /** When the job becomes owed a start, whatever the plan prefers (ISO 8601). */
  owedAt: string;
}

const iso = (at: number): string => new Date(at).toISOString();

/** Explains why a job has not started, what would change that and when. */
export function explainJob(snapshot: Snapshot, plan: Plan, job: PlanningJob): JobExplanation {
  const line = plan.lines.find((one) => one.jobId === job.id);
  const own = line ? plan.lines.filter((one) => one.printerId === line.printerId) : [];
  const after = line ? own.slice(0, own.indexOf(line)).map((one) => one.jobId) : [];
  const printers = snapshot.printers.map((printer) => verdict(snapshot, plan, job, printer));
  const wouldHelp: string[] = [];
  const possible = printers.filter((one) => one.possible);
  const because = firstReason();
  return {
    because,
    wouldHelp,
    start: line?.start ?? null,
    end: line?.end ?? null,
    printers,
    after: [...new Set(after)].filter((id) => id !== job.id),
    owedAt: iso(owedAt(job)),
  };

  function firstReason(): string {
    if (possible.length === 0) {
      wouldHelp.push(
        isOf(job.forcePrinter, snapshot)
          ? 'scale the part down, split it, choose another material, or cancel the job'
          : 'let it go to another printer',
      );
      return impossible(job, snapshot.printers);
    }
    if (job.copiesToStart < 1) return 'all its copies are done or under way';
    if (job.held) {
      wouldHelp.push('release it');
      return 'the job is held';
    }
    const never = neverFollows(job, snapshot);
    if (never) {
      wouldHelp.push(...never.wouldHelp);
      return never.because;
    }
    if (job.waitsFor.length > 0) {
      wouldHelp.push('it follows by itself when they are completed');
      return `it depends on ${job.waitsFor.join(', ')}, not completed yet`;
    }
    if (job.notBefore !== null && job.notBefore > snapshot.now) return `not before ${iso(job.notBefore)}`;
    const missing = missingSpool(job.materialId, job.grams);
    const dry = nobodyHas(job, snapshot) ?? (plan.waiting[job.id] === missing ? missing : null);
    if (dry !== null) {
      wouldHelp.push(
        `add a spool of ${job.materialId} with at least ${Math.ceil(job.grams)} g`,
        'choose another material',
      );
      return dry;
    }
    if (snapshot.paused) {
      wouldHelp.push(resumeIt);
      return pausedBecause(snapshot.paused);
    }
    if (line?.ready) return 'it starts with the next tick';
    const first = line ? own[0] : undefined;
    if (line && first && first !== line && first.ready) {
      wouldHelp.push('raise its priority', 'move it to another printer');
      return `${line.printerId} was given to ${first.jobId} first${preferred(first, job)}`;
    }
    const here = printers.find((one) => one.printerId === line?.printerId) ?? possible[0];
    if (line?.setupAt) wouldHelp.push(`do the setup: ${line.setups.join('; ')}`);
    for (const { because: reason, printerId } of possible) {
      if (/\bbed\b/.test(reason)) wouldHelp.push(`clear the bed of ${printerId}`);
    }
    if (line && job.forcePrinter !== null) wouldHelp.push('let it go to another printer');
    return here?.because ?? 'it is next';
  }

  function preferred(first: PlanLine, waiting: PlanningJob): string {
    const other = snapshot.jobs.find((one) => one.id === first.jobId);
    if (!other) return '';
    if (other.deadline !== null && (waiting.deadline === null || other.deadline < waiting.deadline)) {
      return `, whose deadline is ${iso(other.deadline)}`;
    }
    if (other.priority < waiting.priority) return `, whose priority is ${other.priority}`;
    if (first.setups.length === 0 && line && line.setups.length > 0) return ', for which its filament is loaded';
    return ', which costs the plan less';
  }
}

function verdict(snapshot: Snapshot, plan: Plan, job: PlanningJob, printer: PlanningPrinter): PrinterVerdict {
  const never = permanentReasons(job, printer);
  const result = (because: string, until: number | null, possible = true): PrinterVerdict => ({
    printerId: printer.id,
    possible,
    because,
    until: until === null ? null : iso(until),
  });
  if (never.length > 0) return result(never.map(({ text }) => text).join(' '), null, false);
  const busy = printer.busy;
  const obstacle = notReadyBecause(printer);
  if (obstacle) return result(obstacle, busy ? Math.max(busy.until, snapshot.now) : null);
  const barred = barredNow(snapshot, [job], printer);
  if (barred) return result(barred.because, Number.isFinite(barred.until) ? barred.until : null);
  const [setup] = setupsFor(job, printer);
  if (setup) {
    const line = plan.lines.find((one) => one.jobId === job.id && one.printerId === printer.id);
    return result(setup, line?.start ? Date.parse(line.start) : null);
  }
  const first = plan.lines.find((one) => one.printerId === printer.id);
  if (first && first.jobId !== job.id) {
    return result(`it prints ${first.jobId} first`, first.end ? Date.parse(first.end) : null);
  }
  return result(first ? 'it starts here' : 'another printer has it done sooner', null);
}

/** Returns the closure or quiet hours that keep all of the jobs from starting on a printer now; null: one may start. */
function barredNow(snapshot: Snapshot, jobs: PlanningJob[], printer: PlanningPrinter): NotAllowed | null {
  const hours = jobs.map((job) => expectedHours(job, printer));
  // A period that bars the shortest print bars every longer one.
  return notAllowedBecause(printer, snapshot.quiet, snapshot.now, Math.min(...hours) * 60);
}

/** The reason why a printer is idle now. */
export interface PrinterExplanation {
  idle: boolean;
  because: string;
  wouldHelp: string[];
  next: PlanLine | null;
}

/** Explains why a printer is idle, or what it does. */
export function explainPrinter(snapshot: Snapshot, plan: Plan, printer: PlanningPrinter): PrinterExplanation {
  const next = plan.lines.find((line) => line.printerId === printer.id) ?? null;
  const answer = (because: string, ...wouldHelp: string[]): PrinterExplanation => ({
    idle: printer.busy === null,
    because,
    wouldHelp,
    next,
  });
  if (printer.busy) return { ...answer(`${printer.name} is printing ${printer.busy.with}`), idle: false };
  const obstacle = notReadyBecause(printer);
  if (obstacle) {
    const bed = printer.online && printer.bed === 'occupied';
    return answer(obstacle, bed ? 'clear the bed and confirm it' : 'look at the printer');
  }
  if (snapshot.paused) return answer(pausedBecause(snapshot.paused), resumeIt);
  const waiting = snapshot.jobs.filter((job) => job.copiesToStart > 0);
  const able = waiting.filter((job) => canEverPrint(job, printer));
  if (waiting.length === 0) return answer('nothing waits to be printed', 'submit a job');
  if (able.length === 0) return answer(`none of the ${waiting.length} waiting jobs can be printed on it`);
  const free = able.filter((job) => !job.held && job.waitsFor.length === 0);
  if (free.length === 0) return answer('every job that it could print is held or waits for another', 'release a job');
  const barred = barredNow(snapshot, free, printer);
  if (barred) return answer(barred.because);
  if (next?.ready) return answer(`${next.jobId} starts with the next tick`);
  if (next?.setupAt)
    return answer(`waits for the operator at ${next.setupAt}: ${next.setups.join('; ')}`, 'do the setup');
  const dry = free.find((job) => filamentSetup(job, printer) !== null);
  if (!next && dry) return answer(filamentSetup(dry, printer) ?? '', 'load the filament');
  if (next) return answer(`the plan keeps it free for ${next.jobId} at ${next.start}`);
  return answer('the other printers have all that waits done sooner');
}

/** Whether the forced printer of a job is in the farm; null: the job may use any. */
const isOf = (id: PlanningJob['forcePrinter'], { printers }: Snapshot): boolean =>
  id === null || printers.some((printer) => printer.id === id);
