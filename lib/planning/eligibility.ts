import type { PlanningJob, PlanningPrinter } from './snapshot';

const hour = 3_600_000;
/** For so long after a failure (hours of printer time) another printer is preferred, */
const reluctantHours = 6;
/** as if the one that failed took so many hours longer at first, and less and less of them later. */
const extraHours = 3;
/** On any printer but the preferred one a job counts as done so many hours of printer time later. */
const preferenceHours = 2;

/** Hours that the job takes on this printer, by the wall clock. */
export function wallHours(job: PlanningJob, printer: PlanningPrinter): number {
  return (job.hours * printer.capabilities.speedFactor) / printer.timeScale;
}

/** The same by what the printer's prints really took, where that has been learned. */
export function expectedHours(job: PlanningJob, printer: PlanningPrinter): number {
  return job.hoursOn?.[printer.id] ?? wallHours(job, printer);
}

/**
 * Whether nothing can be started on a printer, nor after its present print, before somebody has seen to it: it is
 * offline, at fault, or in a state that is none to start from.
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
