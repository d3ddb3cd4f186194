import { seeded } from './random';

/** One machine, jobs with weights and due dates, setups that depend on what came before. Any unit of time. */
export interface TardinessProblem {
  times: readonly number[];
  weights: readonly number[];
  due: readonly number[];
  /** Row-major (n + 1) × n: the setup of j after i; row n is the setup of j when it is first. Null: no setups. */
  setups: Float64Array | null;
}

/**
 * A sequence of small total weighted tardiness: iterated local search over insertion and exchange of neighbours at any
 * distance, with random block moves as kicks, restarted from the best now and then (Lourenço, Martin & Stützle 2003).
 *
 * @param budget rounds of local search, and a clock that may end it early
 */
export function leastTardiness(
  problem: TardinessProblem,
  budget: { seed: number; rounds: number; target?: number; expired?: () => boolean },
): { order: number[]; cost: number } {
  const n = problem.times.length;
  const random = seeded(budget.seed);
  const p = Float64Array.from(problem.times);
  const w = Float64Array.from(problem.weights);
  const d = Float64Array.from(problem.due);
  const s = problem.setups ?? new Float64Array((n + 1) * n);
  const at = new Int32Array(n);
  // Time and cost before each position: a move is judged from the first position that it touches.
  const timeBefore = new Float64Array(n + 1);
  const costBefore = new Float64Array(n + 1);
  const settle = (from: number): void => {
    for (let k = from; k < n; k++) {
      const job = at[k] as number;
      const before = k === 0 ? n : (at[k - 1] as number);
      const done = (timeBefore[k] as number) + (s[before * n + job] as number) + (p[job] as number);
      timeBefore[k + 1] = done;
      const late = done - (d[job] as number);
      costBefore[k + 1] = (costBefore[k] as number) + (late > 0 ? late * (w[job] as number) : 0);
    }
  };
  const evaluate = (low: number, moved: Int32Array, count: number, limit: number): number => {
    let time = timeBefore[low] as number;
    let cost = costBefore[low] as number;
    let before = low === 0 ? n : (at[low - 1] as number);
    for (let k = 0; k < count; k++) {
      const job = moved[k] as number;
      time += (s[before * n + job] as number) + (p[job] as number);
      const late = time - (d[job] as number);
      if (late > 0) {
        cost += late * (w[job] as number);
        if (cost >= limit) return cost;
      }
      before = job;
    }
    const end = low + count;
    if (end < n) {
      const next = at[end] as number;
      const same = time + (s[before * n + next] as number) + (p[next] as number) === timeBefore[end + 1];
      if (same) {
        const late = (timeBefore[end + 1] as number) - (d[next] as number);
        return (
          cost +
          (late > 0 ? late * (w[next] as number) : 0) +
          (costBefore[n] as number) -
          (costBefore[end + 1] as number)
        );
      }
    }
    for (let k = end; k < n; k++) {
      const job = at[k] as number;
      time += (s[before * n + job] as number) + (p[job] as number);
      const late = time - (d[job] as number);
      if (late > 0) {
        cost += late * (w[job] as number);
        if (cost >= limit) return cost;
      }
      before = job;
    }
    return cost;
  };
  const moved = new Int32Array(n);
  const tryMove = (i: number, j: number, kind: number): boolean => {
    const low = Math.min(i, j);
    const high = Math.max(i, j);
    const count = high - low + 1;
    if (kind === 0) {
      for (let k = 0; k < count; k++) moved[k] = at[low + k] as number;
      moved[0] = at[high] as number;
      moved[count - 1] = at[low] as number;
    } else if (i < j) {
      for (let k = 0; k < count - 1; k++) moved[k] = at[low + k + 1] as number;
      moved[count - 1] = at[low] as number;
    } else {
      moved[0] = at[high] as number;
      for (let k = 1; k < count; k++) moved[k] = at[low + k - 1] as number;
    }
    const limit = costBefore[n] as number;
    if (evaluate(low, moved, count, limit - 1e-9) >= limit - 1e-9) return false;
    for (let k = 0; k < count; k++) at[low + k] = moved[k] as number;
    settle(low);
    return true;
  };
  const descend = (): void => {
    let improved = true;
    while (improved) {
      improved = false;
      const shift = Math.floor(random() * n);
      for (let a = 0; a < n; a++) {
        const i = (a + shift) % n;
        for (let j = 0; j < n; j++) {
          if (i === j) continue;
          if (tryMove(i, j, 1) || (i < j && tryMove(i, j, 0))) improved = true;
        }
      }
    }
  };
  // First by the apparent tardiness cost with setups (Lee, Bhaskaran & Pinedo 1997).
  const mean = p.reduce((sum, one) => sum + one, 0) / n;
  const meanSetup = s.reduce((sum, one) => sum + one, 0) / s.length || 1;
  const left = new Set(Array.from({ length: n }, (_, job) => job));
  let time = 0;
  for (let k = 0; k < n; k++) {
    const before = k === 0 ? n : (at[k - 1] as number);
    let best = -1;
    let highest = Number.NEGATIVE_INFINITY;
    for (const job of left) {
      const setup = s[before * n + job] as number;
      const slack = Math.max(0, (d[job] as number) - (p[job] as number) - time);
      const index =
        Math.log(((w[job] as number) + 1e-6) / ((p[job] as number) + 1e-6)) -
        slack / (2 * mean) -
        setup / (0.3 * meanSetup);
      if (index > highest) {
        highest = index;
        best = job;
      }
    }
    at[k] = best;
    left.delete(best);
    time += (s[before * n + best] as number) + (p[best] as number);
  }
  settle(0);
  descend();
  let best = { order: Array.from(at), cost: costBefore[n] as number };
  let current = best;
  const target = budget.target ?? 0;
  let stale = 0;
  for (let round = 0; round < budget.rounds && best.cost > target; round++) {
    if (budget.expired?.()) break;
    const kicks = 1 + Math.floor(random() * 3);
    for (let kick = 0; kick < kicks; kick++) {
      // Two neighbouring blocks change places.
      const size = 1 + Math.floor(random() * Math.min(10, n / 3));
      const second = 1 + Math.floor(random() * Math.min(10, n / 3));
      const first = Math.floor(random() * Math.max(1, n - size - second));
      const order = Array.from(at);
      const block = order.splice(first, size);
      order.splice(first + second, 0, ...block);
      at.set(order);
    }
    settle(0);
    descend();
    const cost = costBefore[n] as number;
    if (cost <= current.cost * (stale > 50 ? 1.01 : 1) + 1e-9) current = { order: Array.from(at), cost };
    if (cost < best.cost - 1e-9) {
      best = { order: Array.from(at), cost };
      stale = 0;
    } else if (++stale % 200 === 0) {
      current = best;
      at.set(best.order);
    }
    at.set(current.order);
    settle(0);
  }
  return best;
}

/**
 * A sequence of small total weighted tardiness where setups matter: iterated local search whose neighbours are blocks of
 * jobs that move and jobs that change places (Subramanian, Battarra & Potts 2014), begun anew when it is stuck. A move is
 * given up as soon as what is certain of its cost is above the present one.
 *
 * @param budget `rounds` of local search, and a clock that may end it early
 */
export function leastTardinessWithSetups(
  problem: TardinessProblem,
  budget: { seed: number; rounds: number; target?: number; expired?: () => boolean },
): { order: number[]; cost: number } {
  const n = problem.times.length;
  const random = seeded(budget.seed);
  const p = Float64Array.from(problem.times);
  const w = Float64Array.from(problem.weights);
  const d = Float64Array.from(problem.due);
  const s = problem.setups ?? new Float64Array((n + 1) * n);
  const first = leastTardiness(problem, { seed: budget.seed, rounds: 0 });
  let best = first;
  if (n < 3) return best;
  const at = Int32Array.from(first.order);
  const timeBefore = new Float64Array(n + 1);
  const costBefore = new Float64Array(n + 1);
  const weightFrom = new Float64Array(n + 1);
  const moved = new Int32Array(n);
  const settle = (from: number): void => {
    for (let k = from; k < n; k++) {
      const job = at[k] as number;
      const before = k === 0 ? n : (at[k - 1] as number);
      const done = (timeBefore[k] as number) + (s[before * n + job] as number) + (p[job] as number);
      timeBefore[k + 1] = done;
      const late = done - (d[job] as number);
      costBefore[k + 1] = (costBefore[k] as number) + (late > 0 ? late * (w[job] as number) : 0);
    }
    for (let k = n - 1; k >= 0; k--) weightFrom[k] = (weightFrom[k + 1] as number) + (w[at[k] as number] as number);
  };
  /**
   * Whether the total stays at or below `limit` if from `low` on the time and cost of a changed stretch are such; the
   * rest follows from position `next`, after the job `before`.
   */
  const restFits = (next: number, timeThere: number, costThere: number, last: number, limit: number): boolean => {
    let time = timeThere;
    let cost = costThere;
    let before = last;
    for (let k = next; k < n; k++) {
      const job = at[k] as number;
      time += (s[before * n + job] as number) + (p[job] as number);
      const shift = time - (timeBefore[k + 1] as number);
      const rest = (costBefore[n] as number) - (costBefore[k] as number);
      // From here on everything is shifted alike: what is late by so much earlier or later bounds the rest from below.
      if (shift === 0) return cost + rest <= limit;
      if (cost + (shift > 0 ? rest : Math.max(0, rest + shift * (weightFrom[k] as number))) > limit) return false;
      const late = time - (d[job] as number);
      if (late > 0) cost += late * (w[job] as number);
      before = job;
    }
    return cost <= limit;
  };
  let time = 0;
  let cost = 0;
  let before = 0;
  const enter = (low: number): void => {
    time = timeBefore[low] as number;
    cost = costBefore[low] as number;
    before = low === 0 ? n : (at[low - 1] as number);
  };
  const pass = (job: number): void => {
    time += (s[before * n + job] as number) + (p[job] as number);
    const late = time - (d[job] as number);
    if (late > 0) cost += late * (w[job] as number);
    before = job;
  };
  const total = (): number => costBefore[n] as number;
  /** Two neighbouring stretches change places: from `low`, `left` jobs and then `right`. */
  const tryBlocks = (low: number, left: number, right: number, limit: number): boolean => {
    const middle = low + left;
    const end = middle + right;
    enter(low);
    for (let k = middle; k < end; k++) pass(at[k] as number);
    if (cost > limit) return false;
    for (let k = low; k < middle; k++) pass(at[k] as number);
    if (cost > limit || !restFits(end, time, cost, before, limit)) return false;
    moved.set(at.subarray(low, middle));
    at.copyWithin(low, middle, end);
    for (let k = 0; k < left; k++) at[low + right + k] = moved[k] as number;
    settle(low);
    return true;
  };
  const trySwap = (i: number, j: number, limit: number): boolean => {
    enter(i);
    pass(at[j] as number);
    for (let k = i + 1; k < j; k++) pass(at[k] as number);
    if (cost > limit) return false;
    pass(at[i] as number);
    if (cost > limit || !restFits(j + 1, time, cost, before, limit)) return false;
    const job = at[i] as number;
    at[i] = at[j] as number;
    at[j] = job;
    settle(i);
    return true;
  };
  const lengths = new Int32Array(6);
  const descend = (): void => {
    // Exchanges, short blocks and two lengths of longer ones, in an order of chance, until none has helped since the last gain.
    for (let k = 0; k < 4; k++) lengths[k] = k;
    for (let k = 4; k < 6; k++) lengths[k] = Math.min(n - 1, 4 + Math.floor(random() * (longestBlock - 3)));
    shuffle(lengths, random);
    let idle = 0;
    for (let k = 0; idle < lengths.length; k = (k + 1) % lengths.length) {
      const length = lengths[k] as number;
      const furthest = length > 3 ? farthestLongBlock : farthest;
      let helped = false;
      if (length === 0) {
        for (let i = 0; i < n - 1; i++) {
          for (let j = i + 1; j < n && j <= i + farthest; j++) if (trySwap(i, j, total() - 1e-6)) helped = true;
        }
      } else {
        for (let low = 0; low + length < n; low++) {
          for (let right = 1; low + length + right <= n && right <= furthest; right++) {
            if (tryBlocks(low, length, right, total() - 1e-6)) helped = true;
            else if (right > length && tryBlocks(low, right, length, total() - 1e-6)) helped = true;
          }
        }
      }
      idle = helped ? 0 : idle + 1;
    }
  };
  const target = budget.target ?? 0;
  settle(0);
  descend();
  let current = { order: Array.from(at), cost: total() };
  best = current;
  let stuck = 0;
  for (let round = 0; round < budget.rounds && best.cost > target; round++) {
    if (budget.expired?.()) break;
    const kicks = 1 + Math.floor(random() * 2);
    for (let kick = 0; kick < kicks; kick++) {
      const left = 1 + Math.floor(random() * Math.min(12, n / 3));
      const right = 1 + Math.floor(random() * Math.min(12, n / 3));
      tryBlocks(Math.floor(random() * (n - left - right + 1)), left, right, Number.POSITIVE_INFINITY);
    }
    descend();
    if (total() <= current.cost * (1 + tolerance * random())) {
      if (total() < current.cost) stuck = 0;
      current = { order: Array.from(at), cost: total() };
    } else stuck++;
    if (current.cost < best.cost) best = current;
    if (stuck > patience) {
      stuck = 0;
      // From anywhere, or more often from the best, shaken hard.
      const order = [...best.order];
      if (random() < 0.3) shuffle(order, random);
      else for (let k = 0; k < 6; k++) order.push(...order.splice(Math.floor(random() * n), Math.floor(random() * 10)));
      at.set(order);
      settle(0);
      descend();
      current = { order: Array.from(at), cost: total() };
      if (current.cost < best.cost) best = current;
    }
    at.set(current.order);
    settle(0);
  }
  return best;
}

const longestBlock = 12;
/** A job moves at most so many places, a block of more than three at most so many. */
const farthest = 25;
const farthestLongBlock = 12;
/** A local optimum that is worse by at most this share may be gone on from. */
const tolerance = 0.005;
/** After so many rounds without a gain it begins anew. */
const patience = 200;

function shuffle(values: number[] | Int32Array, random: () => number): void {
  for (let k = values.length - 1; k > 0; k--) {
    const other = Math.floor(random() * (k + 1));
    const value = values[k] as number;
    values[k] = values[other] as number;
    values[other] = value;
  }
}
