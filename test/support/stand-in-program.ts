import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * A shell program in place of a slicer. In its script `$output` is the argument after `-o`, and `$model` the last
 * one.
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
