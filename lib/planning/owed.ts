import { owedAt } from './priority';
import type { PlanningJob, Snapshot } from './snapshot';

/** On each printer at least one dispatch in this many serves the job that is owed longest. */
export const owedEvery = 5;

/** The jobs whose wait is over its limit, the longest owed first; ties by id. */
export function owedJobs(snapshot: Snapshot): PlanningJob[] {
  return snapshot.jobs
    .filter((job) => job.copiesToStart > 0 && !job.held && job.waitsFor.length === 0 && owedAt(job) <= snapshot.now)
    .filter((job) => (job.notBefore ?? snapshot.now) <= snapshot.now)
    .sort((a, b) => owedAt(a) - owedAt(b) || (a.id < b.id ? -1 : 1));
}
