import type { Farm } from '../farm/farm';
import type { Job } from '../model/job';
import { memoryAfter, noMemory, type PlanMemory } from '../planning/memory';
import type { Plan } from '../planning/plan-shape';
import type { Snapshot } from '../planning/snapshot';
import { unfinishedJobs } from '../store/jobs';
import type { Queryable } from '../store/queryable';
import { readStandingPlan, standingMark, storeStandingPlan } from '../store/standing-plan';
import { takeSnapshot } from './snapshot';

/** A plan with the snapshot that it was made from. */
export interface PlannedSnapshot {
  plan: Plan;
  snapshot: Snapshot;
  /** All unfinished jobs, as they were then. */
  jobs: Job[];
  /** What a plan that starts from this one needs to know. */
  memory: PlanMemory;
  /** When this process made or read it, by the monotonic clock (ms). */
  at: number;
}

/** What happens without a notification (a printer goes offline, a time comes) shows after this long at the latest (s). */
const longestAge = 25;

/**
 * The plan that the farm goes by. It is in the database, one for all processes, with what the next plan needs to know of it. Whoever asks
 * gets the plan that stands, unless something has changed since it was made; then it is made once for all who ask.
 */
export class StandingPlan {
  readonly #farm: Farm;
  /** What this process made or read last. */
  #last: PlannedSnapshot | undefined;
  /** How many notifications of a change had come before the last snapshot was taken, and have come by now. */
  #seenBefore = 0;
  #seen = 0;
  #listening: Promise<() => void> | undefined;
  #running: Promise<unknown> | undefined;
  #next: Promise<PlannedSnapshot> | undefined;

  constructor(farm: Farm) {
    this.#farm = farm;
  }

  /** The plan that this process knows, at once; undefined: none yet. It may be of the past. */
  get last(): PlannedSnapshot | undefined {
    return this.#last;
  }

  /** The plan for the farm as it is. */
  async current(): Promise<PlannedSnapshot> {
    await this.#listen();
    const { version, changes, latest, ageSeconds } = await standingMark(this.#farm.database);
    const isCurrent = version !== null && changes >= latest && ageSeconds >= 0 && ageSeconds <= longestAge;
    if (!isCurrent || this.#seen !== this.#seenBefore) return this.shared();
    if (this.#last?.plan.version === version) return this.#last;
    return this.#read();
  }

  /** A new plan, made once for all who ask before it is begun, and only one after the other. */
  shared(): Promise<PlannedSnapshot> {
    this.#next ??= Promise.resolve(this.#running)
      .catch(() => undefined)
      .then(() => new Promise<void>((resolve) => setImmediate(resolve)))
      .then(() => {
        const planned = this.make();
        this.#running = planned;
        this.#next = undefined;
        return planned;
      });
    return this.#next;
  }

  /** A new plan, which stands from now on, unless one from a later state does. */
  async make(): Promise<PlannedSnapshot> {
    const seenBefore = this.#seen;
    const { database, planner } = this.#farm;
    // Before the rows: whatever changes while they are read counts as a change after them.
    const { latest } = await standingMark(database);
    const { jobs, snapshot, memory } = await database.read((db) => this.#situation(db));
    const plan = await planner.make(snapshot, memory);
    const after = memoryAfter(memory, snapshot, plan);
    const { promised, asked } = after;
    const version = await storeStandingPlan(database, { plan, changes: latest, promised, asked });
    const planned = {
      plan: { ...plan, version: version ?? plan.version },
      snapshot,
      jobs,
      memory: after,
      at: performance.now(),
    };
    if (version !== undefined) {
      this.#last = planned;
      this.#seenBefore = seenBefore;
    }
    return planned;
  }

  async close(): Promise<void> {
    const unlisten = await this.#listening?.catch(() => undefined);
    unlisten?.();
  }

  async #situation(db: Queryable): Promise<{ jobs: Job[]; snapshot: Snapshot; memory: PlanMemory }> {
    const stored = await readStandingPlan<Plan>(db);
    const jobs = await unfinishedJobs(db);
    const snapshot = await takeSnapshot(db, this.#farm, jobs);
    const memory = stored ? { previous: stored.plan, promised: stored.promised, asked: stored.asked } : noMemory;
    return { jobs, snapshot, memory };
  }

  /** The plan that another process has made, beside the farm as it is now. */
  async #read(): Promise<PlannedSnapshot> {
    const { jobs, snapshot, memory } = await this.#farm.database.read((db) => this.#situation(db));
    if (!memory.previous) return this.shared();
    this.#last = { plan: memory.previous as Plan, snapshot, jobs, memory, at: performance.now() };
    return this.#last;
  }

  /** Hears of changes from now on; what cannot be heard is noticed by its number. */
  async #listen(): Promise<void> {
    this.#listening ??= this.#farm.database.listen((payload) => {
      if (payload === 'plan' || payload === 'reconnected') this.#seen++;
    });
    await this.#listening.catch(() => {
      this.#listening = undefined;
    });
  }
}
