// Every rule that depends on the priority of a job, from 1 (highest) to 10.
import type { PlanningJob, Snapshot } from './snapshot';

const hour = 3_600_000;
const urgentWithin = 24 * hour;

/** The weight of an hour of a job in the cost of a plan: doubles every two steps of priority; 1 at priority 5. */
export const weightOf = (priority: number): number => 2 ** ((5 - priority) / 2);

/** The days after its submission within which a job should be done; its deadline may come first. */
export const softDueDays = (priority: number): number => 1 + priority / 2;

/** A job becomes owed after a base time plus a time for each step of priority (hours). */
export const owedAfter = { base: 48, step: 12 };

/** When a job becomes owed (ms). */
export const owedAt = (job: Pick<PlanningJob, 'createdAt' | 'priority'>): number =>
  job.createdAt + (owedAfter.base + owedAfter.step * job.priority) * hour;

/**
 * Returns the jobs that have copies to start, in the order of a farm without operator hours: deadlines that fall within
 * a day first, the nearest before; then priority, then age, the parts of a kit together.
 */
export function inOrder(snapshot: Pick<Snapshot, 'jobs' | 'now'>): PlanningJob[] {
  const urgency = (job: PlanningJob): number =>
    job.deadline !== null && job.deadline - snapshot.now - job.hours * hour <= urgentWithin
      ? job.deadline
      : Number.POSITIVE_INFINITY;
  /** The parts of a kit follow its oldest one. */
  const since = new Map<string, number>();
  for (const { kit, createdAt } of snapshot.jobs) {
    if (kit) since.set(kit.id, Math.min(createdAt, since.get(kit.id) ?? createdAt));
  }
  return snapshot.jobs
    .filter((job) => job.copiesToStart > 0)
    .map((job) => ({ job, urgency: urgency(job), age: (job.kit && since.get(job.kit.id)) ?? job.createdAt }))
    .sort(
      (a, b) =>
        (a.urgency === b.urgency ? 0 : a.urgency - b.urgency) ||
        a.job.priority - b.job.priority ||
        a.age - b.age ||
        (a.job.kit?.id ?? '').localeCompare(b.job.kit?.id ?? '') ||
        a.job.createdAt - b.job.createdAt ||
        (a.job.id < b.job.id ? -1 : 1),
    )
    .map(({ job }) => job);
}
