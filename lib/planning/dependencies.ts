import type { JobId } from '../model/ids';
import type { DeadEnd, PlanningJob, Snapshot } from './snapshot';

const byId = new WeakMap<Snapshot['jobs'], Map<JobId, PlanningJob>>();

function jobsById({ jobs }: Pick<Snapshot, 'jobs'>): Map<JobId, PlanningJob> {
  const found = byId.get(jobs) ?? new Map(jobs.map((job) => [job.id, job]));
  byId.set(jobs, found);
  return found;
}

/** Returns the dependencies that will never be completed, of a job or of the jobs that it waits for. */
function deadEndsOf(job: PlanningJob, snapshot: Pick<Snapshot, 'jobs'>, seen: Set<JobId>): DeadEnd[] {
  if (job.deadEnds && job.deadEnds.length > 0) return job.deadEnds;
  seen.add(job.id);
  for (const id of job.waitsFor) {
    const other = seen.has(id) ? undefined : jobsById(snapshot).get(id);
    const found = other ? deadEndsOf(other, snapshot, seen) : [];
    if (found.length > 0) return found;
  }
  return [];
}

/** The reason why a job never starts because of its dependencies, with every remedy. */
export interface NeverFollows {
  because: string;
  wouldHelp: string[];
}

/**
 * Returns why a job waits for a dependency that will not be completed as things stand; null: it will start eventually.
 */
export function neverFollows(job: PlanningJob, snapshot: Pick<Snapshot, 'jobs'>): NeverFollows | null {
  if (job.waitsFor.length === 0) return null;
  const dead = deadEndsOf(job, snapshot, new Set());
  if (dead.length === 0) return null;
  const own = new Set(job.deadEnds?.map(({ id }) => id));
  const kept = job.waitsFor.filter((id) => own.size > 0 && !own.has(id));
  const what = dead.map(({ id, status }) => `${id} (${status})`).join(', ');
  return {
    because: `it will never follow what it depends on: ${what}`,
    wouldHelp: [
      `drop the dependency (PATCH jobs/${job.id} {"depends_on": ${JSON.stringify(kept).replaceAll('","', '", "')}})`,
      ...dead.map(revived),
      'cancel it',
    ],
  };
}

function revived({ id, status }: DeadEnd): string {
  switch (status) {
    case 'failed':
      return `replay ${id} (POST dead-letters/{id}/replay)`;
    case 'cancelled':
      return `submit ${id} again, and depend on the new job`;
    case 'gone':
      return `submit what it stood for (${id}) again, and depend on the new job`;
  }
}

/** Returns why a job waits for others, as text. */
export function waitsForOthers(job: PlanningJob, snapshot: Pick<Snapshot, 'jobs'>): string {
  const never = neverFollows(job, snapshot);
  if (never) return never.because;
  const count = job.waitsFor.length;
  return `waits for ${count === 1 ? 'another job' : `${count} other jobs`} to be completed`;
}
