import assert from 'node:assert/strict';
import type { SpoolId } from '../../lib/model/ids';
import { type SpoolTaken, splitGrams } from '../../lib/model/spool-shares';

const a = 'a' as SpoolId;
const b = 'b' as SpoolId;
const c = 'c' as SpoolId;
/** 1 mm of it weighs 0.01 g. */
const material = { densityGramsPerCm3: 10 / Math.PI, diameterMm: 2 };

const taken = (spoolId: SpoolId, progress: number | null, filamentMm: number | null = null): SpoolTaken => ({
  spoolId,
  progress,
  filamentMm,
});

describe('The grams of a print are split between its spools', () => {
  const cases: {
    when: string;
    grams: number;
    progress?: number;
    changes: SpoolTaken[];
    last: SpoolId | null;
    shares: [SpoolId, number][];
    unweighed?: true;
  }[] = [
    { when: 'no spool was changed', grams: 12.34, changes: [], last: a, shares: [[a, 12.34]] },
    { when: 'no spool was booked', grams: 12.34, changes: [], last: null, shares: [] },
    { when: 'nothing was extruded', grams: 0, changes: [taken(a, 0)], last: b, shares: [] },
    {
      when: 'one was changed, by progress',
      grams: 100,
      changes: [taken(a, 0.3)],
      last: b,
      shares: [
        [a, 30],
        [b, 70],
      ],
    },
    {
      when: 'the printer counted, which takes precedence over progress',
      grams: 100,
      changes: [taken(a, 0.3, 4500)],
      last: b,
      shares: [
        [a, 45],
        [b, 55],
      ],
    },
    {
      when: 'the printer counted, but the material is unknown',
      grams: 100,
      changes: [taken(a, 0.3, 4500)],
      last: b,
      unweighed: true,
      shares: [
        [a, 30],
        [b, 70],
      ],
    },
    {
      when: 'three were used, and the hundredths do not divide evenly',
      grams: 10,
      changes: [taken(a, 1 / 3), taken(b, 2 / 3)],
      last: c,
      shares: [
        [a, 3.33],
        [b, 3.34],
        [c, 3.33],
      ],
    },
    {
      when: 'the first one came back',
      grams: 100,
      changes: [taken(a, 0.2), taken(b, 0.5)],
      last: a,
      shares: [
        [a, 70],
        [b, 30],
      ],
    },
    {
      when: 'the print failed: progress counts up to the failure',
      grams: 40,
      progress: 0.4,
      changes: [taken(a, 0.1)],
      last: b,
      shares: [
        [a, 10],
        [b, 30],
      ],
    },
    {
      when: 'more was extruded before the change than is recorded',
      grams: 20,
      progress: 0.2,
      changes: [taken(a, 0.5)],
      last: b,
      shares: [[a, 20]],
    },
    {
      when: 'it was changed before anything was extruded',
      grams: 20,
      changes: [taken(a, 0)],
      last: b,
      shares: [[b, 20]],
    },
    {
      when: 'nothing was known at the change: the amount certainly extruded counts',
      grams: 100,
      changes: [taken(a, 0.4), taken(b, null)],
      last: c,
      shares: [
        [a, 40],
        [c, 60],
      ],
    },
    {
      when: 'a later report had a lower count',
      grams: 100,
      changes: [taken(a, 0.6), taken(b, 0.5)],
      last: c,
      shares: [
        [a, 60],
        [c, 40],
      ],
    },
    {
      when: 'the last was removed, and none booked',
      grams: 50,
      changes: [taken(a, 0.5)],
      last: null,
      shares: [[a, 50]],
    },
    {
      when: 'the second of them was removed, and none booked',
      grams: 50,
      changes: [taken(a, 0.2), taken(b, 0.6)],
      last: null,
      shares: [
        [a, 10],
        [b, 40],
      ],
    },
  ];
  for (const { when, grams, progress = 1, changes, last, shares, unweighed } of cases) {
    it(`when ${when}`, () => {
      const print = { grams, progress, material: unweighed ? undefined : material };
      const split = splitGrams(print, changes, last);
      assert.deepEqual(
        split.map((share) => [share.spoolId, share.grams]),
        shares,
      );
    });
  }

  it('and their sum is the recorded amount, to the hundredth', () => {
    for (let grams = 0.01; grams < 300; grams = Math.round(grams * 137 + 1) / 100) {
      for (const at of [0.001, 0.123456, 1 / 3, 0.5, 0.999]) {
        const split = splitGrams({ grams, progress: 1, material }, [taken(a, at), taken(b, at * 1.0001)], c);
        const hundredths = split.reduce((sum, share) => sum + Math.round(share.grams * 100), 0);
        assert.equal(hundredths, Math.round(grams * 100), `${grams} g at ${at}`);
        assert.ok(split.every((share) => share.grams > 0));
      }
    }
  });
});
