import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import type { TardinessProblem } from './sequence';
import { leastTardiness } from './tardiness';

interface Instance {
  name: string;
  problem: TardinessProblem;
  reference: number | null;
}

/** Without setups a plan is found so quickly that the clock need not end the search. */
const rounds = { wt: 300, 'wt-sds': Number.POSITIVE_INFINITY };

const numbers = (text: string): number[] => text.split(/\s+/).filter(Boolean).map(Number);

/** OR-Library's weighted tardiness: per instance n times, n weights, n due dates; optima in wtoptN.txt beside it. */
function orLibrary(path: string): Instance[] {
  const n = Number(/wt(\d+)/.exec(path.split('/').at(-1) ?? '')?.[1] ?? 40);
  const values = numbers(readFileSync(path, 'utf8'));
  const optima = [`wtopt${n}.txt`, `wtbest${n}.txt`].map((name) => join(dirname(path), name)).find(existsSync);
  const references = optima ? numbers(readFileSync(optima, 'utf8')) : [];
  return Array.from({ length: Math.floor(values.length / (3 * n)) }, (_, index) => {
    const from = index * 3 * n;
    return {
      name: `wt${n}_${index + 1}`,
      problem: {
        times: values.slice(from, from + n),
        weights: values.slice(from + n, from + 2 * n),
        due: values.slice(from + 2 * n, from + 3 * n),
        setups: null,
      },
      reference: references[index] ?? null,
    };
  });
}

/** Cicirello's instances with setups: a file or a folder of them, the references in a CSV beside it. */
function withSetups(path: string): Instance[] {
  const folder = statSync(path).isDirectory() ? path : dirname(path);
  const files =
    folder === path
      ? readdirSync(path)
          .filter((name) => name.endsWith('.instance'))
          .map((name) => join(path, name))
      : [path];
  const csv = join(folder, 'reference_upper_bounds.csv');
  const bounds = new Map<string, number>();
  if (existsSync(csv)) {
    for (const line of readFileSync(csv, 'utf8').trim().split('\n').slice(1)) {
      const [name, value] = line.split(',');
      if (name) bounds.set(name, Number(value));
    }
  }
  const read = (file: string): Instance => {
    const text = readFileSync(file, 'utf8');
    const section = (title: string, until: string): number[] =>
      numbers(text.slice(text.indexOf(title) + title.length, text.indexOf(until)));
    const times = section('Process Times:', 'Weights:');
    const n = times.length;
    const setups = new Float64Array((n + 1) * n);
    const triples = section('Setup Times:', 'End Problem Specification');
    for (let k = 0; k + 2 < triples.length; k += 3) {
      const [i = 0, j = 0, s = 0] = triples.slice(k, k + 3);
      setups[(i < 0 ? n : i) * n + j] = s;
    }
    const name = `wt_sds_${/Problem Instance:\s*(\d+)/.exec(text)?.[1]}`;
    return {
      name,
      problem: { times, weights: section('Weights:', 'Duedates:'), due: section('Duedates:', 'Setup Times:'), setups },
      reference: bounds.get(name) ?? null,
    };
  };
  return files.map(read).sort((a, b) => a.name.localeCompare(b.name, 'en', { numeric: true }));
}

/** Compares the local search with the reference for each instance. */
export function singleMachine(
  kind: 'wt' | 'wt-sds',
  path: string,
  options: { seed: number; seconds: number },
): { rows: object[]; summary: object } {
  const instances = kind === 'wt' ? orLibrary(path) : withSetups(path);
  const rows = instances.map(({ name, problem, reference }) => {
    const begun = performance.now();
    const cpu = process.cpuUsage();
    const limit = begun + options.seconds * 1000;
    const expired = (): boolean => performance.now() > limit;
    const { cost } = leastTardiness(problem, { seed: options.seed, rounds: rounds[kind], expired });
    const gap =
      reference === null ? null : reference === 0 ? (cost === 0 ? 0 : null) : (100 * (cost - reference)) / reference;
    const { user, system } = process.cpuUsage(cpu);
    return {
      instance: name,
      reference,
      value: cost,
      gap_percent: gap,
      ms: Math.round(performance.now() - begun),
      cpu_ms: Math.round((user + system) / 1000),
    };
  });
  const known = rows.filter((row) => row.reference !== null);
  const matched = known.filter((row) => row.value <= (row.reference ?? 0)).length;
  const gaps = known.flatMap((row) => (row.gap_percent === null ? [] : [row.gap_percent]));
  return {
    rows,
    summary: {
      instances: rows.length,
      at_reference: matched,
      at_reference_percent: (100 * matched) / Math.max(1, known.length),
      within_1_percent: known.filter((row) => row.value <= (row.reference ?? 0) * 1.01).length,
      worst_gap_percent: Math.max(0, ...gaps),
      ms_max: Math.max(...rows.map((row) => row.ms)),
      cpu_ms: rows.reduce((sum, row) => sum + row.cpu_ms, 0),
    },
  };
}
