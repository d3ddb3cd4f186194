import { canEverPrint, filamentSetup } from '../../lib/fit/judge';
import { wallHours } from '../../lib/planning/eligibility';
import { urgency } from '../../lib/planning/front';
import type { PlanningJob, PlanningPrinter } from '../../lib/planning/snapshot';

/**
 * The dispatch rule's choice for one printer that has just become ready, in one pass over the queue and without a
 * plan: for queues that are too long to be planned at every event.
 *
 * @param mayChange whether an operator could change filament now
 */
export function bestFor(
  jobs: readonly PlanningJob[],
  printer: PlanningPrinter,
  now: number,
  mayChange: boolean,
): PlanningJob | null {
  let meanHours = 0;
  for (const job of jobs) meanHours += job.hours;
  meanHours /= Math.max(1, jobs.length);
  let best: PlanningJob | null = null;
  let highest = Number.NEGATIVE_INFINITY;
  for (const job of jobs) {
    if (job.copiesToStart < 1 || job.held || job.waitsFor.length > 0) continue;
    if (job.notBefore !== null && job.notBefore > now) continue;
    const value = urgency(job, now, meanHours);
    // A setup only lowers the value: a job that is no better without one is not evaluated further.
    if (value <= highest || !canEverPrint(job, printer)) continue;
    const setup = filamentSetup(job, printer) !== null;
    if (setup && !mayChange) continue;
    const whole = value - (setup ? 1 : 0) - Math.log(Math.max(1e-9, wallHours(job, printer) / job.hours));
    if (whole > highest) {
      highest = whole;
      best = job;
    }
  }
  return best;
}
