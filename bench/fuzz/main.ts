import { parseArgs } from 'node:util';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { bambu } from './bambu';
import { ftp } from './ftp';
import { moonraker } from './moonraker';
import { snapmaker } from './snapmaker';
import type { FuzzTarget } from './target';

const usage = `usage: npm run bench:fuzz [-- --cases 100000] [--seed N] [--only snapmaker|moonraker|bambu|ftp] [--json]
  Feeds malformed input to the drivers' readers and state machines. Fails at the first case that breaks a
  promise, and if the heap is more than 64 MB larger after all cases than after the first tenth.`;

const targets: readonly FuzzTarget[] = [snapmaker, moonraker, bambu, ftp];
const mostHeapGrowth = 64e6;

const { values: options } = parseArgs({
  options: {
    cases: { type: 'string', default: '100000' },
    seed: { type: 'string' },
    only: { type: 'string', multiple: true },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

setFlagsFromString('--expose-gc');
const collect: unknown = runInNewContext('gc');

/** Bytes in use after everything collectable has been freed. */
function heap(): number {
  if (typeof collect === 'function') collect();
  return process.memoryUsage().heapUsed + process.memoryUsage().external;
}

interface Row {
  name: string;
  cases: number;
  seed: number;
  seconds: number;
  /** The number of cases that ended in the promised result. */
  met: number;
  heapGrowthMegabytes: number;
  failure?: string;
}

async function fuzz(target: FuzzTarget, cases: number, seed: number): Promise<Row> {
  const begun = performance.now();
  const row = { name: target.name, cases, seed, seconds: 0, met: 0, heapGrowthMegabytes: 0 };
  try {
    const tenth = Math.ceil(cases / 10);
    row.met += await target.run(tenth, seed);
    const before = heap();
    row.met += await target.run(cases - tenth, seed + 1000);
    const growth = heap() - before;
    row.heapGrowthMegabytes = growth / 1e6;
    row.seconds = (performance.now() - begun) / 1000;
    if (growth > mostHeapGrowth) return { ...row, failure: `the heap grew by ${(growth / 1e6).toFixed(0)} MB` };
    if (row.met === 0) return { ...row, failure: 'no case ended in what the promise is about' };
    return row;
  } catch (error) {
    row.seconds = (performance.now() - begun) / 1000;
    const cause = error instanceof Error && error.cause instanceof Error ? `${error.cause.message}\n` : '';
    return { ...row, failure: `${cause}${error instanceof Error ? error.message : String(error)}` };
  }
}

async function main(): Promise<number> {
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const seed = Number(options.seed ?? Date.now() % 2 ** 31);
  const rows: Row[] = [];
  for (const target of targets) {
    if (options.only !== undefined && !options.only.includes(target.name)) continue;
    if (!options.json) console.log(`${target.name}: ${target.promise}`);
    const row = await fuzz(target, Number(options.cases), seed);
    rows.push(row);
    if (options.json) continue;
    const figures = `${row.cases} cases in ${row.seconds.toFixed(1)} s, ${row.met} of them met it, heap ${row.heapGrowthMegabytes.toFixed(1)} MB, seed ${row.seed}`;
    console.log(row.failure === undefined ? `  ok: ${figures}` : `  FAIL: ${figures}\n${row.failure}`);
  }
  if (options.json) console.log(JSON.stringify({ rows }));
  return rows.every(({ failure }) => failure === undefined) ? 0 : 1;
}

void main().then((code) => {
  process.exitCode = code;
});
