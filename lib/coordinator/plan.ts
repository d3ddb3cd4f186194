import type { PlanMessage } from '../model/messages';
import type { Plan } from '../planning/plan';
import { alertsOf } from '../planning/promise';
import type { Snapshot } from '../planning/snapshot';
import type { Farm } from './farm';
import { takeSnapshot } from './snapshot';

/** A plan with the snapshot that it was made from. */
export interface PlannedSnapshot {
  plan: Plan;
  snapshot: Snapshot;
}

/** The farm as it is now, for the planner. */
export function snapshotNow(farm: Farm): Promise<Snapshot> {
  return farm.database.read((db) => takeSnapshot(db, farm.options));
}

/** The plan for the farm as it is now. */
export async function currentPlan(farm: Farm): Promise<Plan> {
  return (await plannedNow(farm)).plan;
}

/** The same, with what it was made from. */
export async function plannedNow(farm: Farm): Promise<PlannedSnapshot> {
  const snapshot = await snapshotNow(farm);
  return { snapshot, plan: await farm.planner.live(snapshot) };
}

/** The plan that is being made at this moment for each farm. */
const underWay = new WeakMap<Farm, Promise<Plan>>();

/** The plan that somebody else is just having made, or a new one: for the many who are woken by the same event. */
export function planTogether(farm: Farm): Promise<Plan> {
  const running = underWay.get(farm);
  if (running) return running;
  const plan = currentPlan(farm).finally(() => underWay.delete(farm));
  underWay.set(farm, plan);
  return plan;
}

/** A plan as it goes over a wire. */
export function planMessage({ plan, snapshot }: PlannedSnapshot): PlanMessage {
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
      setup_at: line.setupAt ?? null,
      slack_minutes: line.slackMinutes ?? null,
    })),
    positions: plan.positions,
    waiting: plan.waiting,
    ...(plan.value && {
      value: {
        cost: plan.value.cost,
        lower_bound: plan.value.lowerBound,
        gap: plan.value.gap,
        rule_cost: plan.value.ruleCost,
      },
    }),
    alerts: alertsOf(snapshot, plan).map((alert) => ({
      job_id: alert.jobId,
      deadline_at: alert.deadline,
      late_minutes: alert.lateMinutes,
      remedy: alert.remedy,
    })),
  };
}
