import assert from 'node:assert/strict';
import { gapSeconds, hasCome, recognise, verdictOf } from '../../../lib/services/agents/print-seen';

const identity = { fileName: 'pw-part-1.gcode', taskId: 7 };
const ours = { name: 'pw-part-1' };

describe('The status of our print in a report', () => {
  const table: [what: string, report: Parameters<typeof recognise>[1], seen: ReturnType<typeof recognise>][] = [
    ['a print that is running', { job: ours, state: 'printing', ending: null }, 'active'],
    ['a print that is prepared', { job: ours, state: 'preparing', ending: null }, 'active'],
    ['a print that is paused', { job: ours, state: 'paused', ending: null }, 'active'],
    ['a print that is running, whatever its ending', { job: ours, state: 'printing', ending: 'failed' }, 'active'],
    ['a print that is finished', { job: ours, state: 'idle', ending: 'finished' }, 'ended'],
    ['a print that failed', { job: ours, state: 'fault', ending: 'failed' }, 'ended'],
    ['a print that was cancelled', { job: ours, state: 'idle', ending: 'cancelled' }, 'ended'],
    ['a print whose ending the printer does not report', { job: ours, state: 'idle', ending: 'unknown' }, 'absent'],
    ['a print that has not started', { job: ours, state: 'idle', ending: null }, 'absent'],
    ['no job', { job: null, state: 'printing', ending: null }, 'absent'],
    ['a foreign print', { job: { name: 'other' }, state: 'printing', ending: null }, 'absent'],
    ['the end of a foreign print', { job: { name: 'other' }, state: 'idle', ending: 'finished' }, 'absent'],
  ];
  for (const [what, report, seen] of table) {
    it(`${what}: ${seen}`, () => assert.equal(recognise(identity, report), seen));
  }
});

describe("The printer's report of an ending", () => {
  it('completes a print that was finished, whatever else is reported', () => {
    assert.deepEqual(verdictOf('finished', 'well done', false), {
      outcome: 'completed',
      reason: 'the printer finished the print',
    });
  });

  it('distinguishes who stopped a print', () => {
    assert.deepEqual(verdictOf('cancelled', 'at the screen', true), {
      outcome: 'cancelled',
      reason: 'stopped as asked',
    });
    assert.deepEqual(verdictOf('cancelled', 'at the screen', false), {
      outcome: 'cancelled',
      reason: 'stopped at the printer: at the screen',
    });
    assert.equal(verdictOf('cancelled', undefined, false).reason, 'stopped at the printer');
  });

  it('makes a failed print retryable, with the reason', () => {
    const failure = 'transient' as const;
    assert.deepEqual(verdictOf('failed', 'no filament', false), {
      outcome: 'failed',
      reason: 'the print failed: no filament',
      failure,
    });
    assert.deepEqual(verdictOf('failed', '', true), { outcome: 'failed', reason: 'the print failed', failure });
  });

  it('leaves the decision to an operator if it is unknown', () => {
    for (const ending of ['unknown', null] as const) {
      assert.deepEqual(verdictOf(ending, 'it was off', true), {
        outcome: 'unknown',
        reason: 'the printer does not report how the print ended: it was off',
      });
    }
  });
});

describe('The progress of a print', () => {
  const printing = { phase: 'printing' as const, progress: 0.5 };
  const table: [
    what: string,
    attempt: Parameters<typeof hasCome>[0],
    report: Parameters<typeof hasCome>[1],
    noted: boolean,
  ][] = [
    ['that advanced by a step', printing, { ending: null, progress: 0.52 }, true],
    ['that advanced by less than a step', printing, { ending: null, progress: 0.519 }, false],
    ['that decreased', printing, { ending: null, progress: 0.4 }, false],
    ['of which nothing was recorded', { ...printing, progress: null }, { ending: null, progress: 0.02 }, true],
    ['that the printer does not report', { ...printing, progress: null }, { ending: null, progress: null }, false],
    ['of a print that has ended', printing, { ending: 'failed', progress: 1 }, false],
    ['of a print that has not started', { ...printing, phase: 'starting' }, { ending: null, progress: 1 }, false],
  ];
  for (const [what, attempt, report, noted] of table) {
    it(`${what} is ${noted ? 'noted' : 'not noted'}`, () => assert.equal(hasCome(attempt, report), noted));
  }
});

describe('The time that a printer was unobserved', () => {
  const table: [what: string, ...Parameters<typeof gapSeconds>, seconds: number][] = [
    ["is the database's value", 20, 10, 1, 20],
    ["is this process's value, if that is longer", 10, 20, 1, 20],
    ["is counted by the printer's clock", 20, 10, 60, 1200],
    ['is infinite if it has never been observed', null, 10, 1, Number.POSITIVE_INFINITY],
    ['is infinite if the clock of the database was set back', -1, 10, 1, Number.POSITIVE_INFINITY],
    ['may be zero', 0, 0, 1, 0],
  ];
  for (const [what, byDatabase, byProcess, timeScale, seconds] of table) {
    it(what, () => assert.equal(gapSeconds(byDatabase, byProcess, timeScale), seconds));
  }
});
