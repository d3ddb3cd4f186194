import assert from 'node:assert/strict';
import { type PrintSeen, printTaken } from '../../lib/jobs/print-taken';

/** 1 mm of it weighs 0.01 g. */
const material = { densityGramsPerCm3: 10 / Math.PI, diameterMm: 2 };
const attempt: PrintSeen['attempt'] = {
  startedAt: '2026-11-28T10:00:00.000Z',
  endedAt: '2026-11-28T12:00:00.000Z',
  estimatedSeconds: 5400,
  estimatedGrams: 100,
  filamentMm: null,
  progress: null,
};
const completed: PrintSeen = {
  attempt,
  outcome: 'completed',
  timeScale: 1,
  sawItRun: true,
  lastProgress: 1,
  filamentMm: null,
};

describe('The filament and hours of a print', () => {
  const grams: [when: string, seen: Partial<PrintSeen>, of: Partial<PrintSeen['attempt']>, grams: number][] = [
    ['a finished print of a printer that does not count: the sliced amount', {}, {}, 100],
    ['a finished print of a printer that counts: the counted amount', { filamentMm: 9123.4 }, {}, 91.23],
    ['a finished print that was only partly counted: the sliced amount', {}, { filamentMm: 5000 }, 100],
    ['a finished print whose progress was only partly observed', { lastProgress: 0.5 }, { progress: 0.5 }, 100],
    ['a finished print that was not sliced here: the estimate', {}, { estimatedGrams: null }, 40],
    ['a cancelled print: the observed share of it', { outcome: 'cancelled', lastProgress: 0.25 }, {}, 25],
    ['a failed print: the observed share of it', { outcome: 'failed', lastProgress: 0.25 }, {}, 25],
    [
      'a failed print whose progress another process observed further',
      { outcome: 'failed', lastProgress: 0.25 },
      { progress: 0.5 },
      50,
    ],
    [
      'a failed print whose progress this process observed further',
      { outcome: 'failed', lastProgress: 0.5 },
      { progress: 0.25 },
      50,
    ],
    ['a failed print without observed progress', { outcome: 'failed', lastProgress: 0 }, {}, 0],
    ['a failed print that was counted at its end', { outcome: 'failed', filamentMm: 1500, lastProgress: 0.5 }, {}, 15],
    [
      'a failed print that was counted during the print',
      { outcome: 'failed', lastProgress: 0.5 },
      { filamentMm: 1200 },
      12,
    ],
    ['a cancelled print that was counted as zero', { outcome: 'cancelled', filamentMm: 0, lastProgress: 0.5 }, {}, 0],
  ];
  for (const [when, seen, of, expected] of grams) {
    it(`${when}: ${expected} g`, () => {
      const taken = printTaken(
        { ...completed, ...seen, attempt: { ...attempt, ...of } },
        { estimatedGrams: 40 },
        material,
      );
      assert.equal(taken.grams, expected);
    });
  }

  it('is the estimate if the weight of its millimetres is unknown, and zero without one', () => {
    const counted = { ...completed, filamentMm: 9000 };
    assert.equal(printTaken(counted, { estimatedGrams: 40 }, undefined).grams, 100);
    const unknown = { ...counted, attempt: { ...attempt, estimatedGrams: null } };
    assert.equal(printTaken(unknown, { estimatedGrams: null }, undefined).grams, 0);
  });

  it('is based on the observed progress, and on the whole if it was finished', () => {
    const progress = (seen: Partial<PrintSeen>): number =>
      printTaken({ ...completed, ...seen }, { estimatedGrams: 40 }, material).progress;
    assert.equal(progress({ lastProgress: 0.3 }), 1);
    assert.equal(progress({ outcome: 'failed', lastProgress: 0.3 }), 0.3);
  });

  const hours: [when: string, seen: Partial<PrintSeen>, of: Partial<PrintSeen['attempt']>, hours: number | null][] = [
    ['that was observed: those of the clock', {}, {}, 2],
    ['of a simulator that was observed: those of its own clock', { timeScale: 60 }, {}, 120],
    ['that was not observed: the estimate', { sawItRun: false, timeScale: 60 }, {}, 1.5],
    ['that was neither observed nor estimated: unknown', { sawItRun: false }, { estimatedSeconds: null }, null],
    ['without a recorded start: unknown', {}, { startedAt: null }, null],
    ['without a recorded end: unknown', {}, { endedAt: null }, null],
    ['that ended immediately', {}, { endedAt: attempt.startedAt }, 0],
  ];
  for (const [when, seen, of, expected] of hours) {
    it(`hours of a print ${when}`, () => {
      const taken = printTaken(
        { ...completed, ...seen, attempt: { ...attempt, ...of } },
        { estimatedGrams: 40 },
        material,
      );
      assert.equal(taken.hours, expected);
      assert.equal(taken.estimatedHours, of.estimatedSeconds === null ? null : 1.5);
      const warnings =
        seen.sawItRun === false ? ['The farm did not observe the end of the print; its duration is the estimate.'] : [];
      assert.deepEqual(taken.warnings, warnings);
    });
  }

  describe('stays within the limits of the columns', () => {
    const table: [what: string, seen: Partial<PrintSeen>, of: Partial<PrintSeen['attempt']>, expected: object][] = [
      [
        'hours, for an estimate of a year',
        { sawItRun: false },
        { estimatedSeconds: 4e7 },
        { hours: 9999, estimatedHours: 9999 },
      ],
      ['hours, for a fast clock', { timeScale: 600 }, { endedAt: '2026-11-30T10:00:00.000Z' }, { hours: 9999 }],
      ['grams, for an absurd count', { filamentMm: 1e12 }, {}, { grams: 999_999 }],
      ['grams, if the estimate is not a number', {}, { estimatedGrams: Number.NaN }, { grams: 999_999 }],
    ];
    for (const [what, seen, of, expected] of table) {
      it(what, () => {
        const subject = { ...completed, ...seen, attempt: { ...attempt, ...of } };
        const taken: object = printTaken(subject, { estimatedGrams: 40 }, material);
        assert.deepEqual({ ...taken, ...expected }, taken);
      });
    }
  });

  it('is unknown if the clock was set back in between', () => {
    const subject = { ...completed, attempt: { ...attempt, endedAt: '2026-11-28T09:00:00.000Z' } };
    assert.equal(printTaken(subject, { estimatedGrams: 40 }, material).hours, null);
  });
});
