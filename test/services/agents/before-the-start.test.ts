import assert from 'node:assert/strict';
import type { PreflightFailure } from '../../../lib/makes/driver';
import { materialId } from '../../../lib/model/ids';
import { misfitsOf } from '../../../lib/services/agents/misfit';
import { notReady, preflightVerdict } from '../../../lib/services/agents/preflight-verdict';
import { ProgressNote } from '../../../lib/services/agents/progress-note';
import { giga, job } from '../../fit/subjects';

describe('The failed checks before a print', () => {
  const failure = (check: string, more: Partial<PreflightFailure> = {}): PreflightFailure => ({
    check,
    whose: 'printer',
    message: `${check} is wrong.`,
    remedy: `Mend ${check}.`,
    ...more,
  });
  const storage = failure('storage');
  const mode = failure('developer_mode');
  const slot = failure('slot', { only: 'slot' });
  const moment = failure('busy', { only: 'moment' });
  const file = failure('file', { whose: 'file' });
  const ofJob = failure('plate', { whose: 'job' });

  const table: [what: string, failures: PreflightFailure[], verdict: ReturnType<typeof preflightVerdict>][] = [
    ['nothing', [], null],
    ['a condition of the printer closes it', [storage], { what: 'close', because: [storage] }],
    ['all conditions of the printer are named', [storage, mode], { what: 'close', because: [storage, mode] }],
    [
      'a condition of the printer closes it, whatever else failed',
      [file, slot, storage],
      { what: 'close', because: [storage] },
    ],
    ['a failure of one slot withdraws the attempt', [slot], { what: 'withdraw' }],
    ['a failure of this moment withdraws the attempt', [slot, moment], { what: 'withdraw' }],
    ['a failure of the file ends the attempt as not started', [file], { what: 'not_started' }],
    ['a failure of the job ends the attempt as not started', [ofJob], { what: 'not_started' }],
    ['a failure of the file beside a slot ends the attempt as not started', [slot, file], { what: 'not_started' }],
  ];
  for (const [what, failures, verdict] of table) {
    it(`${what}`, () => assert.deepEqual(preflightVerdict(failures), verdict));
  }

  it('are reported with their remedies', () => {
    const words = 'the printer is not ready: storage is wrong. Mend storage. file is wrong. Mend file.';
    assert.equal(notReady([storage, file]), words);
  });
});

describe('A planned assignment', () => {
  const pla = materialId('pla');
  const planned = { slot: 'extruder', tool: 0 };
  const holding = (slot: Partial<(typeof giga.slots)[number]>) => ({
    ...giga,
    slots: [{ slot: 'extruder', tool: 0, materialId: pla, gramsFree: 1000, ...slot }],
  });

  it('fits as long as nothing has changed', () => assert.deepEqual(misfitsOf(job(), giga, planned, true), []));

  it('fits from the planned slot, whatever another one holds', () => {
    const printer = { ...giga, slots: [{ slot: 'other', tool: 1, materialId: null, gramsFree: 0 }, ...giga.slots] };
    assert.deepEqual(misfitsOf(job(), printer, planned, true), []);
  });

  it('fits whatever lies on the bed: the intent checks that', () => {
    assert.deepEqual(misfitsOf(job(), { ...giga, bed: 'occupied' }, planned, true), []);
  });

  const table: [when: string, misfits: () => string[], reasons: RegExp[]][] = [
    [
      'when its slot feeds another tool',
      () => misfitsOf(job(), holding({ tool: 1 }), planned, true),
      [/^slot extruder no longer feeds the same tool$/],
    ],
    [
      'when its slot is gone',
      () => misfitsOf(job(), { ...giga, slots: [] }, planned, true),
      [/^slot extruder no longer feeds the same tool$/],
    ],
    [
      'when its slot holds another material',
      () => misfitsOf(job(), holding({ materialId: materialId('petg') }), planned, true),
      [/^slot extruder no longer holds pla$/],
    ],
    [
      'when the printer detects something else in its slot',
      () =>
        misfitsOf(job(), holding({ materialId: null, contradiction: { booked: pla, seen: 'PETG' } }), planned, true),
      [/^slot extruder no longer holds pla: the printer reports PETG there$/],
    ],
    [
      'when the part is too large for the reported volume',
      () => misfitsOf(job({ dimensions: { x: 900, y: 20, z: 20 } }), giga, planned, true),
      [/./],
    ],
    [
      'when a different nozzle is mounted than its file was made for',
      () => misfitsOf(job({ sliced: { nozzleDiameters: [0.6] } }), { ...giga, mountedNozzles: [0.4] }, planned, true),
      [/0\.6/],
    ],
    [
      'when its file has not been read since the upgrade',
      () => misfitsOf(job(), giga, planned, false),
      [/^its file has not been examined since the upgrade$/],
    ],
  ];
  for (const [when, misfits, reasons] of table) {
    it(`no longer fits ${when}`, () => {
      const found = misfits();
      assert.equal(found.length, reasons.length, found.join('; '));
      for (const [index, reason] of reasons.entries()) assert.match(found[index] ?? '', reason);
    });
  }
});

describe("The slicer's progress", () => {
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  it('is recorded in steps of a tenth, and not at the end', async () => {
    const notes: string[] = [];
    const note = new ProgressNote(async (text) => void notes.push(text));
    for (const fraction of [0, 0.09, 0.1, 0.15, 0.19, 0.25, 0.97, 1]) {
      note.tell(fraction);
      await settled();
    }
    assert.deepEqual(notes, ['slicing: 10 %', 'slicing: 25 %', 'slicing: 97 %']);
    new ProgressNote(async (text) => void notes.push(text)).tell(1);
    assert.equal(notes.length, 3);
  });

  it('is recorded in one write at a time', async () => {
    const notes: string[] = [];
    let written: () => void = () => undefined;
    const note = new ProgressNote((text) => {
      notes.push(text);
      return new Promise((resolve) => {
        written = resolve;
      });
    });
    note.tell(0.2);
    note.tell(0.5);
    assert.deepEqual(notes, ['slicing: 20 %']);
    let over = false;
    const waiting = note.settled().then(() => {
      over = true;
    });
    await settled();
    assert.equal(over, false, 'a write that is under way is awaited');
    written();
    await waiting;
    note.tell(0.5);
    assert.deepEqual(notes, ['slicing: 20 %', 'slicing: 50 %']);
  });

  it('does no harm if it cannot be recorded', async () => {
    let tried = 0;
    const note = new ProgressNote(() => {
      tried++;
      return Promise.reject(new Error('no database'));
    });
    note.tell(0.2);
    await note.settled();
    note.tell(0.4);
    await note.settled();
    assert.equal(tried, 2);
  });
});
