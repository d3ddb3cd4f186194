import { createHash } from 'node:crypto';
import type { Farm } from '../farm/farm';
import type { Job } from '../model/job';
import { memoryAfter, noMemory, type PlanMemory } from '../planning/memory';
import type { Plan } from '../planning/plan-shape';
import type { Snapshot } from '../planning/snapshot';
import { unfinishedJobs } from '../store/jobs';
import type { Queryable } from '../store/queryable';
import { readStandingPlan, standingMark, storeStandingPlan } from '../store/standing-plan';
import { takeSnapshot } from './snapshot';

/** A plan with the snapshot from which it was made. */
export interface PlannedSnapshot {
  plan: Plan;
  snapshot: Snapshot;
  /** All unfinished jobs of the snapshot. */
  jobs: Job[];
  /** The state that the next plan needs. */
  memory: PlanMemory;
  /** When this process made or read it, by the monotonic clock (ms). */
  at: number;
}

/** The delay after which changes without a notification (a printer goes offline, a time is reached) show at the latest (s). */
const longestAge = 25;

/**
 * The plan in force. It is stored in the database, one for all processes, with the state that the next plan needs. Callers get
 * the standing plan, unless something has changed since it was made; then it is made once for all of them.
 */
export class StandingPlan {
  readonly #farm: Farm;
  /** A digest of the settings that decide about plans; processes with other settings have plans of their own. */
  readonly #settings: string;
  /** The plan that this process made or read last. */
  #last: PlannedSnapshot | undefined;
  /** The number of change notifications before the last snapshot, and up to now. */
  #seenBefore = 0;
  #seen = 0;
  #listening: Promise<() => void> | undefined;
  #running: Promise<unknown> | undefined;
  #next: Promise<PlannedSnapshot> | undefined;

  constructor(farm: Farm) {
    this.#farm = farm;
    const { operator, quiet, weights, clearMinutes, changeMinutes } = farm.options;
    const settings = JSON.stringify({ operator, quiet, weights, clearMinutes, changeMinutes });
    this.#settings = createHash('sha256').update(settings).digest('hex').slice(0, 32);
  }

  /** Returns the plan that this process knows, immediately; undefined: none yet. It may be outdated. */
  get last(): PlannedSnapshot | undefined {
    return this.#last;
  }

  /** Returns the plan for the current state of the farm. */
  async current(): Promise<PlannedSnapshot> {
    await this.#listen();
    const { version, changes, latest, ageSeconds } = await standingMark(this.#farm.database, this.#settings);
    const isCurrent = version !== null && changes === latest && ageSeconds >= 0 && ageSeconds <= longestAge;
    if (!isCurrent || this.#seen !== this.#seenBefore) return this.shared();
    if (this.#last?.plan.version === version) return this.#last;
    return this.#read();
  }

  /** Makes a new plan, once for all callers that wait before it begins, one plan after the other. */
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

  /** Makes a new plan and stores it as the standing plan, unless one of a later state is stored already. */
  async make(): Promise<PlannedSnapshot> {
    const seenBefore = this.#seen;
    const { database, planner } = this.#farm;
    // Read before the rows: a change while they are being read counts as a change after them.
    const { latest } = await standingMark(database, this.#settings);
    const { jobs, snapshot, memory } = await database.read((db) => this.#situation(db));
    const plan = await planner.make(snapshot, memory);
    const after = memoryAfter(memory, snapshot, plan);
    const { promised, asked } = after;
    const version = await storeStandingPlan(database, {
      plan,
      changes: latest,
      promised,
      asked,
      settings: this.#settings,
    });
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
    const stored = await readStandingPlan<Plan>(db, this.#settings);
    const jobs = await unfinishedJobs(db);
    const snapshot = await takeSnapshot(db, this.#farm, jobs);
    const memory = stored ? { previous: stored.plan, promised: stored.promised, asked: stored.asked } : noMemory;
    return { jobs, snapshot, memory };
  }

  /** Reads the plan that another process has made, and the current state of the farm. */
  async #read(): Promise<PlannedSnapshot> {
    const { jobs, snapshot, memory } = await this.#farm.database.read((db) => this.#situation(db));
    if (!memory.previous) return this.shared();
    this.#last = { plan: memory.previous as Plan, snapshot, jobs, memory, at: performance.now() };
    return this.#last;
  }

  /** Subscribes to changes; a missed notification is detected by the mark. */
  async #listen(): Promise<void> {
    this.#listening ??= this.#farm.database.listenFor('plan', () => {
      this.#seen++;
    });
    await this.#listening.catch(() => {
      this.#listening = undefined;
    });
  }
}
