import assert from 'node:assert/strict';
import { checkLine, type LineFacts, printFileName } from '../../lib/jobs/line-check';
import { jobId, materialId, printerId } from '../../lib/model/ids';
import { jobStatuses } from '../../lib/model/status';
import { giga, hour, job, now } from '../planning/subjects';

const ready: LineFacts = {
  now,
  farmPaused: false,
  printerTaken: false,
  status: 'queued',
  job: job('part'),
  printer: giga,
  quiet: undefined,
};
const pla = materialId('pla');
const slot = (name: string, gramsFree: number, material = pla, tool = 0) => ({
  slot: name,
  materialId: material,
  tool,
  gramsFree,
});
/** From an hour before `now` until an hour after it. */
const quiet = { timeZone: 'UTC', begin: 11 * 60, end: 13 * 60 };

describe('A line of a plan', () => {
  it('is dispatched if there is no obstacle', () => {
    assert.deepEqual(checkLine(ready), { slot: giga.slots[0] });
  });

  const waiting = jobId('another');
  const table: [when: string, facts: Partial<LineFacts>, why: RegExp][] = [
    ['while the farm is paused', { farmPaused: true }, /^the farm is paused$/],
    ['while the printer has an attempt', { printerTaken: true }, /^giga has another job under way$/],
    [
      'without a copy left to start',
      { job: job('part', { copiesToStart: 0 }) },
      /^no copy of the job is left to start$/,
    ],
    ['of a job that is held', { job: job('part', { held: true }) }, /^the job is held$/],
    [
      'of a job that waits for another',
      { job: job('part', { waitsFor: [waiting] }) },
      /^a job that it depends on is not completed$/,
    ],
    [
      'of a job whose start time has not come',
      { job: job('part', { notBefore: now + 1 }) },
      /^it is too early for the job$/,
    ],
    ['on a bed that is occupied', { printer: { ...giga, bed: 'occupied', bedCause: 'foreign' } }, /not ours/],
    ['on a printer that is offline', { printer: { ...giga, online: false } }, /offline/],
    ['on a printer that prints', { printer: { ...giga, state: 'printing' } }, /printing/],
    [
      'with too little filament',
      { printer: { ...giga, slots: [slot('one', 19)] } },
      /only 19 g of pla free, 20 g are needed/,
    ],
    [
      'for another printer',
      { job: job('part', { forcePrinter: printerId('h2d') }) },
      /not the printer that the job asks for/,
    ],
    [
      'on a printer that is closed',
      { printer: { ...giga, closed: [{ from: now - hour, until: now + hour, reason: 'new nozzle' }] } },
      /^giga may not print until 2026-11-24T13:00:00.000Z: new nozzle$/,
    ],
    ['in quiet hours', { quiet }, /^no print starts in quiet hours, until 2026-11-24T13:00:00.000Z$/],
    ['without a slot for its filament', { printer: { ...giga, slots: [] } }, /pla/],
  ];
  for (const [when, facts, why] of table) {
    it(`is refused ${when}`, () => {
      const checked = checkLine({ ...ready, ...facts });
      assert.match('refused' in checked ? checked.refused : assert.fail('it was not refused'), why);
    });
  }

  for (const status of jobStatuses) {
    const over = ['completed', 'failed', 'cancelled'].includes(status);
    it(`of a job that is ${status} is ${over ? 'rejected' : 'dispatched'}`, () => {
      const checked = checkLine({ ...ready, status });
      assert.deepEqual(checked, over ? { refused: `the job is ${status}` } : { slot: giga.slots[0] });
    });
  }

  it('is dispatched from the exact moment that the job may be printed', () => {
    assert.ok('slot' in checkLine({ ...ready, job: job('part', { notBefore: now }) }));
  });

  it('is dispatched on a printer that will be closed: the plan has accounted for that', () => {
    const closed = [{ from: now + 1, until: now + hour, reason: 'new nozzle' }];
    assert.ok('slot' in checkLine({ ...ready, printer: { ...giga, closed } }));
  });

  it('uses the spool with the least filament that is enough, so that full ones stay for large parts', () => {
    const slots = [slot('full', 1000), slot('enough', 20), slot('half', 500), slot('little', 19.9)];
    for (const order of [slots, [...slots].reverse()]) {
      const checked = checkLine({ ...ready, printer: { ...giga, slots: order } });
      assert.deepEqual(checked, { slot: slot('enough', 20) });
    }
  });

  it('uses no spool of another material, however little is left on it', () => {
    const slots = [slot('petg', 30, materialId('petg')), slot('full', 1000)];
    assert.deepEqual(checkLine({ ...ready, printer: { ...giga, slots } }), { slot: slot('full', 1000) });
  });

  it('lists every reason at once', () => {
    const printer = { ...giga, bed: 'occupied' as const, slots: [] };
    const checked = checkLine({ ...ready, printer });
    assert.match('refused' in checked ? checked.refused : '', /\. \S/);
  });
});

describe('The name of a print file', () => {
  const id = '0123abcd-0000-4000-8000-00000000ffff';
  const short = '0123abcd00004000800000000000ffff';
  const table: [name: string, file: string][] = [
    ['Bracket', `pw-Bracket-${short}.gcode`],
    ['  two words, v2.stl  ', `pw-two-words-v2-stl-${short}.gcode`],
    ['Größe Ø', `pw-Gro-e-${short}.gcode`],
    ['部品', `pw-job-${short}.gcode`],
    ['a'.repeat(99), `pw-${'a'.repeat(32)}-${short}.gcode`],
    ['--', `pw-job-${short}.gcode`],
  ];
  for (const [name, file] of table) {
    it(`of "${name.slice(0, 30)}" is ${file.slice(0, 40)}…`, () => {
      assert.equal(printFileName(name, id, 'moonraker'), file);
      assert.match(file, /^[A-Za-z0-9._-]{1,99}$/);
    });
  }

  it('has the extension that its make expects', () => {
    assert.equal(printFileName('part', id, 'bambu'), `pw-part-${short}.gcode.3mf`);
    assert.equal(printFileName('part', id, 'snapmaker'), `pw-part-${short}.gcode`);
  });
});
