// `npm run soak`: see docs/faults.md. A long run without faults: does anything grow that should not?
import { execFileSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { packageRoot } from '../../test/faults/system';
import { type Pair, SteadyFarm } from './farm';
import { type Judged, judge } from './judge';
import { type Sample, Sampler } from './samples';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    pair: { type: 'string', default: 'rabbitmq' },
    minutes: { type: 'string', default: '60' },
    'warm-up': { type: 'string', default: '10' },
    printers: { type: 'string', default: '20' },
    speed: { type: 'string', default: '600' },
    every: { type: 'string', default: '10' },
    package: { type: 'string', default: packageRoot },
    append: { type: 'boolean', default: false },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run soak -- [options]

  --minutes N      duration, including the warm-up (default 60)
  --warm-up N      minutes at the start that do not count (default 10)
  --pair P         rabbitmq (two Node-REDs, RabbitMQ, PostgreSQL) or embedded (one Node-RED with both inside)
  --printers N     simulated printers (default 20)   --speed N    speed of their clocks (default 600)
  --every N        seconds between two samples (default 10)
  --seed N         which jobs are submitted (default: by the clock)
  --package DIR    the built package under test (default: this one)
  --append         append the figures to docs/runs/soak.jsonl
  --keep           keep the written files, including the samples, and print their location
  --json           print one JSON object as the last line
`;

/** RabbitMQ is sampled only once per this many samples. */
const brokerTurn = 3;
const pause = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const pair: Pair = values.pair === 'embedded' ? 'embedded' : 'rabbitmq';
  const [seed, minutes, printers, speed] = [values.seed, values.minutes, values.printers, values.speed].map(Number) as [
    number,
    number,
    number,
    number,
  ];
  // Read now: the checkout may be a different one at the end.
  const running = commit();
  const directory = join(tmpdir(), `platewise-soak-${randomUUID().slice(0, 8)}`);
  mkdirSync(directory);
  console.log(`Seed ${seed}, pair ${pair}, in ${directory}`);
  const farm = new SteadyFarm({ seed, pair, printers, speed, packageRoot: values.package, directory });
  const samples: Sample[] = [];
  try {
    const sampler = await new Sampler(await farm.open()).open();
    try {
      await sampleAll(farm, sampler, minutes, (sample) => {
        samples.push(sample);
        appendFileSync(join(directory, 'samples.jsonl'), `${JSON.stringify(sample)}\n`);
      });
    } finally {
      await sampler.close();
    }
  } finally {
    await farm.close();
  }
  const warmUp = Number(values['warm-up']);
  const judged = judge(samples.filter(({ at }) => at * 60 >= warmUp));
  console.log(asTable(pair, judged));
  const result = { commit: running, pair, seed, minutes, warm_up: warmUp, printers, speed, ...judged };
  if (values.append) {
    appendFileSync(join(values.package, 'docs', 'runs', 'soak.jsonl'), `${JSON.stringify(result)}\n`);
  }
  if (values.json) console.log(JSON.stringify(result));
  if (!values.keep) rmSync(directory, { recursive: true, force: true });
  return Object.values(judged.figures).every(({ flat }) => flat) ? 0 : 1;
}

async function sampleAll(
  farm: SteadyFarm,
  sampler: Sampler,
  minutes: number,
  take: (sample: Sample) => void,
): Promise<void> {
  const started = performance.now();
  for (let number = 0; ; number++) {
    const due = started + number * Number(values.every) * 1000;
    if (due > started + minutes * 60_000) return;
    await pause(due - performance.now());
    farm.check();
    take(await sampler.take(number % brokerTurn === 0));
  }
}

/** The commit of the code under test: `-dirty` if it has uncommitted changes. */
function commit(): string | null {
  const git = (...words: string[]): string =>
    execFileSync('git', words, { cwd: values.package, encoding: 'utf8', stdio: 'pipe' }).trim();
  try {
    const changed = git('status', '--porcelain', '--', '.', ':!docs') !== '';
    return `${git('rev-parse', '--short', 'HEAD')}${changed ? '-dirty' : ''}`;
  } catch {
    return null;
  }
}

/** The figures as Markdown. */
function asTable(pair: Pair, judged: Judged): string {
  const number = (value: number): string => Number(value.toPrecision(3)).toString();
  const rows = Object.entries(judged.figures).map(
    ([name, { mean, slope_per_hour, low, high, flat }]) =>
      `| ${name.replaceAll('_', ' ')} | ${number(mean)} | ${number(slope_per_hour)} | ${number(low)} to ${number(high)} | ${flat ? 'flat' : slope_per_hour > 0 ? 'GROWS' : 'FALLS'} |`,
  );
  return [
    '',
    `${judged.ended} jobs ended, ${judged.failed} of them failed.`,
    '',
    `| ${pair} | mean | slope an hour | 95 % interval | |`,
    '|---|---:|---:|---:|---|',
    ...rows,
    '',
  ].join('\n');
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
