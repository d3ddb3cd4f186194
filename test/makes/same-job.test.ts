import assert from 'node:assert/strict';
import { isSameJob } from '../../lib/makes/driver';
import type { PrinterJob } from '../../lib/model/printer';

const stem = 'pw-bracket-0123456789abcdef0123456789abcdef';
const other = 'pw-bracket-fedcba9876543210fedcba9876543210';
const ours = { fileName: `${stem}.gcode.3mf`, taskId: 7 };

describe('A job that a printer names', () => {
  const cases: { when: string; job: PrinterJob | null; same: boolean }[] = [
    { when: 'there is none', job: null, same: false },
    { when: 'its id and its name are ours', job: { name: stem, taskId: '7' }, same: true },
    { when: 'its id is ours, and it has no name', job: { name: '', taskId: '7' }, same: true },
    { when: 'its id is ours, and its name has an extension', job: { name: `${stem}.gcode`, taskId: '7' }, same: true },
    {
      when: 'its id is ours, and its name is in a folder',
      job: { name: `cache/${stem}.3mf`, taskId: '7' },
      same: true,
    },
    { when: 'its id is ours, and its name is cut off', job: { name: stem.slice(0, 30), taskId: '7' }, same: true },
    { when: 'its id is ours, and its name goes on', job: { name: `${stem}_plate_1`, taskId: '7' }, same: true },
    // A new database counts from 1 again, while the printer remembers a print of the old one.
    { when: 'its id is ours, and its name is of another attempt', job: { name: other, taskId: '7' }, same: false },
    // The printer invents ids for prints that were sent without one.
    { when: 'its id is ours, and its name is foreign', job: { name: 'MR_TREX_plate-1', taskId: '7' }, same: false },
    { when: 'its id is another, and its name is ours', job: { name: stem, taskId: '8' }, same: false },
    { when: 'it has no id, and its name is ours', job: { name: `${stem}.gcode.3mf` }, same: true },
    { when: 'its id means none, and its name is ours', job: { name: stem, taskId: '0' }, same: true },
    { when: 'it has no id, and its name is cut off', job: { name: stem.slice(0, 30) }, same: false },
    { when: 'it has neither', job: { name: '' }, same: false },
  ];
  for (const { when, job, same } of cases) {
    it(`is ${same ? 'ours' : 'not ours'} when ${when}`, () => assert.equal(isSameJob(ours, job), same));
  }
});
