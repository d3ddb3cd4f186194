// `npm run release -- <version>`: moves the unreleased entries of CHANGELOG.md under the version and today's date, sets the version of the package,
// commits and tags. It publishes nothing: review the commit, then push it with its tag and publish.
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { root } from './prepare.mjs';

function fail(reason) {
  console.error(reason);
  process.exit(1);
}

function git(...args) {
  const { status, stdout } = spawnSync('git', args, {
    cwd: root,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  if (status !== 0) fail(`git ${args[0]} failed.`);
  return stdout.trim();
}

const [version] = process.argv.slice(2);
if (!/^\d+\.\d+\.\d+$/.test(version ?? '')) fail('Name the version: npm run release -- 0.2.0');
if (git('status', '--porcelain') !== '') fail('Commit everything first.');
if (git('tag', '--list', `v${version}`) !== '') fail(`The tag v${version} already exists.`);

const changelog = join(root, 'CHANGELOG.md');
const text = readFileSync(changelog, 'utf8');
const [head, rest] = text.split(/^## \[Unreleased\]\n/m);
if (rest === undefined) fail('CHANGELOG.md has no "## [Unreleased]".');
if (/^\s*(## |$)/.test(rest)) fail('CHANGELOG.md has no unreleased entries.');
const today = new Date().toISOString().slice(0, 10);
writeFileSync(changelog, `${head}## [Unreleased]\n\n## [${version}] - ${today}\n${rest}`);

for (const name of ['package.json', 'package-lock.json']) {
  const path = join(root, name);
  const content = JSON.parse(readFileSync(path, 'utf8'));
  content.version = version;
  if (content.packages?.['']) content.packages[''].version = version;
  writeFileSync(path, `${JSON.stringify(content, null, 2)}\n`);
}
// The description of the API contains the version.
const build = spawnSync('npm', ['run', 'build'], { cwd: root, stdio: 'inherit' });
if (build.status !== 0) fail('The build failed.');
git('add', '-A');
git('commit', '-m', `Release ${version}`);
git('tag', '-a', `v${version}`, '-m', `Release ${version}`);
console.log(`v${version} is committed and tagged.`);
