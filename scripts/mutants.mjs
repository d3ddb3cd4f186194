// `npm run mutants`: changes one decision at a time, and checks that a test that needs no broker and no printer detects
// it (docs/testing.md). First the bugs that are planted by hand (test/mutants/planted.mjs), then Stryker's. Arguments:
// `planted` or `stryker` for one of the two, and words of the names of planted bugs.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { plant } from '../test/mutants/plant.mjs';
import { scoresOf, tableOf } from '../test/mutants/scores.mjs';
import { prepare, root } from './prepare.mjs';

/** The share of mutants that must be caught, by folder (%). */
const least = 85;

prepare();
const work = join(root, '.stryker');
mkdirSync(work, { recursive: true });
const [first, ...words] = process.argv.slice(2);
const wants = (part) => first === undefined || first === part;

// Stryker needs a newer Node.js than the oldest that Platewise supports.
const bundled = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const node = existsSync(bundled) ? bundled : process.execPath;

const require = createRequire(import.meta.url);
const { EmbeddedPostgres } = require('../dist/lib/store/embedded-postgres.js');
const directory = mkdtempSync(join(tmpdir(), 'platewise-mutants-'));
const postgres = await EmbeddedPostgres.start(join(directory, 'pg'), (error) => console.error(error.message));
const environment = { PLATEWISE_TEST_POSTGRES: JSON.stringify(postgres.connection) };
let failed = false;
try {
  if (wants('planted')) {
    const { wanted, missed } = await plant(root, work, environment, words);
    const review = (some) => some.filter((one) => one.review).length;
    console.log(
      `\nPlanted bugs: ${wanted.length - missed.length} of ${wanted.length} caught, ` +
        `of those that a review had found uncaught ${review(wanted) - review(missed)} of ${review(wanted)}.\n`,
    );
    failed ||= missed.length > 0;
  }
  if (wants('stryker')) {
    const stryker = join(root, 'node_modules', '@stryker-mutator', 'core', 'bin', 'stryker.js');
    const { status } = spawnSync(node, [stryker, 'run', join('test', 'mutants', 'stryker.config.mjs')], {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, ...environment },
    });
    if (status !== 0) throw new Error('Stryker did not come to its end.');
    const { rows, survivors } = scoresOf(join(work, 'report.json'));
    for (const { file, line, status: kind, before, after } of survivors) {
      console.log(
        `${kind === 'NoCoverage' ? 'no test' : 'survived'}: ${file}:${line}  ${before}  →  ${after.replace(/\s+/g, ' ')}`,
      );
    }
    console.log(`\n${tableOf(rows)}\n`);
    for (const folder of new Set(rows.map((row) => row.folder))) {
      const own = rows.filter((row) => row.folder === folder);
      const sum = (key) => own.reduce((all, row) => all + row[key], 0);
      if ((100 * sum('killed')) / sum('of') >= least) continue;
      console.log(`${folder}: less than ${least} % are killed.`);
      failed = true;
    }
  }
} finally {
  await postgres.stop();
  rmSync(directory, { recursive: true, force: true });
}
process.exit(failed ? 1 : 0);
