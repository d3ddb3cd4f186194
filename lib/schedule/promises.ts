import type { PromiseOfJob } from '../contracts/jobs';
import type { Farm } from '../farm/farm';
import type { JobId } from '../model/ids';
import { Forecast, type Situation, situations } from '../planning/forecast';
import type { JobPromise } from '../planning/promise';
import { newestStart, promisesThatCame } from '../store/planning';
import type { Queryable } from '../store/queryable';
import { Learned } from './learned';

/** What is promised of a job: when nine in ten start and end by then, and what of its deadline. */
export type PromiseView = PromiseOfJob;

export const promiseView = (id: JobId, promise: JobPromise): PromiseView => ({
  job_id: id,
  start: promise.start,
  end: promise.end,
  deadline: promise.deadline,
});

const learnedForecast = new Learned(newestStart, async (db) => {
  const forecast = new Forecast();
  for (const one of await promisesThatCame(db)) {
    const situation = situations.find((name) => name === one.situation);
    if (situation) forecast.record(situation, one.leadMinutes, one.errorMinutes);
  }
  return forecast;
});

/** How far the starts of this farm were from what was promised. */
export function forecastOf(db: Queryable): Promise<Forecast> {
  return learnedForecast.from(db);
}

/** How well promises were kept: of so many, the share that fell into the interval that was told (it should be 80 %). */
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
