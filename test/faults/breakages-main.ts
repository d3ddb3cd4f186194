// `npm run faults:breakages`: applies each deliberate breakage to a copy of the package and checks whether the campaign
// catches it. A campaign that cannot see a planted bug proves nothing.
import { rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { breakages, breakPackage } from './breakages';
import { Campaign, campaignDirectory } from './campaign';
import { copyPackage, packageRoot } from './system';

async function main(): Promise<number> {
  const wanted = process.argv.slice(2);
  const missed: string[] = [];
  const rows: string[] = [];
  for (const breakage of breakages) {
    if (wanted.length > 0 && !wanted.some((word) => breakage.name.includes(word))) continue;
    const directory = campaignDirectory(tmpdir());
    const broken = copyPackage(packageRoot, join(directory, 'broken'));
    breakPackage(broken, breakage);
    const result = await new Campaign({
      seed: 7,
      pair: breakage.pair,
      minutes: 0.7,
      printers: 6,
      speed: 150,
      meanPause: 500,
      settleMinutes: 0.8,
      only: breakage.only,
      packageRoot: broken,
      directory: join(directory, 'run'),
      print: () => undefined,
    }).run();
    const counts = breakage.seen.map((key) => `${key.replaceAll('_', ' ')} ${result[key]}`).join(', ');
    const caught = breakage.seen.some((key) => result[key] > 0);
    if (!caught) missed.push(breakage.name);
    const row = `| ${breakage.name} | ${breakage.pair} | ${caught ? 'caught' : 'MISSED'}: ${counts} |`;
    rows.push(row);
    console.log(row);
    rmSync(directory, { recursive: true, force: true });
  }
  console.log(`\n${rows.length - missed.length} of ${rows.length} caught`);
  return missed.length > 0 ? 1 : 0;
}

main().then(
  (code) => process.exit(code),
  (error: unknown) => {
    console.error(error);
    process.exit(2);
  },
);
