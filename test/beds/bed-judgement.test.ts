import assert from 'node:assert/strict';
import { type BedSight, compareRecords, judgeBed } from '../../lib/beds/bed-judgement';

const first = { name: 'part.gcode', recordId: '000001' };
const again = { name: 'part.gcode', recordId: '000002' };
const nameOnly = { name: 'part.gcode' };

const idle: BedSight = {
  report: { state: 'idle', job: first },
  ours: false,
  wasActive: false,
  known: first,
  bed: { state: 'clear', cause: null },
  afterGap: true,
  gapSeconds: 3600,
  firstContact: false,
  neverUsed: false,
};

describe('The bed state derived from a report', () => {
  const table: [what: string, sight: Partial<BedSight>, verdict: ReturnType<typeof judgeBed>][] = [
    ['the same record, proved by its id, after any gap', {}, null],
    ['the same file printed again in the meantime', { report: { state: 'idle', job: again } }, 'foreign'],
    ['another file printed in the meantime', { report: { state: 'idle', job: { name: 'other.gcode' } } }, 'foreign'],
    [
      'the same name and no id, after an hour',
      { report: { state: 'idle', job: nameOnly }, known: nameOnly },
      'unknown',
    ],
    [
      'the same name and no id, after an hour, on a bed that is occupied anyway',
      { report: { state: 'idle', job: nameOnly }, known: nameOnly, bed: { state: 'occupied', cause: 'attempt' } },
      null,
    ],
    [
      'the same name and no id, after a minute',
      { report: { state: 'idle', job: nameOnly }, known: nameOnly, gapSeconds: 60 },
      null,
    ],
    [
      'the same name and an id that is new to us, after an hour',
      { report: { state: 'idle', job: first }, known: nameOnly },
      'unknown',
    ],
    [
      'the same name and an id that is reported late, without a gap',
      { report: { state: 'idle', job: first }, known: nameOnly, afterGap: false },
      null,
    ],
    ['a printer that no longer remembers any job', { report: { state: 'idle', job: null } }, 'unknown'],
    [
      'a printer that no longer remembers any job, a moment later',
      { report: { state: 'idle', job: null }, gapSeconds: 1 },
      'unknown',
    ],
    [
      'a printer that no longer remembers any job, on an occupied bed',
      { report: { state: 'idle', job: null }, bed: { state: 'occupied', cause: 'attempt' } },
      null,
    ],
    ['a simulator that was never used', { report: { state: 'idle', job: null }, known: null, neverUsed: true }, null],
    ['the very first contact, on a bed that an operator marked clear', { firstContact: true, known: null }, 'unknown'],
    ['the very first contact', { firstContact: true, known: null, bed: { state: 'occupied', cause: 'unknown' } }, null],
    ['a print that was running when last seen', { wasActive: true }, 'unknown'],
    ['no job, as before, a moment later', { report: { state: 'idle', job: null }, known: null, gapSeconds: 1 }, null],
    ['no job, as before, after an hour', { report: { state: 'idle', job: null }, known: null }, 'unknown'],
    ['a job of ours', { report: { state: 'printing', job: again }, ours: true }, null],
    ['a foreign print', { report: { state: 'printing', job: again } }, 'foreign'],
    [
      'a foreign print that is already known',
      { report: { state: 'printing', job: first }, bed: { state: 'occupied', cause: 'foreign' } },
      null,
    ],
    [
      'the same file started again at the screen while its previous part is known to be on the bed',
      { report: { state: 'printing', job: again }, bed: { state: 'occupied', cause: 'foreign' } },
      'foreign',
    ],
    [
      'a foreign print that began and ended between two reports',
      { report: { state: 'idle', job: again }, afterGap: false },
      'foreign',
    ],
    [
      'a foreign print on a bed that is occupied by one of our parts',
      { report: { state: 'printing', job: first }, bed: { state: 'occupied', cause: 'attempt' } },
      'foreign',
    ],
    [
      'a foreign print after a gap, on an occupied bed',
      { report: { state: 'printing', job: first }, bed: { state: 'occupied', cause: 'unknown' } },
      'foreign',
    ],
    [
      'a foreign print that the printer does not name',
      { report: { state: 'printing', job: null }, known: null },
      'foreign',
    ],
    [
      'another file printed in the meantime, on an occupied bed',
      { report: { state: 'idle', job: again }, bed: { state: 'occupied', cause: 'attempt' } },
      'foreign',
    ],
    [
      'a different file from the known one, at the first contact, on an occupied bed',
      { report: { state: 'idle', job: again }, bed: { state: 'occupied', cause: 'unknown' }, firstContact: true },
      null,
    ],
    [
      'a simulator that was never used, at the first contact',
      { report: { state: 'idle', job: null }, known: null, neverUsed: true, firstContact: true },
      null,
    ],
    ['a simulator that was never used but names a job', { known: null, neverUsed: true }, 'foreign'],
    [
      'no job, as before, after only a minute',
      { report: { state: 'idle', job: null }, known: null, gapSeconds: 60 },
      null,
    ],
    [
      'a remembered job that is gone after a moment',
      { report: { state: 'idle', job: null }, gapSeconds: 0 },
      'unknown',
    ],
    ['a printer that forgets its job while connected', { report: { state: 'idle', job: null }, afterGap: false }, null],
  ];
  for (const [what, sight, verdict] of table) {
    it(`${what}: ${verdict ?? 'nothing new'}`, () => assert.equal(judgeBed({ ...idle, ...sight }), verdict));
  }

  it('compares every id that both records have', () => {
    assert.equal(compareRecords({ name: 'a', taskId: '7' }, { name: 'a', taskId: '7' }), 'same');
    assert.equal(compareRecords({ name: 'a', taskId: '7' }, { name: 'a', taskId: '8' }), 'different');
    assert.equal(compareRecords({ name: 'a', taskId: '0' }, { name: 'a', taskId: '0' }), 'unknown');
    assert.equal(
      compareRecords({ name: 'a', taskId: '7', recordId: 'A' }, { name: 'a', taskId: '7', recordId: 'B' }),
      'different',
    );
    assert.equal(compareRecords(null, { name: 'a' }), 'different');
    assert.equal(compareRecords({ name: 'a' }, null), 'different');
    assert.equal(compareRecords(null, null), 'unknown');
    assert.equal(compareRecords({ name: 'a' }, { name: 'b' }), 'different');
    assert.equal(
      compareRecords({ name: 'a', taskId: '' }, { name: 'a', taskId: '' }),
      'unknown',
      'without an id nothing is proved',
    );
    assert.equal(compareRecords({ name: 'a', taskId: '7' }, { name: 'a' }), 'unknown');
  });
});
