import type { PlanMessage } from '../model/messages';
import { makePlan, type Plan } from '../planning/plan';
import type { Farm } from './farm';
import { takeSnapshot } from './snapshot';

/** The plan for the farm as it is now. */
export async function currentPlan(farm: Farm): Promise<Plan> {
  return makePlan(await farm.database.read((db) => takeSnapshot(db, farm.options)));
}

/** A plan as it goes over a wire. */
export function planMessage(plan: Plan): PlanMessage {
  return {
    version: plan.version,
    lines: plan.lines.map((line) => ({
      job_id: line.jobId,
      printer_id: line.printerId,
      slot: line.slot,
      start: line.start,
      end: line.end,
      setups: line.setups,
      ready: line.ready,
    })),
    positions: plan.positions,
    waiting: plan.waiting,
  };
}
