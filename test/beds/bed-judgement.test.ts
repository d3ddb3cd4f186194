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

describe('What a report says of the bed', () => {
  const table: [what: string, sight: Partial<BedSight>, verdict: ReturnType<typeof judgeBed>][] = [
    ['the same record, proved by its id, after any gap', {}, null],
    ['the same file printed again meanwhile', { report: { state: 'idle', job: again } }, 'foreign'],
    ['another file printed meanwhile', { report: { state: 'idle', job: { name: 'other.gcode' } } }, 'foreign'],
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
      'the same name, an id that is new to us, after an hour',
      { report: { state: 'idle', job: first }, known: nameOnly },
      'unknown',
    ],
    [
      'the same name, an id that comes late, without a gap',
      { report: { state: 'idle', job: first }, known: nameOnly, afterGap: false },
      null,
    ],
    ['a printer that remembers nothing any more', { report: { state: 'idle', job: null } }, 'unknown'],
    [
      'a printer that remembers nothing any more, a moment later',
      { report: { state: 'idle', job: null }, gapSeconds: 1 },
      'unknown',
    ],
    [
      'a printer that remembers nothing any more, on an occupied bed',
      { report: { state: 'idle', job: null }, bed: { state: 'occupied', cause: 'attempt' } },
      null,
    ],
    ['a simulator that was never used', { report: { state: 'idle', job: null }, known: null, neverUsed: true }, null],
    ['the first contact of all, on a bed that somebody called clear', { firstContact: true, known: null }, 'unknown'],
    [
      'the first contact of all',
      { firstContact: true, known: null, bed: { state: 'occupied', cause: 'unknown' } },
      null,
    ],
    ['a print that was running when last seen', { wasActive: true }, 'unknown'],
    ['no job, as before, a moment later', { report: { state: 'idle', job: null }, known: null, gapSeconds: 1 }, null],
    ['no job, as before, after an hour', { report: { state: 'idle', job: null }, known: null }, 'unknown'],
    ['a job of ours', { report: { state: 'printing', job: again }, ours: true }, null],
    ['a print that is not ours', { report: { state: 'printing', job: again } }, 'foreign'],
    [
      'a print that is not ours and is known already',
      { report: { state: 'printing', job: first }, bed: { state: 'occupied', cause: 'foreign' } },
      null,
    ],
    [
      'the same file started again at the screen while its last part is known to lie there',
      { report: { state: 'printing', job: again }, bed: { state: 'occupied', cause: 'foreign' } },
      'foreign',
    ],
    [
      'a print that began and ended between two reports',
      { report: { state: 'idle', job: again }, afterGap: false },
      'foreign',
    ],
    [
      'a print that is not ours, on a bed that is occupied by one of ours',
      { report: { state: 'printing', job: first }, bed: { state: 'occupied', cause: 'attempt' } },
      'foreign',
    ],
    [
      'a print that is not ours, after a gap, on an occupied bed',
      { report: { state: 'printing', job: first }, bed: { state: 'occupied', cause: 'unknown' } },
      'foreign',
    ],
    [
      'a print that is not ours and that the printer does not name',
      { report: { state: 'printing', job: null }, known: null },
      'foreign',
    ],
    [
      'another file printed meanwhile, on an occupied bed',
      { report: { state: 'idle', job: again }, bed: { state: 'occupied', cause: 'attempt' } },
      'foreign',
    ],
    [
      'another file than was known, at the first contact, on an occupied bed',
      { report: { state: 'idle', job: again }, bed: { state: 'occupied', cause: 'unknown' }, firstContact: true },
      null,
    ],
    [
      'a simulator that was never used and is met for the first time',
      { report: { state: 'idle', job: null }, known: null, neverUsed: true, firstContact: true },
      null,
    ],
    ['a simulator that was never used and names a job', { known: null, neverUsed: true }, 'foreign'],
    [
      'no job, as before, after just a minute',
      { report: { state: 'idle', job: null }, known: null, gapSeconds: 60 },
      null,
    ],
    [
      'a job that it remembered is gone after a moment',
      { report: { state: 'idle', job: null }, gapSeconds: 0 },
      'unknown',
    ],
    ['the printer forgets its job while we look', { report: { state: 'idle', job: null }, afterGap: false }, null],
  ];
  for (const [what, sight, verdict] of table) {
    it(`${what}: ${verdict ?? 'nothing new'}`, () => assert.equal(judgeBed({ ...idle, ...sight }), verdict));
  }

  it('goes by every id that both records have', () => {
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
      'no id proves nothing',
    );
    assert.equal(compareRecords({ name: 'a', taskId: '7' }, { name: 'a' }), 'unknown');
  });
});
