import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { OperatorHours } from '../../lib/planning/calendar';
import type { Weights } from '../../lib/planning/objective';
import { weightOf } from '../../lib/planning/objective';
import { anchors } from './anchors';
import { edd, fifo, seed } from './baselines';
import { Platewise, type Prediction } from './platewise';
import { type Policy, type Run, simulate } from './simulation';
import { singleMachine } from './single-machine';
import { readFarm, readStream } from './stream';

const usage = `usage: npm run bench:planning -- --workload FILE --printers FILE [--operator 08:00-20:00]
         [--policy fifo|edd|seed|platewise] [--events OUT.jsonl] [--json] [--seed N] [--moves N] [--weight name=value]
       npm run bench:planning -- --anchors FILE | --wt FILE | --wt-sds FILE-OR-FOLDER [--seconds N] [--json]
  Operator 00:00-24:00 is always there. A waiting job counts from day 2 of its stream on if the stream is longer.`;

const { values: options } = parseArgs({
  options: {
    workload: { type: 'string' },
    printers: { type: 'string' },
    operator: { type: 'string', default: '08:00-20:00' },
    policy: { type: 'string', default: 'platewise' },
    events: { type: 'string' },
    json: { type: 'boolean', default: false },
    seed: { type: 'string', default: '1' },
    moves: { type: 'string', default: '600' },
    weight: { type: 'string', multiple: true, default: [] },
    seconds: { type: 'string', default: '5' },
    anchors: { type: 'string' },
    wt: { type: 'string' },
    'wt-sds': { type: 'string' },
  },
});

function hoursOf(text: string): OperatorHours {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (!match) throw new Error(`operator hours are written 08:00-20:00, not ${text}`);
  const [, a, b, c, d] = match.map(Number);
  const begin = (a ?? 0) * 60 + (b ?? 0);
  const end = (c ?? 0) * 60 + (d ?? 0);
  return end - begin === 1440 ? { timeZone: 'UTC', begin: 0, end: 0 } : { timeZone: 'UTC', begin, end };
}

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);
const buckets: [string, number, number][] = [
  ['0-1h', 0, 60],
  ['1-2h', 60, 120],
  ['2-6h', 120, 360],
  ['6-12h', 360, 720],
  ['12-24h', 720, 1440],
  ['>24h', 1440, Number.POSITIVE_INFINITY],
];

function byLead(predictions: Prediction[], good: (one: Prediction) => boolean): Record<string, number | null> {
  return Object.fromEntries(
    buckets.map(([name, from, to]) => {
      const own = predictions.filter(({ lead }) => lead >= from && lead < to);
      return [name, own.length === 0 ? null : percent(own.filter(good).length, own.length)];
    }),
  );
}

function figures(run: Run, policy: Policy, seconds: number): object {
  // The first two days of a long stream only fill the farm.
  const last = Math.max(...run.outcomes.map(({ job }) => job.arrive_min));
  const warm = last > 7 * 1440 ? 2 * 1440 : 0;
  const judged = run.outcomes.filter(({ job }) => job.arrive_min >= warm);
  const withDeadline = judged.filter(({ job }) => job.due_min !== null);
  const until = Math.max(run.makespan, last);
  const late = withDeadline.filter(({ job, completed }) => completed === null || completed > (job.due_min ?? 0));
  const unserved = judged.filter(({ firstStart }) => firstStart === null);
  let tardiness = 0;
  let flow = 0;
  for (const { job, completed } of judged) {
    const end = completed ?? Math.max(until, (job.due_min ?? 0) + 48 * 60);
    const weight = weightOf(job.priority);
    if (job.due_min !== null) tardiness += (weight * Math.max(0, end - job.due_min)) / 60;
    flow += (weight * (end - job.arrive_min)) / 60;
  }
  const waits = judged.map(({ job, firstStart }) => (firstStart ?? until) - job.arrive_min);
  const first = Math.min(...run.outcomes.map(({ job }) => job.arrive_min));
  const sorted = [...run.decisionMs].sort((a, b) => a - b);
  const predictions = policy instanceof Platewise ? policy.predictions : [];
  return {
    policy: policy.name,
    jobs: judged.length,
    deadlines_met_percent: percent(withDeadline.length - late.length, withDeadline.length),
    late_jobs: late.length,
    swaps: run.changes,
    unserved: unserved.length,
    longest_wait_hours: Math.max(...waits) / 60,
    weighted_tardiness_hours: tardiness,
    weighted_flow_hours: flow,
    print_hours_per_day: run.printMinutes / 60 / ((run.makespan - first) / 1440),
    makespan_hours: (run.makespan - first) / 60,
    eta_within_15_min_percent_by_lead: byLead(predictions, ({ error }) => Math.abs(error) <= 15),
    interval_coverage_percent_by_lead: byLead(predictions, ({ covered }) => covered),
    decision_ms_p95: sorted[Math.floor(0.95 * sorted.length)] ?? 0,
    seconds,
  };
}

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
  const staticResult = options.anchors
    ? anchors(options.anchors, Number(options.seed))
    : options.wt
      ? singleMachine('wt', options.wt, { seed: Number(options.seed), seconds: Number(options.seconds) })
      : options['wt-sds']
        ? singleMachine('wt-sds', options['wt-sds'], { seed: Number(options.seed), seconds: Number(options.seconds) })
        : null;
  if (staticResult) {
    for (const row of staticResult.rows) console.log(JSON.stringify(row));
    console.log(JSON.stringify({ ...staticResult.summary, seconds: seconds() }));
    return;
  }
  if (!options.workload || !options.printers) throw new Error(usage);
  const hours = hoursOf(options.operator);
  const policy = policyOf(options.policy, hours);
  const run = simulate(readStream(options.workload), readFarm(options.printers), hours, policy);
  if (options.events) writeFileSync(options.events, run.events.map((event) => `${JSON.stringify(event)}\n`).join(''));
  const result = figures(run, policy, seconds());
  console.log(options.json ? JSON.stringify(result) : JSON.stringify(result, null, 2));
}

main();
