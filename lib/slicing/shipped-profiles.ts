import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';

/** The folder of the profiles that come with the package, found from the sources as from the compiled files. */
export function shippedProfiles(from = __dirname): string {
  const directory = join(from, 'profiles');
  if (existsSync(join(from, 'package.json')) && existsSync(directory)) return directory;
  const parent = dirname(from);
  if (parent === from) throw new Error('The folder "profiles" of the package is missing.');
  return shippedProfiles(parent);
}
