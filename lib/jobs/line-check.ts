import { fittingSlot, judge } from '../fit/judge';
import type { FitSlot } from '../fit/subject';
import { makeTraits } from '../makes/traits';
import type { JobStatus } from '../model/status';
import { isTerminal } from '../model/status';
import { notAllowedBecause } from '../planning/allowed';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../planning/snapshot';

/** The facts that a line of a plan is checked against: the current rows. */
export interface LineFacts {
  /** By the database's clock (ms since 1970). */
  now: number;
  farmPaused: boolean;
  /** Whether the printer has an attempt under way. */
  printerTaken: boolean;
  status: JobStatus;
  job: PlanningJob;
  printer: PlanningPrinter;
  /** The times when no print may start. */
  quiet: Snapshot['quiet'];
}

/** Returns the slot to print from, or why the line cannot be dispatched. */
export function checkLine(facts: LineFacts): { refused: string } | { slot: FitSlot } {
  const { now, job, printer, status } = facts;
  const { name } = printer;
  if (facts.farmPaused) return { refused: 'the farm is paused' };
  if (facts.printerTaken) return { refused: `${name} has another job under way` };
  if (isTerminal(status)) return { refused: `the job is ${status}` };
  if (job.copiesToStart < 1) return { refused: 'no copy of the job is left to start' };
  if (job.held) return { refused: 'the job is held' };
  if (job.waitsFor.length > 0) return { refused: 'a job that it depends on is not completed' };
  if ((job.notBefore ?? now) > now) return { refused: 'it is too early for the job' };
  const { now: mayStart, reasons } = judge(job, printer);
  if (!mayStart) return { refused: reasons.map(({ text }) => text).join(' ') };
  // The plan decides whether the print ends before the next closure, because it knows how long prints really take.
  const barred = notAllowedBecause(printer, facts.quiet, now, 0);
  if (barred) return { refused: barred.because };
  const slot = fittingSlot(job, printer);
  return slot ? { slot } : { refused: `${name} has no fitting filament` };
}

/** Returns a unique file name for an attempt, legal on every make: `[A-Za-z0-9._-]`, below 100 characters. */
export function printFileName(jobName: string, attemptId: string, make: PlanningPrinter['make']): string {
  const slug = jobName
    .normalize('NFKD')
    .replace(/[^A-Za-z0-9]+/g, '-')
    .replace(/^-|-$/g, '')
    .slice(0, 32);
  const { extension } = makeTraits[make].printFile;
  return `pw-${slug || 'job'}-${attemptId.replaceAll('-', '')}${extension}`;
}
