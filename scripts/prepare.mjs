// Installs and builds what is missing; needs nothing but Node.js and npm.
import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = join(dirname(fileURLToPath(import.meta.url)), '..');

/** Runs npm with these arguments and ends the process if it fails. */
function npm(...args) {
  const cli = process.env.npm_execpath;
  const [command, first] = cli ? [process.execPath, [cli]] : ['npm', []];
  const { status } = spawnSync(command, [...first, ...args], {
    cwd: root,
    stdio: ['ignore', 'inherit', 'inherit'],
    shell: !cli && process.platform === 'win32',
  });
  if (status !== 0) process.exit(status ?? 1);
}

/** The time of the last change below a path (ms). */
function newest(path) {
  if (!existsSync(path)) return 0;
  const entry = statSync(path);
  if (!entry.isDirectory()) return entry.mtimeMs;
  return Math.max(0, ...readdirSync(path).map((name) => newest(join(path, name))));
}

/** Ensures that dependencies are installed and `dist/` is as new as the sources. */
export function prepare() {
  const installed = join(root, 'node_modules', '.package-lock.json');
  if (!existsSync(installed) || statSync(installed).mtimeMs < statSync(join(root, 'package-lock.json')).mtimeMs) {
    console.log('Installing the dependencies …');
    npm('ci', '--no-audit', '--no-fund');
  }
  const sources = ['lib', 'nodes', 'plugins', 'bin', 'test', 'bench', 'tsconfig.json', 'docs/openapi.yaml'].map(
    (name) => newest(join(root, name)),
  );
  const entry = join(root, 'dist', 'bin', 'platewise.js');
  const built = existsSync(entry) ? statSync(entry).mtimeMs : 0;
  if (built < Math.max(...sources)) {
    console.log('Building …');
    npm('run', 'build');
  }
}
