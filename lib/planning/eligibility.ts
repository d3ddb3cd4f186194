import type { PlanningJob, PlanningPrinter } from './snapshot';

/** Hours that the job takes on this printer, by the wall clock. */
export function wallHours(job: PlanningJob, printer: PlanningPrinter): number {
  return (job.hours * printer.capabilities.speedFactor) / printer.timeScale;
}

/** The same by what the printer's prints really took, where that has been learned. */
export function expectedHours(job: PlanningJob, printer: PlanningPrinter): number {
  return job.hoursOn?.[printer.id] ?? wallHours(job, printer);
}
