// Stryker's configuration for `npm run mutants`; see docs/testing.md.
import { join } from 'node:path';
import { mutated } from './files.mjs';

export default {
  packageManager: 'npm',
  plugins: [join(import.meta.dirname, 'runner.mjs')],
  testRunner: 'decisions',
  mutate: mutated,
  coverageAnalysis: 'perTest',
  // Values computed once, when a file is loaded, would need a separate process for each mutant.
  ignoreStatic: true,
  incremental: true,
  incrementalFile: '.stryker/incremental.json',
  tempDirName: '.stryker/tmp',
  ignorePatterns: ['.ci', '.stryker', 'bench', 'biome.json', 'dist', 'docs', 'examples', 'resources', 'test/fixtures'],
  reporters: ['json', 'progress-append-only'],
  jsonReporter: { fileName: '.stryker/report.json' },
  concurrency: 2,
  timeoutMS: 10_000,
  // The tests are run by tsx, which does not check types.
  disableTypeChecks: false,
};
