// `npm test`: installs, builds, checks style and structure, and runs the tests in legs: all of them on Node.js 24 with Node-RED 5 and the
// embedded PostgreSQL; those that depend on Node-RED on the Node.js that runs npm and Node-RED 4, the oldest supported ones; those that
// depend on PostgreSQL on an installed PostgreSQL 15, the oldest supported one. Arguments are passed to mocha, on both Node-REDs.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { prepare, root } from './prepare.mjs';

prepare();

function must(command, args, options = {}) {
  const { status } = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (status !== 0) process.exit(status ?? 1);
}

const versionOf = (node) => spawnSync(node, ['--version'], { encoding: 'utf8' }).stdout?.trim() ?? '';
const bundled = join(root, 'node_modules', 'node', 'bin', process.platform === 'win32' ? 'node.exe' : 'node');
const caller = process.env.npm_node_execpath ?? process.execPath;

/**
 * Node.js 24 is a development dependency; if its install script did not run, only the caller's Node.js is available.
 */
const newest = existsSync(bundled) && versionOf(bundled).startsWith('v24.') ? bundled : caller;
if (newest !== bundled && process.env.CI) {
  console.error('Node.js 24 (development dependency "node") is not installed; are install scripts disabled?');
  process.exit(1);
}

/** The oldest installed PostgreSQL from 15 on, in the directories of Debian's packages; undefined: there is none. */
function installedPostgres() {
  const base = '/usr/lib/postgresql';
  const versions = existsSync(base) ? readdirSync(base).filter((name) => Number(name) >= 15) : [];
  const [oldest] = versions.sort((a, b) => Number(a) - Number(b));
  return oldest && existsSync(join(base, oldest, 'bin', 'initdb')) ? join(base, oldest) : undefined;
}

must(process.execPath, [
  join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'),
  'check',
  '--error-on-warnings',
  '.',
]);
must(process.execPath, [
  join(root, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs'),
  ...['lib', 'nodes', 'bin', 'plugins', '--config', '.dependency-cruiser.cjs'],
]);

const specs = (...folders) => folders.map((folder) => `dist/test/${folder}/**/*.test.js`);
const given = process.argv.slice(2);
const postgres = installedPostgres();
const legs = given.length
  ? [
      { title: 'as asked', node: newest, nodeRed: 'node-red', files: given },
      { title: 'as asked', node: caller, nodeRed: 'node-red-4', files: given },
    ]
  : [
      { title: 'everything', node: newest, nodeRed: 'node-red', files: ['dist/test/**/*.test.js'] },
      {
        title: 'tests that depend on Node-RED',
        node: caller,
        nodeRed: 'node-red-4',
        files: specs('nodes', 'http', 'examples', 'e2e'),
      },
      ...(postgres
        ? [
            {
              title: `tests that depend on PostgreSQL, on ${postgres}`,
              node: caller,
              nodeRed: 'node-red-4',
              files: specs('store', 'faults'),
              postgres,
            },
          ]
        : []),
    ];
if (!postgres) {
  const missing = 'No PostgreSQL 15 or newer is installed under /usr/lib/postgresql: its leg is left out.';
  if (process.env.CI) {
    console.error(missing);
    process.exit(1);
  }
  console.log(missing);
}

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');

/** Runs a leg with so many workers, and resolves with whether it passed. With `later`, its output appears when it has ended. */
async function run({ title, node, nodeRed, files, postgres: server }, workers, later = false) {
  const begun = Date.now();
  const output = [];
  const print = (text) => (later ? output.push(text) : process.stdout.write(text));
  print(`\n=== ${title}: ${nodeRed === 'node-red' ? 'Node-RED 5' : 'Node-RED 4'} on Node.js ${versionOf(node)}\n`);
  const environment = {
    ...process.env,
    ...(server && { PLATEWISE_POSTGRES: server }),
    PLATEWISE_TEST_NODE_RED: nodeRed,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
  };
  const child = spawn(node, [mocha, '--jobs', workers, ...files], {
    cwd: root,
    env: environment,
    stdio: later ? ['ignore', 'pipe', 'pipe'] : 'inherit',
  });
  for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', print);
  const [status] = await once(child, 'close');
  print(`=== ${title}: ${Math.round((Date.now() - begun) / 1000)} s\n`);
  process.stdout.write(output.join(''));
  return status === 0;
}

// The first leg takes both cores; the others leave room for each other.
const [first, ...others] = legs;
if (!(await run(first, 5))) process.exit(1);
const passed = await Promise.all(others.map((leg, index) => run(leg, index === 0 ? 4 : 2, index > 0)));
if (!passed.every(Boolean)) process.exit(1);
