import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { OperatorHours } from '../../lib/planning/calendar';
import type { Weights } from '../../lib/planning/objective';
import { anchors } from './anchors';
import { edd, fifo, seed, sequential } from './baselines';
import { figures } from './figures';
import { hoursOf } from './hours';
import { Platewise } from './platewise';
import { type Policy, simulate } from './simulation';
import { singleMachine } from './single-machine';
import { speed } from './speed';
import { asBacklog, readFarm, readStream } from './stream';

const usage = `usage: npm run bench:planning -- --workload FILE --printers FILE [--operator 08:00-20:00]
         [--policy fifo|edd|seed|platewise|sequential] [--events OUT.jsonl] [--json] [--seed N] [--moves N] [--weight name=value]
       npm run bench:planning -- --anchors FILE | --wt FILE | --wt-sds FILE-OR-FOLDER [--seconds N] [--json]
       npm run bench:planning -- --speed [--json]
  Operator 00:00-24:00 is always present. In streams of more than a week the jobs of the first two days are not counted.
  --backlog N uses the first N jobs as if all had arrived at 08:00 of day 0, without failures.`;

const { values: options } = parseArgs({
  options: {
    workload: { type: 'string' },
    printers: { type: 'string' },
    operator: { type: 'string', default: '08:00-20:00' },
    backlog: { type: 'string' },
    policy: { type: 'string', default: 'platewise' },
    events: { type: 'string' },
    json: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    moves: { type: 'string', default: '600' },
    weight: { type: 'string', multiple: true, default: [] },
    seconds: { type: 'string' },
    speed: { type: 'boolean', default: false },
    anchors: { type: 'string' },
    wt: { type: 'string' },
    'wt-sds': { type: 'string' },
  },
});

function policyOf(name: string, hours: OperatorHours): Policy {
  const weights: Partial<Record<string, number>> = {};
  for (const pair of options.weight) {
    const [key = '', value] = pair.split('=');
    weights[key] = Number(value);
  }
  switch (name) {
    case 'fifo':
      return fifo();
    case 'edd':
      return edd();
    case 'seed':
      return seed();
    case 'sequential':
      return sequential();
    case 'platewise':
      return new Platewise(hours, {
        seed: Number(options.seed),
        moves: Number(options.moves),
        weights: weights as Partial<Weights>,
      });
    default:
      throw new Error(`no policy ${name}\n${usage}`);
  }
}

function main(): void {
  const begun = performance.now();
  const seconds = (): number => (performance.now() - begun) / 1000;
  const staticResult = options.speed
    ? speed(Number(options.seed))
    : options.anchors
      ? anchors(options.anchors, Number(options.seed))
      : options.wt
        ? singleMachine('wt', options.wt, { seed: Number(options.seed), seconds: Number(options.seconds ?? 5) })
        : options['wt-sds']
          ? singleMachine('wt-sds', options['wt-sds'], {
              seed: Number(options.seed),
              seconds: Number(options.seconds ?? 40),
            })
          : null;
  if (staticResult) {
    for (const row of staticResult.rows) console.log(JSON.stringify(row));
    console.log(JSON.stringify({ ...staticResult.summary, seconds: seconds() }));
    return;
  }
  if (!options.workload || !options.printers) throw new Error(usage);
  const hours = hoursOf(options.operator);
  const policy = policyOf(options.policy, hours);
  const farm = readFarm(options.printers);
  const stream = readStream(options.workload);
  const jobs = options.backlog ? asBacklog(stream, Number(options.backlog)) : stream;
  const run = simulate(jobs, farm, hours, policy);
  if (options.events) writeFileSync(options.events, run.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const result = figures(run, policy, farm, seconds());
  console.log(options.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
}

main();
