import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { type ExactMachine, solveExactly } from '../../lib/planning/exact';
import { improve, insertBest, type SequencingProblem } from '../../lib/planning/improve';

interface Anchor {
  id: string;
  n: number;
  optimum: number;
  printers: { id: string; setup_min: number; initial_material: number | null }[];
  jobs: {
    material: number;
    weight: number;
    release_min: number;
    due_min: number;
    duration_min: Record<string, number | null>;
  }[];
}

interface AnchorFile {
  clear_min: number;
  swap_cost: number;
  operator_window: [number, number];
  day_min: number;
  instances: Anchor[];
}

function machinesOf(file: AnchorFile, anchor: Anchor): ExactMachine[] {
  const [open, close] = file.operator_window;
  const materials =
    Math.max(...anchor.jobs.map((job) => job.material), ...anchor.printers.map((p) => p.initial_material ?? 0)) + 1;
  return anchor.printers.map((printer) => {
    const changes = printer.initial_material !== null;
    const durations = anchor.jobs.map((job) => job.duration_min[printer.id] ?? null);
    return {
      states: changes ? materials : 1,
      first: printer.initial_material ?? 0,
      eligible: (job) => durations[job] !== null,
      step(index, state, time, isFirst) {
        const job = anchor.jobs[index];
        if (!job) throw new RangeError(`no job ${index}`);
        let begin = Math.max(job.release_min, isFirst ? 0 : time + file.clear_min);
        const earliest = isFirst ? open : open + file.clear_min;
        const inDay = ((begin % file.day_min) + file.day_min) % file.day_min;
        if (inDay < earliest) begin += earliest - inDay;
        else if (inDay > close) begin += file.day_min - inDay + earliest;
        const swap = changes && state !== job.material;
        const end = begin + (swap ? printer.setup_min : 0) + (durations[index] ?? 0);
        return {
          time: end,
          cost: job.weight * Math.max(0, end - job.due_min) + (swap ? file.swap_cost : 0),
          state: changes ? job.material : 0,
        };
      },
    };
  });
}

function sequencing(jobs: number, machines: readonly ExactMachine[]): SequencingProblem {
  return {
    jobs,
    machines: machines.length,
    eligible: (job, machine) => machines[machine]?.eligible(job) ?? false,
    cost(machine, sequence) {
      const own = machines[machine];
      if (!own) return 0;
      let time = 0;
      let state = own.first;
      let cost = 0;
      for (let k = 0; k < sequence.length; k++) {
        const done = own.step(sequence[k] ?? 0, state, time, k === 0);
        time = done.time;
        state = done.state;
        cost += done.cost;
      }
      return cost;
    },
  };
}

/** Each anchor by the exact search and by the local search, against its proved optimum. */
export function anchors(path: string, seed: number): { rows: object[]; summary: object } {
  const file: AnchorFile = JSON.parse(readFileSync(path, 'utf8'));
  const rows = file.instances.map((anchor) => {
    const machines = machinesOf(file, anchor);
    const problem = sequencing(anchor.n, machines);
    const begun = performance.now();
    const limit = begun + 190;
    let value = Number.POSITIVE_INFINITY;
    for (let restart = 0; restart < 5 && performance.now() < limit; restart++) {
      const order: number[][] = machines.map(() => []);
      for (let job = 0; job < anchor.n; job++) insertBest(problem, order, job);
      const expired = (): boolean => performance.now() > limit;
      value = Math.min(value, improve(problem, order, { seed: seed + restart, moves: 60_000, heat: 3, expired }).cost);
    }
    const searched = performance.now();
    const exact = solveExactly(anchor.n, machines);
    const proved = performance.now();
    return {
      instance: anchor.id,
      reference: anchor.optimum,
      exact: exact.cost,
      local_search: value,
      local_search_ms: Math.round(searched - begun),
      exact_ms: Math.round(proved - searched),
    };
  });
  const proved = rows.filter((row) => row.exact === row.reference).length;
  const optimal = rows.filter((row) => row.local_search === row.reference).length;
  return {
    rows,
    summary: {
      instances: rows.length,
      exact_optimal: proved,
      local_search_optimal: optimal,
      local_search_optimal_percent: (100 * optimal) / rows.length,
      local_search_ms_max: Math.max(...rows.map((row) => row.local_search_ms)),
      exact_ms_max: Math.max(...rows.map((row) => row.exact_ms)),
    },
  };
}
