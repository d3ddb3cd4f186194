import { parseArgs } from 'node:util';
import { type FuzzResult, fuzzApi } from '../../test/support/api-fuzz/run';
import { lockedSubject, openSubject } from '../../test/support/api-fuzz/subject';
import { RealFarm } from '../../test/support/real-farm';

const usage = `usage: npm run bench:fuzz-api [-- --requests 10000] [--seed N] [--only INDEX]
  Sends requests generated from docs/openapi.yaml, valid and broken ones, to a whole simulated farm: a tenth of them before there
  is a key, the rest with keys of every scope. Fails if an answer is a 5xx, differs from the description, or leaks internal data.`;

const { values: options } = parseArgs({
  options: {
    requests: { type: 'string', default: '10000' },
    seed: { type: 'string' },
    only: { type: 'string' },
    help: { type: 'boolean', default: false },
  },
});

async function main(): Promise<number> {
  if (options.help) {
    console.log(usage);
    return 0;
  }
  const seed = Number(options.seed ?? Date.now() % 2 ** 31);
  const requests = Number(options.requests);
  const only = options.only === undefined ? undefined : Number(options.only);
  console.log(`seed ${seed}`);
  const farm = new RealFarm();
  await farm.start({ SIM_SPEED: '240', PLATEWISE_UPLOADS_PER_MINUTE: '0' });
  const begun = performance.now();
  const results: FuzzResult[] = [];
  try {
    const open = await openSubject(farm);
    const split = Math.ceil(requests / 10);
    const onProgress = (done: number): void => {
      if (done % 1000 === 0) console.log(`${done} requests, ${((performance.now() - begun) / 1000).toFixed(0)} s`);
    };
    if (only !== undefined) {
      results.push(await fuzzApi(open, { seed, from: only, to: only + 1 }));
    } else {
      results.push(await fuzzApi(open, { seed, from: 0, to: split, onProgress }));
      results.push(await fuzzApi(await lockedSubject(farm, open), { seed, from: split, to: requests, onProgress }));
    }
    if (!farm.running) console.log(`The farm ended:\n${farm.output.slice(-4000)}`);
    return report(results, (performance.now() - begun) / 1000);
  } finally {
    await farm.kill9();
  }
}

function report(results: readonly FuzzResult[], seconds: number): number {
  const statuses: Record<string, number> = {};
  for (const [status, count] of results.flatMap((result) => Object.entries(result.statuses))) {
    statuses[status] = (statuses[status] ?? 0) + count;
  }
  const failures = results.flatMap((result) => result.failures);
  for (const failure of failures.slice(0, 40)) console.log(failure);
  const sent = results.reduce((sum, { requests }) => sum + requests, 0);
  console.log(`${sent} requests in ${seconds.toFixed(0)} s, ${failures.length} failures`);
  for (const [status, count] of Object.entries(statuses).sort()) console.log(`  ${status}: ${count}`);
  return failures.length === 0 ? 0 : 1;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(1);
  },
);
