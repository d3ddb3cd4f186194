import { performance } from 'node:perf_hooks';
import { parentPort } from 'node:worker_threads';
import { asError } from '../model/errors';
import { makePlan } from '../planning/plan';
import { budgetOf, type PlanningAnswer, type PlanningTask } from './planner';

parentPort?.on('message', (task: PlanningTask) => {
  let answer: PlanningAnswer;
  try {
    answer = {
      id: task.id,
      plan: makePlan(
        task.snapshot,
        budgetOf(task, () => performance.now()),
      ),
    };
  } catch (error) {
    answer = { id: task.id, problem: asError(error).message };
  }
  parentPort?.postMessage(answer);
});
