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
 * A sequence of small total weighted tardiness where setups matter: simulated annealing with blocks of jobs that move
 * and jobs that change places (for the neighbourhoods: Subramanian, Battarra & Potts 2014), begun anew from the best
 * until the budget ends. A move is given up as soon as what is certain of its cost is above what would be accepted.
 *
 * @param budget `rounds` annealings of `moves` moves, and a clock that may end it early
 */
export function annealTardiness(
  problem: TardinessProblem,
  budget: { seed: number; rounds: number; moves: number; target?: number; expired?: () => boolean },
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
  /** The cost if `count` jobs from position `low` came in the order of `moved`; Infinity once it is above `limit`. */
  const evaluate = (low: number, count: number, limit: number): number => {
    let time = timeBefore[low] as number;
    let cost = costBefore[low] as number;
    let before = low === 0 ? n : (at[low - 1] as number);
    for (let k = 0; k < count; k++) {
      const job = moved[k] as number;
      time += (s[before * n + job] as number) + (p[job] as number);
      const late = time - (d[job] as number);
      if (late > 0) cost += late * (w[job] as number);
      before = job;
    }
    if (cost > limit) return Number.POSITIVE_INFINITY;
    for (let k = low + count; k < n; k++) {
      const job = at[k] as number;
      time += (s[before * n + job] as number) + (p[job] as number);
      const shift = time - (timeBefore[k + 1] as number);
      const rest = (costBefore[n] as number) - (costBefore[k] as number);
      // From here on everything is shifted alike: what is late by so much earlier or later bounds the rest from below.
      if (shift === 0) return cost + rest;
      const least = shift > 0 ? rest : Math.max(0, rest + shift * (weightFrom[k] as number));
      if (cost + least > limit) return Number.POSITIVE_INFINITY;
      const late = time - (d[job] as number);
      if (late > 0) cost += late * (w[job] as number);
      before = job;
    }
    return cost > limit ? Number.POSITIVE_INFINITY : cost;
  };
  settle(0);
  const target = budget.target ?? 0;
  for (let round = 0; round < budget.rounds && best.cost > target; round++) {
    // The first annealing begins hot; later ones only shake the best so far, some harder than others.
    const share = round === 0 ? 0.4 : 0.03 * 4 ** random();
    const hot = Math.max(1, (share * best.cost) / n);
    const factor = 1e-3 ** (1 / budget.moves);
    let temperature = hot;
    at.set(best.order);
    settle(0);
    for (let move = 0; move < budget.moves; move++, temperature *= factor) {
      if ((move & 8191) === 8191 && budget.expired?.()) return best;
      let low = 0;
      let count = 0;
      if (random() < 0.75) {
        // A block goes elsewhere: two neighbouring stretches change places.
        const length = random() < 0.5 ? 1 : 1 + Math.floor(random() * Math.min(12, n / 3));
        const from = Math.floor(random() * (n - length + 1));
        const reach = random() < 0.7 ? 12 : n;
        const forward = from === 0 ? true : from + length === n ? false : random() < 0.5;
        const room = forward ? n - from - length : from;
        const distance = 1 + Math.floor(random() * Math.min(room, reach));
        low = forward ? from : from - distance;
        count = length + distance;
        const left = forward ? length : distance;
        for (let k = 0; k < count - left; k++) moved[k] = at[low + left + k] as number;
        for (let k = 0; k < left; k++) moved[count - left + k] = at[low + k] as number;
      } else {
        const i = Math.floor(random() * n);
        const j = Math.floor(random() * n);
        if (i === j) continue;
        low = Math.min(i, j);
        count = Math.abs(i - j) + 1;
        for (let k = 0; k < count; k++) moved[k] = at[low + k] as number;
        moved[0] = at[low + count - 1] as number;
        moved[count - 1] = at[low] as number;
      }
      const limit = (costBefore[n] as number) - temperature * Math.log(random() + 1e-300);
      const cost = evaluate(low, count, limit);
      if (cost === Number.POSITIVE_INFINITY) continue;
      for (let k = 0; k < count; k++) at[low + k] = moved[k] as number;
      settle(low);
      if ((costBefore[n] as number) < best.cost - 1e-9) {
        best = { order: Array.from(at), cost: costBefore[n] as number };
        if (best.cost <= target) return best;
      }
    }
  }
  return best;
}
