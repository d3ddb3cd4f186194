import type { Sequences, SequencingProblem } from './improve';

/** The number of orders that can be tried in a few milliseconds. */
const mostOrders = 3000;

/**
 * Returns the best order of the given jobs by trying all orders; null if there are too many. With three printers, five
 * jobs are few enough.
 */
export function bestOfAll(problem: SequencingProblem, from: Sequences): Sequences | null {
  const jobs = from.order.flat();
  if (ordersOf(jobs.length, problem.machines) > mostOrders) return null;
  let best = from;
  const order: number[][] = from.order.map(() => []);
  const left = new Set(jobs);
  /** Tries all continuations once the sequences before `machine` are fixed; they cost `cost`. */
  const fill = (machine: number, cost: number): void => {
    const sequence = order[machine];
    if (!sequence) {
      if (left.size === 0) best = { order: order.map((one) => [...one]), cost };
      return;
    }
    const whole = cost + problem.cost(machine, sequence);
    if (whole < best.cost) fill(machine + 1, whole);
    for (const job of [...left]) {
      if (!problem.eligible(job, machine)) continue;
      left.delete(job);
      sequence.push(job);
      fill(machine, cost);
      sequence.pop();
      left.add(job);
    }
  };
  fill(0, 0);
  return best;
}

/** The number of ways to distribute jobs over the sequences of machines. */
function ordersOf(jobs: number, machines: number): number {
  let count = 1;
  for (let job = 0; job < jobs; job++) count *= machines + job;
  return count;
}
