import { LearnedDurations } from '../planning/durations';
import { Forecast, situations } from '../planning/forecast';
import { durationsToLearn, newestStart, newestToLearn, promisesThatCame } from '../store/planning';
import type { Queryable } from '../store/queryable';

/** Several farms can be in one process. */
const most = 8;

/**
 * What was made of the history, kept as long as the history has the same newest part: it is wanted with every plan, and
 * reading a thousand rows for it costs more than everything else that a submission asks.
 */
export class Learned<Value> {
  readonly #make: (db: Queryable) => Promise<Value>;
  readonly #mark: (db: Queryable) => Promise<string | undefined>;
  readonly #known = new Map<string, Value>();

  /**
   * @param mark names the newest part of the history, different for every database; undefined: there is none
   * @param make what is learned; nobody changes it afterwards
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

/** What a farm learns: how long its prints really take, and how far its starts are from what was promised. */
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
