// `npm test`: installs, builds, checks the style and the direction of imports, and runs every test twice: on Node.js 24
// with Node-RED 5, and on the Node.js that npm was called with, with Node-RED 4 (the oldest that is supported).
// Arguments are passed on to mocha.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
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

must(process.execPath, [
  join(root, 'node_modules', '@biomejs', 'biome', 'bin', 'biome'),
  'check',
  '--error-on-warnings',
  '.',
]);

const mocha = join(root, 'node_modules', 'mocha', 'bin', 'mocha.js');
const runs = [
  { node: newest, nodeRed: 'node-red' },
  { node: caller, nodeRed: 'node-red-4' },
];
for (const { node, nodeRed } of runs) {
  console.log(`\n=== ${nodeRed === 'node-red' ? 'Node-RED 5' : 'Node-RED 4'} on Node.js ${versionOf(node)}`);
  const environment = {
    ...process.env,
    PLATEWISE_TEST_NODE_RED: nodeRed,
    PATH: `${dirname(node)}${delimiter}${process.env.PATH}`,
  };
  must(node, [mocha, ...process.argv.slice(2)], { env: environment });
}
