// What is mutated, and by which tests it must be caught: tests of decisions, which need no broker and no printer.
import { globSync } from 'node:fs';

/** Tests that need neither a broker nor a printer; some need a database. */
const tests = [
  'test/beds/*.test.ts',
  'test/jobs/{settlement,settle,print-taken,line-check}.test.ts',
  'test/planning/eligibility.test.ts',
  'test/services/agents/*.test.ts',
];

/** Files that decide. */
export const mutated = [
  'lib/beds/{attention,bed-judgement}.ts',
  'lib/jobs/{settlement,print-taken,line-check}.ts',
  'lib/planning/{eligibility,owed}.ts',
  'lib/services/agents/{start-check,print-seen,preflight-verdict,misfit,progress-note,lease}.ts',
];

/** The files that a list of patterns names. */
export const filesOf = (patterns, root) => patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();

/** The tests, from the root of a checkout. */
export const testFiles = (root) => filesOf(tests, root);
