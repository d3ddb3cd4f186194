import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A program in place of a slicer, written in shell. In its script `$output` is what follows `-o`, and `$model` the last
 * argument.
 */
export function standInProgram(directory: string, name: string, script: string): string {
  const path = join(directory, name);
  writeFileSync(
    path,
    `#!/bin/sh
output=
previous=
for argument in "$@"; do
  if [ "$previous" = -o ]; then output="$argument"; fi
  previous="$argument"
  model="$argument"
done
${script}
`,
  );
  chmodSync(path, 0o755);
  return path;
}
