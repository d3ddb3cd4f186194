import type { Sequences, SequencingProblem } from './improve';

/** So many orders are tried in a few milliseconds. */
const mostOrders = 3000;

/**
 * The best of all orders of the jobs that an order holds, by trying them all; null if there are too many. With three
 * printers five jobs are few enough.
 */
export function bestOfAll(problem: SequencingProblem, from: Sequences): Sequences | null {
  const jobs = from.order.flat();
  if (ordersOf(jobs.length, problem.machines) > mostOrders) return null;
  let best = from;
  const order: number[][] = from.order.map(() => []);
  const left = new Set(jobs);
  /** Everything that can follow once the sequences before `machine` stand; they cost `cost`. */
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

/** In how many ways so many jobs can be put into the sequences of so many machines. */
function ordersOf(jobs: number, machines: number): number {
  let count = 1;
  for (let job = 0; job < jobs; job++) count *= machines + job;
  return count;
}
