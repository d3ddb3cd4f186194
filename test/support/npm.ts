import { type SpawnSyncReturns, spawnSync } from 'node:child_process';

/** Runs npm in a directory: the npm that runs the tests, whatever Node.js runs them. */
export function runNpm(directory: string, ...args: string[]): SpawnSyncReturns<string> {
  const cli = process.env['npm_execpath'];
  const [command, first] = cli ? [process.execPath, [cli]] : ['npm', []];
  return spawnSync(command, [...first, ...args], { cwd: directory, encoding: 'utf8' });
}

/** The output of npm. @throws Error it failed */
export function npm(directory: string, ...args: string[]): string {
  const { status, stdout, stderr, error } = runNpm(directory, ...args);
  if (status !== 0) throw error ?? new Error(`npm ${args.join(' ')} ended with ${status}:\n${stderr}`);
  return stdout;
}
