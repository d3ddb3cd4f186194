import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';

/** The package's root, for the sources and for the compiled tests alike. */
export function packageDirectory(from: string): string {
  if (existsSync(join(from, 'package.json'))) return from;
  const parent = dirname(from);
  if (parent === from) throw new Error('package.json was not found above the tests');
  return packageDirectory(parent);
}

/** A fixture, for the sources and for the compiled tests alike. */
export function fixture(...path: string[]): string {
  return join(packageDirectory(__dirname), 'test', 'fixtures', ...path);
}

const temporary: string[] = [];
process.on('exit', () => {
  for (const directory of temporary) rmSync(directory, { recursive: true, force: true });
});

/** A folder that is removed when the program ends. */
export function temporaryDirectory(): string {
  const directory = mkdtempSync(join(tmpdir(), 'platewise-test-'));
  temporary.push(directory);
  return directory;
}
