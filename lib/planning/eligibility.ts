import type { PlanningJob, PlanningPrinter } from './snapshot';

const hour = 3_600_000;
/** How long another printer is preferred after a failure (hours of printer time). */
const reluctantHours = 6;
/** The hours by which the printer that failed counts as slower at first; they decrease over that time. */
const extraHours = 3;
/** On any printer but the preferred one a job counts as done so many hours of printer time later. */
const preferenceHours = 2;

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
 * By how many wall-clock hours later a print counts as done on a printer that is not the preferred one, or where the job has failed
 * lately. A preference never makes a job wait longer than this.
 * @param now ms since 1970
 */
export function reluctance(job: PlanningJob, printer: PlanningPrinter, now: number): number {
  const preferred = job.wishes?.preferPrinter ?? printer.id;
  return (preferred === printer.id ? 0 : preferenceHours / printer.timeScale) + afterFailure(job, printer, now);
}

/** The failed printer is avoided for a few hours. */
function afterFailure(job: PlanningJob, printer: PlanningPrinter, now: number): number {
  if (job.failedOn !== printer.id || job.failedAt === undefined) return 0;
  const since = (Math.max(0, now - job.failedAt) / hour) * printer.timeScale;
  return (extraHours * Math.max(0, 1 - since / reluctantHours)) / printer.timeScale;
}
