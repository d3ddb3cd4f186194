import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { parseArgs, promisify } from 'node:util';
import type { Figures } from './figures';
import { differenceOf, type Interval, ratioOf } from './paired';
import { streamsOf } from './stream';

const usage = `usage: npm run bench:gates -- --workloads FOLDER [--printers FILE] [--parallel N] [--out FILE] [--backlog 60]
         [--operator 08:00-20:00 …] [--moves N] [--seed N] [--weight name=value …]
  Runs every stream of the folder with every policy and prints the gates, with paired 95 % intervals over the streams.
  Streams are grouped by the start of their names, up to the first underscore.`;

const { values: options } = parseArgs({
  options: {
    workloads: { type: 'string' },
    printers: { type: 'string' },
    operator: { type: 'string', multiple: true, default: ['08:00-20:00', '00:00-24:00'] },
    parallel: { type: 'string', default: String(availableParallelism()) },
    backlog: { type: 'string', default: '60' },
    moves: { type: 'string' },
    seed: { type: 'string' },
    weight: { type: 'string', multiple: true, default: [] },
    out: { type: 'string' },
  },
});

interface Cell {
  group: string;
  operator: string;
  /** By policy, one entry per stream, in the same order for all. */
  runs: Record<string, Figures[]>;
}

const run = promisify(execFile);
const dynamicPolicies = ['fifo', 'edd', 'seed', 'platewise'];
const backlogPolicies = ['sequential', 'fifo', 'seed', 'platewise'];

async function one(stream: string, printers: string, operator: string, policy: string, more: string[]) {
  const main = join(__dirname, __filename.endsWith('.ts') ? 'main.ts' : 'main.js');
  const args = ['--workload', stream, '--printers', printers, '--operator', operator, '--policy', policy, '--json'];
  if (options.moves) args.push('--moves', options.moves);
  if (options.seed) args.push('--seed', options.seed);
  for (const weight of options.weight) args.push('--weight', weight);
  const { stdout } = await run(process.execPath, [...process.execArgv, main, ...args, ...more]);
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as Figures;
}

/** Runs this many calls concurrently; the answers keep the order of the calls. */
async function inParallel<T>(calls: (() => Promise<T>)[], width: number): Promise<T[]> {
  const answers: T[] = new Array(calls.length);
  let next = 0;
  const work = async (): Promise<void> => {
    for (let index = next++; index < calls.length; index = next++)
      answers[index] = await (calls[index] as () => Promise<T>)();
  };
  await Promise.all(Array.from({ length: width }, work));
  return answers;
}

const column = (cell: Cell, policy: string, of: (figures: Figures) => number): number[] =>
  (cell.runs[policy] ?? []).map(of);
const late = (one: Figures): number => 100 - one.deadlines_met_percent;
const text = ({ value, low, high }: Interval, digits = 2): string =>
  `${value.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;
const mean = (values: number[]): number => values.reduce((sum, value) => sum + value, 0) / Math.max(1, values.length);

interface Row {
  gate: string;
  cell: string;
  measured: string;
  limit: string;
  met: boolean | null;
}

function dynamicRows(cell: Cell): Row[] {
  const name = `${cell.group} ${cell.operator}`;
  const always = cell.operator === '00:00-24:00';
  const of = (policy: string, figure: (figures: Figures) => number) => column(cell, policy, figure);
  const loaded = !cell.group.startsWith('rho060');
  const rows: Row[] = [];
  const add = (gate: string, measured: Interval, limit: number, atMost: boolean, judged: boolean): void => {
    const met = atMost ? measured.value <= limit : measured.value >= limit;
    rows.push({
      gate,
      cell: name,
      measured: text(measured),
      limit: `${atMost ? '≤' : '≥'} ${limit}${judged ? '' : ' (goal)'}`,
      met,
    });
  };
  add('late share / SEED', ratioOf(of('platewise', late), of('seed', late)), 0.7, true, loaded && !always);
  add(
    'deadlines − EDD, points',
    differenceOf(of('edd', late), of('platewise', late)),
    loaded && !always ? 1 : -0.5,
    false,
    loaded && !always,
  );
  add(
    'swaps / FIFO',
    ratioOf(
      of('platewise', (f) => f.swaps),
      of('fifo', (f) => f.swaps),
    ),
    0.6,
    true,
    !always,
  );
  add(
    'longest wait / SEED',
    ratioOf(
      of('platewise', (f) => f.longest_wait_hours),
      of('seed', (f) => f.longest_wait_hours),
    ),
    0.65,
    true,
    cell.group.startsWith('rho097') && !always,
  );
  const unserved = of('platewise', (f) => f.unserved).reduce((sum, count) => sum + count, 0);
  rows.push({ gate: 'unserved', cell: name, measured: String(unserved), limit: '= 0', met: unserved === 0 });
  return rows;
}

function backlogRows(cell: Cell): Row[] {
  const span = (policy: string): number[] => column(cell, policy, (f) => f.makespan_hours);
  const name = `${cell.group} ${cell.operator}`;
  const judged = cell.operator !== '00:00-24:00';
  const byFifo = ratioOf(span('platewise'), span('fifo'));
  const bySequence = ratioOf(span('sequential'), span('platewise'));
  return [
    {
      gate: `backlog of ${options.backlog}: makespan / FIFO`,
      cell: name,
      measured: text(byFifo),
      limit: judged ? '≤ 0.88' : '≤ 0.88 (goal)',
      met: byFifo.value <= 0.88,
    },
    {
      gate: `backlog of ${options.backlog}: throughput / one at a time`,
      cell: name,
      measured: text(bySequence),
      limit: judged ? '≥ 3' : '≥ 3 (goal)',
      met: bySequence.value >= 3,
    },
  ];
}

/** Starts within ± 15 min and coverage by lead, over all streams of a window, weighted by the number of streams. */
function etaRows(cells: Cell[]): Row[] {
  const rows: Row[] = [];
  for (const operator of new Set(cells.map((cell) => cell.operator))) {
    const runs = cells.filter((cell) => cell.operator === operator).flatMap((cell) => cell.runs['platewise'] ?? []);
    for (const lead of Object.keys(runs[0]?.interval_coverage_percent_by_lead ?? {})) {
      const known = (of: (figures: Figures) => number | null | undefined): number =>
        mean(runs.map(of).filter((value): value is number => typeof value === 'number'));
      const within = known((f) => f.eta_within_15_min_percent_by_lead[lead]);
      const covered = known((f) => f.interval_coverage_percent_by_lead[lead]);
      const near = lead === '0-1h' || lead === '1-2h';
      rows.push({
        gate: 'starts within ± 15 min, %',
        cell: `lead ${lead} ${operator}`,
        measured: within.toFixed(1),
        limit: near ? '≥ 90' : '',
        met: near ? within >= 90 : null,
      });
      rows.push({
        gate: '90 % intervals cover, %',
        cell: `lead ${lead} ${operator}`,
        measured: covered.toFixed(1),
        limit: lead === '>24h' ? '' : '85 to 95',
        met: lead === '>24h' ? null : covered >= 85 && covered <= 95,
      });
    }
  }
  return rows;
}

async function main(): Promise<void> {
  if (!options.workloads) throw new Error(usage);
  const folder = options.workloads;
  const printers = options.printers ?? join(folder, 'printers.json');
  const streams = streamsOf(folder);
  const groups = [...new Set(streams.map(({ load }) => load))];
  const calls: (() => Promise<void>)[] = [];
  const cells: Cell[] = [];
  const backlogs: Cell[] = [];
  const plan = (kind: Cell[], policies: string[], more: string[], of: string[], group: string, operator: string) => {
    const cell: Cell = { group, operator, runs: {} };
    kind.push(cell);
    for (const policy of policies) {
      const figures: Figures[] = [];
      cell.runs[policy] = figures;
      for (const [index, stream] of of.entries()) {
        calls.push(async () => {
          figures[index] = await one(join(folder, stream), printers, operator, policy, more);
        });
      }
    }
  };
  for (const operator of options.operator) {
    for (const group of groups) {
      plan(
        cells,
        dynamicPolicies,
        [],
        streams.filter(({ load }) => load === group).map(({ name }) => name),
        group,
        operator,
      );
    }
    if (Number(options.backlog) > 0)
      plan(
        backlogs,
        backlogPolicies,
        ['--backlog', options.backlog],
        streams.map(({ name }) => name),
        'all',
        operator,
      );
  }
  await inParallel(calls, Math.max(1, Number(options.parallel)));
  if (options.out) writeFileSync(options.out, JSON.stringify({ cells, backlogs }));
  const rows = [...cells.flatMap(dynamicRows), ...backlogs.flatMap(backlogRows), ...etaRows(cells)];
  console.log('| gate | cell | measured [95 %] | limit | met |\n| --- | --- | --- | --- | --- |');
  for (const row of rows) {
    console.log(
      `| ${row.gate} | ${row.cell} | ${row.measured} | ${row.limit} | ${row.met === null ? '' : row.met ? 'yes' : 'NO'} |`,
    );
  }
  console.log(
    '\n| cell | policy | deadlines met % | late | swaps | longest wait h (mean) | weighted flow h | print h/day | utilisation % |',
  );
  console.log('| --- | --- | --- | --- | --- | --- | --- | --- | --- |');
  for (const cell of [...cells, ...backlogs]) {
    for (const policy of Object.keys(cell.runs)) {
      const of = (figure: (figures: Figures) => number): string => mean(column(cell, policy, figure)).toFixed(1);
      console.log(
        `| ${cell.group} ${cell.operator} | ${policy} | ${of((f) => f.deadlines_met_percent)} | ${of((f) => f.late_jobs)} | ${of((f) => f.swaps)} | ${of((f) => f.longest_wait_hours)} | ${of((f) => f.weighted_flow_hours)} | ${of((f) => f.print_hours_per_day)} | ${of((f) => f.utilisation_percent)} |`,
      );
    }
  }
}

void main();
