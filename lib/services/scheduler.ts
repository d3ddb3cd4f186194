import type { Farm } from '../farm/farm';
import { type TickPlan, tick } from '../jobs/tick';

/** The assignments that were started, and the lines of the plan that no longer held. */
export interface ScheduleAnswer {
  scheduled_jobs: number;
  assignments: { job_id: string; printer_id: string; attempt_id: string; status: 'scheduled' }[];
  refused: { job_id: string; printer_id: string; reason: string }[];
}

/** Dispatches the lines of a plan that can start now; without a plan, the farm plans first. */
export async function schedule(farm: Farm, plan: TickPlan | undefined, actor: string): Promise<ScheduleAnswer> {
  const { assignments, refused } = await tick(farm, plan, actor);
  return {
    scheduled_jobs: assignments.length,
    assignments: assignments.map((one) => ({
      job_id: one.jobId,
      printer_id: one.printerId,
      attempt_id: one.attemptId,
      status: one.status,
    })),
    refused: refused.map((one) => ({ job_id: one.jobId, printer_id: one.printerId, reason: one.reason })),
  };
}
