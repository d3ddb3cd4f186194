import { readFileSync } from 'node:fs';
import { performance } from 'node:perf_hooks';
import { improve, insertBest, type SequencingProblem } from '../../lib/planning/improve';
import { type ExactMachine, solveExactly } from './exact';

const searchMs = 165;

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

/** The same costs for the local search, which evaluates them a million times: numbers only. */
export function sequencing(file: AnchorFile, anchor: Anchor): SequencingProblem {
  const [open, close] = file.operator_window;
  const durations = anchor.printers.map((printer) =>
    Float64Array.from(anchor.jobs, (job) => job.duration_min[printer.id] ?? Number.POSITIVE_INFINITY),
  );
  const release = Float64Array.from(anchor.jobs, (job) => job.release_min);
  const due = Float64Array.from(anchor.jobs, (job) => job.due_min);
  const weight = Float64Array.from(anchor.jobs, (job) => job.weight);
  const material = Int32Array.from(anchor.jobs, (job) => job.material);
  const { day_min: day, clear_min: clear, swap_cost: swapCost } = file;
  return {
    jobs: anchor.n,
    machines: anchor.printers.length,
    eligible: (job, machine) => Number.isFinite(durations[machine]?.[job]),
    cost(machine, sequence, limit = Number.POSITIVE_INFINITY) {
      const printer = anchor.printers[machine] as Anchor['printers'][number];
      const own = durations[machine] as Float64Array;
      const changes = printer.initial_material !== null;
      let held = printer.initial_material ?? 0;
      let time = 0;
      let cost = 0;
      for (let k = 0; k < sequence.length; k++) {
        const job = sequence[k] as number;
        const earliest = k === 0 ? open : open + clear;
        const begin = Math.max(release[job] as number, k === 0 ? 0 : time + clear);
        const inDay = begin % day;
        time = inDay < earliest ? begin + earliest - inDay : inDay > close ? begin + day - inDay + earliest : begin;
        if (changes && held !== material[job]) {
          time += printer.setup_min;
          cost += swapCost;
          held = material[job] as number;
        }
        time += own[job] as number;
        const late = time - (due[job] as number);
        if (late > 0) cost += late * (weight[job] as number);
        if (cost > limit) return cost;
      }
      return cost;
    },
  };
}

/** Compares the exact search and the local search with the proved optimum of each anchor. */
export function anchors(path: string, seed: number): { rows: object[]; summary: object } {
  const file: AnchorFile = JSON.parse(readFileSync(path, 'utf8'));
  const rows = file.instances.map((anchor) => {
    const machines = machinesOf(file, anchor);
    const problem = sequencing(file, anchor);
    const begun = performance.now();
    let value = Number.POSITIVE_INFINITY;
    // Two searches of equal time; an idle machine finishes them earlier.
    for (let restart = 0; restart < 2; restart++) {
      const order: number[][] = machines.map(() => []);
      for (let job = 0; job < anchor.n; job++) insertBest(problem, order, job);
      const from = performance.now();
      const time = (begun + searchMs - from) / (2 - restart);
      const spent = (): number => (performance.now() - from) / time;
      const found = improve(problem, order, { seed: seed + restart, moves: 400_000, heat: 3, spent });
      value = Math.min(value, found.cost);
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
