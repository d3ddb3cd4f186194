import { seeded } from './random';

/** A problem for the search: which job may run on which printer, and the cost of a printer's whole sequence. */
export interface SequencingProblem {
  jobs: number;
  machines: number;
  eligible(job: number, machine: number): boolean;
  /**
   * The cost of a printer that prints these jobs in this order, never negative; the plan's cost is the sum over the
   * printers. Once it is certain to exceed `limit`, any value above `limit` may be returned.
   */
  cost(machine: number, sequence: readonly number[], limit?: number): number;
}

/**
 * The limits of the search. The number of moves bounds the work, so that a seed gives the same result on every machine.
 */
export interface Budget {
  seed: number;
  moves: number;
  /** First temperature, as a multiple of the mean cost of a job. */
  heat: number;
  /**
   * Returns the share of the time that is used up; called now and then, 1 ends the search. The temperature then also
   * follows the time, so the result depends on the machine's speed.
   */
  spent?: () => number;
}

/** The order of jobs on each printer, and its cost. */
export interface Sequences {
  order: number[][];
  cost: number;
}

/** The sum over all printers. */
export function totalCost(problem: SequencingProblem, order: readonly (readonly number[])[]): number {
  let sum = 0;
  for (let machine = 0; machine < problem.machines; machine++) sum += problem.cost(machine, order[machine] ?? []);
  return sum;
}

/** Inserts a job where it adds the least cost; changes the sequences in place. */
export function insertBest(problem: SequencingProblem, order: number[][], job: number): void {
  let best = { machine: -1, at: 0, added: Number.POSITIVE_INFINITY };
  for (let machine = 0; machine < problem.machines; machine++) {
    const sequence = order[machine];
    if (!sequence || !problem.eligible(job, machine)) continue;
    const before = problem.cost(machine, sequence);
    for (let at = 0; at <= sequence.length; at++) {
      sequence.splice(at, 0, job);
      const added = problem.cost(machine, sequence) - before;
      sequence.splice(at, 1);
      if (added < best.added) best = { machine, at, added };
    }
  }
  if (best.machine >= 0) order[best.machine]?.splice(best.at, 0, job);
}

/**
 * Simulated annealing with two moves: a job moves, or two jobs swap places. The result is never worse than the input.
 */
export function improve(problem: SequencingProblem, from: readonly (readonly number[])[], budget: Budget): Sequences {
  const order = from.map((sequence) => [...sequence]);
  const costs = order.map((sequence, machine) => problem.cost(machine, sequence));
  let cost = costs.reduce((sum, one) => sum + one, 0);
  let best = { order: order.map((sequence) => [...sequence]), cost };
  const placed = order.flat();
  if (placed.length === 0) return best;
  const where = new Int32Array(problem.jobs);
  for (const [machine, sequence] of order.entries()) for (const job of sequence) where[job] = machine;
  const random = seeded(budget.seed);
  const pick = (count: number): number => Math.floor(random() * count);
  const hot = (budget.heat * (cost + 1e-9)) / placed.length;
  const cold = hot / 1000;
  let done = 0;
  let temperature = hot;
  for (let move = 0; move < budget.moves; move++) {
    if ((move & 63) === 0) {
      done = Math.max(move / budget.moves, budget.spent?.() ?? 0);
      if (done >= 1) break;
      temperature = hot * (cold / hot) ** done;
    }
    const job = placed[pick(placed.length)] ?? 0;
    const a = where[job] ?? 0;
    const from = order[a] ?? [];
    const place = from.indexOf(job);
    const limit = cost - temperature * Math.log(random() + 1e-300);
    if (random() < 0.6) {
      const b = pick(problem.machines);
      if (!problem.eligible(job, b)) continue;
      const to = order[b] ?? [];
      from.splice(place, 1);
      const at = pick(to.length + 1);
      to.splice(at, 0, job);
      const rest = cost - (costs[a] ?? 0) - (a === b ? 0 : (costs[b] ?? 0));
      const costB = problem.cost(b, to, limit - rest);
      const costA = a === b ? costB : rest + costB > limit ? 0 : problem.cost(a, from, limit - rest - costB);
      const next = rest + costB + (a === b ? 0 : costA);
      if (next <= limit) {
        costs[a] = costA;
        costs[b] = costB;
        cost = next;
        where[job] = b;
      } else {
        to.splice(at, 1);
        from.splice(place, 0, job);
      }
    } else {
      const other = placed[pick(placed.length)] ?? 0;
      const b = where[other] ?? 0;
      if (other === job || !problem.eligible(job, b) || !problem.eligible(other, a)) continue;
      const to = order[b] ?? [];
      const at = to.indexOf(other);
      from[place] = other;
      to[at] = job;
      const rest = cost - (costs[a] ?? 0) - (a === b ? 0 : (costs[b] ?? 0));
      const costA = problem.cost(a, from, limit - rest);
      const costB = a === b ? costA : rest + costA > limit ? 0 : problem.cost(b, to, limit - rest - costA);
      const next = rest + costA + (a === b ? 0 : costB);
      if (next <= limit) {
        costs[a] = costA;
        costs[b] = costB;
        cost = next;
        where[job] = b;
        where[other] = a;
      } else {
        from[place] = job;
        to[at] = other;
      }
    }
    if (cost < best.cost - 1e-9) best = { order: order.map((sequence) => [...sequence]), cost };
  }
  return { order: best.order, cost: totalCost(problem, best.order) };
}
