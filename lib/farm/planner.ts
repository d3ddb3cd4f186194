import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { asError, PlatewiseError } from '../model/errors';
import type { JobId } from '../model/ids';
import { makePlan } from '../planning/plan';
import type { Plan, PlanningBudget } from '../planning/plan-shape';
import type { Snapshot } from '../planning/snapshot';
import type { FarmOptions } from './options';

const defaultMilliseconds = 200;
const moves = 1500;
/** Without operator hours nothing is searched for: so few jobs are laid out faster than they are sent to a thread. */
const laidOutHere = 200;
/** A start that is so near is a promise which the plan should keep (ms). */
const promisedWithin = 4 * 3_600_000;
/** An operator who has not done what was asked for so long (ms) is taken to be away for the next hour. */
const patience = 30 * 60_000;
const awayFor = 60 * 60_000;
/** Beyond the search's own limit: for taking the snapshot over and laying out the plan (ms). */
const workerGrace = 30_000;

/** What the planning thread is asked. */
export interface PlanningTask {
  id: number;
  snapshot: Snapshot;
  previous: Pick<Plan, 'lines'> | null;
  moves: number;
  milliseconds: number;
}

export type PlanningAnswer = { id: number; plan: Plan } | { id: number; problem: string };

/** A plan, what it was made from, and when, by the monotonic clock (ms). */
export interface LivePlan {
  plan: Plan;
  snapshot: Snapshot;
  at: number;
}

/**
 * Makes the plans of one process in a thread of its own, so that the event loop never waits for them, and remembers what
 * the next plan needs of the last one: the sequences, the starts that are near enough to be promises, and the setups
 * that were asked for and not done.
 */
export class Planner {
  readonly #milliseconds: number;
  #worker: Worker | undefined;
  #closed = false;
  #count = 0;
  readonly #waiting = new Map<number, { resolve: (plan: Plan) => void; reject: (error: Error) => void }>();
  #previous: Plan | undefined;
  #last: LivePlan | undefined;
  readonly #promised = new Map<JobId, number>();
  readonly #asked = new Map<string, number>();

  constructor(options: Pick<FarmOptions, 'planningMilliseconds'>) {
    this.#milliseconds = options.planningMilliseconds ?? defaultMilliseconds;
  }

  /** The plan for the farm as it is; what it promises is remembered. */
  async live(snapshot: Snapshot): Promise<Plan> {
    const plan = await this.make(snapshot);
    this.#remember(snapshot, plan);
    this.#last = { plan, snapshot, at: performance.now() };
    return plan;
  }

  /** The last plan that was made for the farm as it was; undefined until then. */
  get last(): LivePlan | undefined {
    return this.#last;
  }

  /** A plan that nothing follows from: the same way, from the same memory. */
  async make(snapshot: Snapshot): Promise<Plan> {
    if (!snapshot.operator && snapshot.jobs.length <= laidOutHere) return makePlan(snapshot);
    const whole = this.#completed(snapshot);
    try {
      return await this.#ask(whole);
    } catch (error) {
      if (this.#closed) throw asError(error);
      // The dispatch rule is always there.
      return makePlan(whole, { moves: 0 });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    this.#fail(new Error('The farm is closed.'));
  }

  #completed(snapshot: Snapshot): Snapshot {
    const late = Math.min(Number.POSITIVE_INFINITY, ...this.#asked.values());
    return {
      ...snapshot,
      ...(snapshot.now - late > patience && { operatorFrom: snapshot.now + awayFor }),
      jobs: snapshot.jobs.map((job) => {
        const promisedStart = this.#promised.get(job.id);
        return promisedStart === undefined ? job : { ...job, promisedStart };
      }),
    };
  }

  #remember(snapshot: Snapshot, plan: Plan): void {
    this.#previous = plan;
    const waiting = new Set(snapshot.jobs.filter((job) => job.copiesToStart > 0).map((job) => job.id));
    for (const id of this.#promised.keys()) if (!waiting.has(id)) this.#promised.delete(id);
    const seen = new Set<JobId>();
    const due = new Set<string>();
    for (const line of plan.lines) {
      if (line.setupAt && Date.parse(line.setupAt) <= snapshot.now) {
        for (const { slot, to } of line.changes ?? []) due.add(`${line.printerId} ${slot} ${to}`);
      }
      if (line.start === null || seen.has(line.jobId)) continue;
      seen.add(line.jobId);
      const start = Date.parse(line.start);
      if (start - snapshot.now > promisedWithin) this.#promised.delete(line.jobId);
      else if (!this.#promised.has(line.jobId)) this.#promised.set(line.jobId, start);
    }
    // A setup that was asked for and is still to be done keeps its time, unless the plan has given it up for now.
    const away = plan.lines.some((line) => line.setupAt && Date.parse(line.setupAt) > snapshot.now);
    for (const id of this.#asked.keys())
      if (!due.has(id) && !(away && this.#stillWanted(id, plan))) this.#asked.delete(id);
    for (const id of due) if (!this.#asked.has(id)) this.#asked.set(id, snapshot.now);
  }

  #stillWanted(id: string, plan: Plan): boolean {
    return plan.lines.some((line) =>
      (line.changes ?? []).some(({ slot, to }) => id === `${line.printerId} ${slot} ${to}`),
    );
  }

  #ask(snapshot: Snapshot): Promise<Plan> {
    if (this.#closed) return Promise.reject(new Error('The farm is closed.'));
    const worker = this.#thread();
    const task: PlanningTask = {
      id: ++this.#count,
      snapshot,
      previous: this.#previous ? { lines: this.#previous.lines } : null,
      moves,
      milliseconds: this.#milliseconds,
    };
    return new Promise<Plan>((resolve, reject) => {
      const timer = setTimeout(() => {
        void worker.terminate();
        this.#fail(new Error('the planning thread did not answer'));
      }, this.#milliseconds + workerGrace);
      const settle =
        <T>(act: (value: T) => void) =>
        (value: T): void => {
          clearTimeout(timer);
          act(value);
        };
      this.#waiting.set(task.id, { resolve: settle(resolve), reject: settle(reject) });
      worker.postMessage(task);
    });
  }

  #thread(): Worker {
    if (this.#worker) return this.#worker;
    const extension = extname(__filename);
    const module = join(__dirname, `planning-worker${extension}`);
    const bootstrap = `${extension === '.ts' ? "require('tsx/cjs');" : ''}require(${JSON.stringify(module)})`;
    const worker = new Worker(bootstrap, { eval: true, execArgv: [] });
    worker.unref();
    worker.on('message', (answer: PlanningAnswer) => {
      const waiting = this.#waiting.get(answer.id);
      this.#waiting.delete(answer.id);
      if ('plan' in answer) waiting?.resolve(answer.plan);
      else
        waiting?.reject(new PlatewiseError(answer.problem, { code: 'no_plan', retryable: true, remedy: 'Try again.' }));
    });
    worker.on('error', (error: Error) => this.#fail(error, worker));
    worker.on('exit', () => this.#fail(new Error('the planning thread ended'), worker));
    this.#worker = worker;
    return worker;
  }

  #fail(error: Error, worker = this.#worker): void {
    if (this.#worker !== worker) return;
    this.#worker = undefined;
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }
}

/** What the planning thread does with a task. */
export function budgetOf(task: PlanningTask, clock: () => number): PlanningBudget {
  return {
    moves: task.moves,
    milliseconds: task.milliseconds,
    clock,
    ...(task.previous && { previous: task.previous }),
  };
}
