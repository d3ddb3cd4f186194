import { LearnedDurations } from '../planning/durations';
import { Forecast, situations } from '../planning/forecast';
import { durationsToLearn, newestStart, newestToLearn, promisesThatCame } from '../store/planning';
import type { Queryable } from '../store/queryable';

/** The maximum number of farms remembered; several can be in one process. */
const most = 8;

/**
 * A value derived from the history, cached while the newest part of the history is the same: every plan needs it, and
 * reading a thousand rows for it costs more than the rest of a submission.
 */
export class Learned<Value> {
  readonly #make: (db: Queryable) => Promise<Value>;
  readonly #mark: (db: Queryable) => Promise<string | undefined>;
  readonly #known = new Map<string, Value>();

  /**
   * @param mark names the newest part of the history, different for every database; undefined: there is none
   * @param make derives the value, which must not be modified afterwards
   */
  constructor(mark: (db: Queryable) => Promise<string | undefined>, make: (db: Queryable) => Promise<Value>) {
    this.#mark = mark;
    this.#make = make;
  }

  async from(db: Queryable): Promise<Value> {
    const mark = (await this.#mark(db)) ?? '';
    const known = this.#known.get(mark);
    if (known !== undefined) return known;
    const value = await this.#make(db);
    this.#known.set(mark, value);
    const [oldest] = this.#known.keys();
    if (this.#known.size > most && oldest !== undefined) this.#known.delete(oldest);
    return value;
  }
}

/** The learned values of a farm: how long its prints really take, and how far its starts deviate from the promises. */
export function learnings(): { durations: Learned<LearnedDurations>; forecast: Learned<Forecast> } {
  return {
    durations: new Learned(newestToLearn, async (db) => {
      const durations = new LearnedDurations();
      for (const print of await durationsToLearn(db)) durations.add(print);
      return durations;
    }),
    forecast: new Learned(newestStart, async (db) => {
      const forecast = new Forecast();
      for (const one of await promisesThatCame(db)) {
        const situation = situations.find((name) => name === one.situation);
        if (situation) forecast.record(situation, one.leadMinutes, one.errorMinutes);
      }
      return forecast;
    }),
  };
}
