// The files to mutate, and the tests that must catch the mutants: tests of decisions, which need no broker and no printer.
import { globSync } from 'node:fs';

/** Tests that need neither a broker nor a printer; some need a database. */
const tests = [
  'test/beds/*.test.ts',
  'test/jobs/{cancel,change-job,farm-pause,line-check,print-taken,reassigned,restored,settle,settlement,show-phase,tick-copies,tick}.test.ts',
  'test/planning/{eligibility,priority}.test.ts',
  'test/services/agents/*.test.ts',
];

/** Files that make decisions. */
export const mutated = [
  'lib/beds/*.ts',
  'lib/jobs/{cancel,change-job,farm-pause,line-check,outcome,print-taken,reassign,record-outcome,restored,settle,settlement,show-phase,tick}.ts',
  'lib/planning/{eligibility,owed,priority}.ts',
  'lib/services/agents/{start-check,print-seen,preflight-verdict,misfit,progress-note,lease}.ts',
];

/** The files that match a list of patterns. */
export const filesOf = (patterns, root) => patterns.flatMap((pattern) => globSync(pattern, { cwd: root })).sort();

/** The tests, from the root of a checkout. */
export const testFiles = (root) => filesOf(tests, root);
