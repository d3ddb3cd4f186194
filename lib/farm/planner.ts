import { extname, join } from 'node:path';
import { Worker } from 'node:worker_threads';
import { asError, PlatewiseError } from '../model/errors';
import { type PlanMemory, remembered } from '../planning/memory';
import { makePlan } from '../planning/plan';
import type { Plan, PlanningBudget } from '../planning/plan-shape';
import type { Snapshot } from '../planning/snapshot';
import type { FarmOptions } from './options';

const defaultMilliseconds = 200;
const moves = 1500;
/** Without operator hours there is no search: up to this number of jobs, planning here is faster than sending them to a thread. */
const laidOutHere = 200;
/** Grace beyond the search's own limit, for transferring the snapshot and laying out the plan (ms). */
const workerGrace = 30_000;

/** A task for the planning thread. */
export interface PlanningTask {
  id: number;
  snapshot: Snapshot;
  previous: Pick<Plan, 'lines'> | null;
  moves: number;
  milliseconds: number;
}

export type PlanningAnswer = { id: number; plan: Plan } | { id: number; problem: string };

/**
 * Makes the plans of one process in a thread of its own, so that the event loop never waits for them. It is stateless: each call
 * receives the state of the previous plan.
 */
export class Planner {
  readonly #milliseconds: number;
  #worker: Worker | undefined;
  #closed = false;
  #count = 0;
  readonly #waiting = new Map<number, { resolve: (plan: Plan) => void; reject: (error: Error) => void }>();

  constructor(options: Pick<FarmOptions, 'planningMilliseconds'>) {
    this.#milliseconds = options.planningMilliseconds ?? defaultMilliseconds;
  }

  /** Makes a plan for a snapshot. @param memory the state of earlier plans */
  async make(snapshot: Snapshot, memory: PlanMemory): Promise<Plan> {
    if (!snapshot.operator && snapshot.jobs.length <= laidOutHere) return makePlan(snapshot);
    const whole = remembered(snapshot, memory);
    try {
      return await this.#ask(whole, memory.previous);
    } catch (error) {
      if (this.#closed) throw asError(error);
      // The dispatch rule needs no thread.
      return makePlan(whole, { moves: 0 });
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    await this.#worker?.terminate();
    this.#fail(new Error('The farm is closed.'));
  }

  #ask(snapshot: Snapshot, previous: PlanMemory['previous']): Promise<Plan> {
    if (this.#closed) return Promise.reject(new Error('The farm is closed.'));
    const worker = this.#thread();
    const task: PlanningTask = {
      id: ++this.#count,
      snapshot,
      previous: previous && { lines: previous.lines },
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

/** The budget of the planning thread for a task. */
export function budgetOf(task: PlanningTask, clock: () => number): PlanningBudget {
  return {
    moves: task.moves,
    milliseconds: task.milliseconds,
    clock,
    ...(task.previous && { previous: task.previous }),
  };
}
