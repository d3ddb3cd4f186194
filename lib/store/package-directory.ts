import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The root of this package, where `migrations/` lies, from the sources as from `dist/`. */
export function packageDirectory(): string {
  let directory = __dirname;
  while (!existsSync(join(directory, 'package.json'))) {
    const parent = dirname(directory);
    if (parent === directory) throw new Error('The package.json of Platewise was not found.');
    directory = parent;
  }
  return directory;
}

/** The version of this package. */
export function packageVersion(): string {
  const { version } = JSON.parse(readFileSync(join(packageDirectory(), 'package.json'), 'utf8')) as { version: string };
  return version;
}
