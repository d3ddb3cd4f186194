import type { PromiseOfJob } from '../contracts/jobs';
import type { Farm } from '../farm/farm';
import type { JobId } from '../model/ids';
import type { Situation } from '../planning/forecast';
import type { JobPromise } from '../planning/promise';
import { promisesThatCame } from '../store/planning';

/** The promise of a job: the spread of its start and end (up to the time by which nine in ten happen), and whether it meets its deadline. */
export type PromiseView = PromiseOfJob;

export const promiseView = (id: JobId, promise: JobPromise): PromiseView => ({
  job_id: id,
  start: promise.start,
  end: promise.end,
  deadline: promise.deadline,
});

/** How well promises were kept: their number, and the share that fell into the promised interval (the target is 80 %). */
export async function promisesKept(
  farm: Farm,
): Promise<{ promises: number; covered_percent: number | null; by_situation: Record<Situation, number | null> }> {
  const all = await promisesThatCame(farm.database);
  const share = (own: typeof all): number | null =>
    own.length === 0 ? null : (100 * own.filter((one) => one.covered).length) / own.length;
  const of = (situation: Situation): number | null => share(all.filter((one) => one.situation === situation));
  return {
    promises: all.length,
    covered_percent: share(all),
    by_situation: { open: of('open'), closing: of('closing'), across: of('across') },
  };
}
