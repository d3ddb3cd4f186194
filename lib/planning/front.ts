import { canEverPrint } from '../fit/judge';
import type { JobId } from '../model/ids';
import { owedJobs } from './owed';
import { softDueDays, weightOf } from './priority';
import type { PlanningJob, Snapshot } from './snapshot';

const hour = 3_600_000;
/** Up to this many jobs are planned completely; of a longer queue, those that the rule would take first. */
const wholeUpTo = 6000;
const frontSize = 2000;
/** The number of jobs for every printer in the front, if there are that many. */
const eachPrinter = 10;

/** The urgency of a job: its apparent tardiness cost (ATC), as a logarithm. */
export function urgency(job: PlanningJob, now: number, meanHours: number): number {
  const softDue = job.createdAt + softDueDays(job.priority) * 24 * hour;
  const due = job.deadline === null ? softDue : Math.min(job.deadline, softDue);
  const slack = Math.max(0, (due - now) / hour - job.hours);
  return Math.log(weightOf(job.priority) / job.hours) - slack / (2 * meanHours);
}

/**
 * Returns the jobs of a very long queue to plan now: the most urgent, the owed ones, and enough for every printer. The
 * rest follows by urgency.
 */
export function frontOf(snapshot: Snapshot): { front: PlanningJob[]; rest: PlanningJob[] } {
  const { jobs, now } = snapshot;
  if (jobs.length <= wholeUpTo) return { front: [...jobs], rest: [] };
  const mean = jobs.reduce((sum, job) => sum + job.hours, 0) / jobs.length;
  const scored = jobs.map((job) => ({ job, score: urgency(job, now, mean) }));
  scored.sort((a, b) => b.score - a.score || (a.job.id < b.job.id ? -1 : 1));
  const chosen = new Set<JobId>(scored.slice(0, frontSize).map(({ job }) => job.id));
  for (const job of owedJobs(snapshot).slice(0, frontSize)) chosen.add(job.id);
  for (const printer of snapshot.printers) {
    let missing = eachPrinter;
    for (const { job } of scored) {
      if (missing === 0) break;
      if (job.copiesToStart < 1 || job.held || !canEverPrint(job, printer)) continue;
      chosen.add(job.id);
      missing--;
    }
  }
  const front: PlanningJob[] = [];
  const rest: PlanningJob[] = [];
  for (const { job } of scored) (chosen.has(job.id) ? front : rest).push(job);
  return { front, rest };
}
