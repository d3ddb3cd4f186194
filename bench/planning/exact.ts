/** One printer of a small problem, as a state machine: the cost of printing a job next. */
export interface ExactMachine {
  /** States of the printer between two jobs that affect later jobs (which material is loaded). */
  states: number;
  first: number;
  eligible(job: number): boolean;
  /** Prints a job from a state at a time: returns its end, the added cost, and the resulting state. */
  step(job: number, state: number, time: number, isFirst: boolean): { time: number; cost: number; state: number };
}

interface Label {
  time: number;
  cost: number;
  job: number;
  before: Label | null;
}

/**
 * The proved optimal sequences of few jobs (up to 16) on unlike printers: for each printer the best cost of each set of
 * jobs by dynamic programming over sets with undominated (time, cost) labels (Held and Karp 1962, with labels as in
 * resource-constrained shortest paths), then the best way to divide all jobs among the printers. It requires of a step
 * that starting later never ends earlier nor costs less.
 */
export function solveExactly(jobs: number, machines: readonly ExactMachine[]): { order: number[][]; cost: number } {
  const sets = 1 << jobs;
  const alone = machines.map((machine) => eachSet(jobs, machine));
  let best = new Float64Array(sets).fill(Number.POSITIVE_INFINITY);
  best[0] = 0;
  const taken: Int32Array[] = [];
  for (const own of alone) {
    const next = new Float64Array(sets).fill(Number.POSITIVE_INFINITY);
    const took = new Int32Array(sets);
    for (let set = 0; set < sets; set++) {
      let least = Number.POSITIVE_INFINITY;
      for (let part = set; ; part = (part - 1) & set) {
        const cost = (own.cost[part] ?? 0) + (best[set ^ part] ?? 0);
        if (cost < least) {
          least = cost;
          took[set] = part;
        }
        if (part === 0) break;
      }
      next[set] = least;
    }
    best = next;
    taken.push(took);
  }
  const order: number[][] = machines.map(() => []);
  let rest = sets - 1;
  for (let machine = machines.length - 1; machine >= 0; machine--) {
    const part = taken[machine]?.[rest] ?? 0;
    for (let label = alone[machine]?.last[part] ?? null; label?.before; label = label.before)
      order[machine]?.unshift(label.job);
    rest ^= part;
  }
  return { order, cost: best[sets - 1] ?? Number.POSITIVE_INFINITY };
}

function eachSet(jobs: number, machine: ExactMachine): { cost: Float64Array; last: (Label | null)[] } {
  const sets = 1 << jobs;
  const labels: (Label[] | undefined)[] = new Array(sets * machine.states);
  const cost = new Float64Array(sets).fill(Number.POSITIVE_INFINITY);
  const last: (Label | null)[] = new Array(sets).fill(null);
  labels[machine.first] = [{ time: 0, cost: 0, job: -1, before: null }];
  const eligible = Array.from({ length: jobs }, (_, job) => machine.eligible(job));
  for (let set = 0; set < sets; set++) {
    for (let state = 0; state < machine.states; state++) {
      const index = set * machine.states + state;
      for (const label of labels[index] ?? []) {
        if (label.cost < (cost[set] ?? 0)) {
          cost[set] = label.cost;
          last[set] = label;
        }
        for (let job = 0; job < jobs; job++) {
          if (set & (1 << job) || !eligible[job]) continue;
          const done = machine.step(job, state, label.time, set === 0);
          const into = (set | (1 << job)) * machine.states + done.state;
          labels[into] ??= [];
          keepUndominated(labels[into], { time: done.time, cost: label.cost + done.cost, job, before: label });
        }
      }
    }
  }
  return { cost, last };
}

function keepUndominated(labels: Label[], label: Label): void {
  for (const one of labels) if (one.time <= label.time && one.cost <= label.cost) return;
  let kept = 0;
  for (const one of labels) {
    if (label.time <= one.time && label.cost <= one.cost) continue;
    labels[kept++] = one;
  }
  labels.length = kept;
  labels.push(label);
}
