import type { PlanningJob, Snapshot } from './snapshot';

const hour = 3_600_000;
/** On each printer at least one dispatch in this many serves the job that is owed longest. */
export const owedEvery = 5;

/** A job becomes owed after a base time plus a time for each step of priority (hours). */
export const owedAfter = { base: 48, step: 12 };

/** When a job becomes owed (ms). */
export const owedAt = (job: Pick<PlanningJob, 'createdAt' | 'priority'>): number =>
  job.createdAt + (owedAfter.base + owedAfter.step * job.priority) * hour;

/** The jobs whose wait is over its limit, the longest owed first; ties by id. */
export function owedJobs(snapshot: Snapshot): PlanningJob[] {
  return snapshot.jobs
    .filter((job) => job.copiesToStart > 0 && !job.held && job.waitsFor.length === 0 && owedAt(job) <= snapshot.now)
    .filter((job) => (job.notBefore ?? snapshot.now) <= snapshot.now)
    .sort((a, b) => owedAt(a) - owedAt(b) || (a.id < b.id ? -1 : 1));
}
