import type { PlanningJob, PlanningPrinter } from './snapshot';

const hour = 3_600_000;
/** How long another printer is preferred after a failure (hours of printer time). */
const reluctantHours = 6;
/** The hours by which the printer that failed counts as slower at first; they decrease over that time. */
const extraHours = 3;

/** The duration of the job on this printer, wall-clock hours. */
export function wallHours(job: PlanningJob, printer: PlanningPrinter): number {
  return (job.hours * printer.capabilities.speedFactor) / printer.timeScale;
}

/** The same, corrected by the learned durations of the printer's prints, if there are any. */
export function expectedHours(job: PlanningJob, printer: PlanningPrinter): number {
  return job.hoursOn?.[printer.id] ?? wallHours(job, printer);
}

/**
 * Whether no print can start on a printer, even after the current one, before an operator has acted: it is offline,
 * faulty, or in a state that allows no start.
 */
export function outOfService({ online, state, busy }: Pick<PlanningPrinter, 'online' | 'state' | 'busy'>): boolean {
  if (!online) return true;
  return state !== 'idle' && (busy === null || state === 'fault');
}

/**
 * The wall-clock hours by which a print counts as done later on a printer where the job has failed recently. Another
 * printer is preferred for a few hours, and no job waits longer than this for one.
 * @param now ms since 1970
 */
export function reluctance(job: PlanningJob, printer: PlanningPrinter, now: number): number {
  if (job.failedOn !== printer.id || job.failedAt === undefined) return 0;
  const since = (Math.max(0, now - job.failedAt) / hour) * printer.timeScale;
  return (extraHours * Math.max(0, 1 - since / reluctantHours)) / printer.timeScale;
}
