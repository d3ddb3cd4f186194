// `npm run faults`: see docs/faults.md. All faults are drawn from the seed.
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { parseArgs } from 'node:util';
import { Campaign, type CampaignResult, campaignDirectory } from './campaign';
import { type Kind, kinds, type Pair } from './injections';
import { packageRoot } from './system';
import { asTable } from './table';

const { values } = parseArgs({
  options: {
    seed: { type: 'string', default: String(Date.now() % 1_000_000) },
    pair: { type: 'string', default: 'rabbitmq' },
    minutes: { type: 'string', default: '10' },
    jobs: { type: 'string' },
    faults: { type: 'string' },
    printers: { type: 'string', default: '9' },
    speed: { type: 'string', default: '150' },
    pause: { type: 'string', default: '700' },
    only: { type: 'string' },
    'broker-away': { type: 'string' },
    settle: { type: 'string' },
    package: { type: 'string', default: packageRoot },
    'upgrade-from': { type: 'string' },
    keep: { type: 'boolean', default: false },
    json: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

const help = `Usage: npm run faults -- [options]

  --minutes N      duration of the fault injection (default 10)
  --seed N         the seed of the faults; the same seed injects the same faults (default: by the clock)
  --pair P         rabbitmq (two Node-REDs, RabbitMQ, PostgreSQL), embedded (one Node-RED with both inside), or both
  --jobs N         submit at most N jobs            --faults N   inject at most N faults
  --printers N     simulated printers (default 9)   --speed N    speed of their clocks (default 150)
  --pause MS       mean time between two faults (default 700)
  --only A,B       only these kinds: ${kinds.join(', ')}
  --broker-away N  instead of faults: the broker is down for N minutes while --jobs (default 200) are submitted
  --settle N       everything must settle within N minutes after the last fault (default 5)
  --package DIR    the built package under test (default: this one)
  --upgrade-from D start with the built package in D; it is upgraded after a minute, with jobs under way, before the faults
  --keep           keep the written files, and print their location
  --json           print one JSON object as the last line
`;

async function main(): Promise<number> {
  if (values.help) {
    process.stdout.write(help);
    return 0;
  }
  const pairs: Pair[] =
    values.pair === 'both' ? ['rabbitmq', 'embedded'] : [values.pair === 'embedded' ? 'embedded' : 'rabbitmq'];
  const results: CampaignResult[] = [];
  for (const pair of pairs) {
    const directory = campaignDirectory(tmpdir());
    console.log(`Seed ${values.seed}, pair ${pair}${values.keep ? `, in ${directory}` : ''}`);
    const result = await new Campaign({
      seed: Number(values.seed),
      pair,
      minutes: Number(values.minutes),
      ...(values.jobs !== undefined && { jobs: Number(values.jobs) }),
      ...(values.faults !== undefined && { faults: Number(values.faults) }),
      printers: Number(values.printers),
      speed: Number(values.speed),
      meanPause: Number(values.pause),
      ...(values.only !== undefined && { only: values.only.split(',') as Kind[] }),
      ...(values['broker-away'] !== undefined && { brokerAwayMinutes: Number(values['broker-away']) }),
      ...(values.settle !== undefined && { settleMinutes: Number(values.settle) }),
      packageRoot: values.package,
      ...(values['upgrade-from'] !== undefined && { upgradeFrom: values['upgrade-from'] }),
      directory,
      print: (line) => console.log(line),
    }).run();
    results.push(result);
    for (const finding of result.findings) console.log(`  ${finding}`);
    console.log(asTable(pair, result));
    const broken = result.findings.some((finding) => !finding.startsWith('needless question'));
    if (broken) console.log(`Kept for inspection: ${directory}`);
    else if (!values.keep) rmSync(directory, { recursive: true, force: true });
  }
  const { findings, ...sums } = results.reduce(add);
  if (values.json) console.log(JSON.stringify(sums));
  return findings.length > 0 ? 1 : 0;
}

function add(a: CampaignResult, b: CampaignResult): CampaignResult {
  const sum = { ...a, findings: [...a.findings, ...b.findings], by_kind: { ...a.by_kind } };
  for (const [key, value] of Object.entries(b)) {
    if (typeof value === 'number')
      (sum as unknown as Record<string, number>)[key] = Number(a[key as keyof CampaignResult]) + value;
  }
  for (const [kind, count] of Object.entries(b.by_kind)) {
    sum.by_kind[kind as Kind] = (sum.by_kind[kind as Kind] ?? 0) + count;
  }
  return sum;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
