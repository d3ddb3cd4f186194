import assert from 'node:assert/strict';
import { type StartSight, startRefusal } from '../../../lib/services/agents/start-check';

const identity = { fileName: 'pw-part-1.gcode', taskId: 7 };
const earlier = { name: 'earlier.gcode', recordId: '41' };
const clear: StartSight = {
  report: {
    receivedAt: 1000,
    state: 'idle',
    job: earlier,
    slots: [{ slot: 'one', present: true, materialType: 'PLA' }],
  },
  intendedAt: 1000,
  identity,
  slot: 'one',
  materialType: 'PLA',
  before: { job: earlier, active: 3 },
  now: { job: earlier, active: 3 },
  leaseHeld: true,
  cancelled: false,
};
const shows = (report: Partial<StartSight['report']>): Partial<StartSight> => ({
  report: { ...clear.report, ...report },
});

describe('A start', () => {
  const made: [when: string, sight: Partial<StartSight>][] = [
    ['on an idle printer that shows the same as before the intent', {}],
    ['on a printer that remembers no job, as before', { ...shows({ job: null }), before: { job: null, active: 3 } }],
    [
      'on a printer without an earlier report that remembers no job',
      { ...shows({ job: null }), before: { job: undefined, active: 3 } },
    ],
    ['from a slot that the printer cannot check', shows({ slots: [{ slot: 'one', present: null }] })],
    ['from a slot that the printer does not list', shows({ slots: [] })],
    ['whatever another slot holds', shows({ slots: [{ slot: 'two', present: false }] })],
    [
      'whatever the slot holds, for a job without a known material',
      { ...shows({ slots: [{ slot: 'one', present: false }] }), materialType: undefined },
    ],
    ['with the same job under an id that is reported late', { before: { job: { name: earlier.name }, active: 3 } }],
  ];
  for (const [when, sight] of made) {
    it(`is made ${when}`, () => assert.equal(startRefusal({ ...clear, ...sight }), null));
  }

  const refused: [when: string, sight: Partial<StartSight>, why: string][] = [
    ['on a report older than the intent', shows({ receivedAt: 999.9 }), 'The observation is older than the intent.'],
    ...(['preparing', 'printing', 'paused', 'busy', 'fault', 'unknown'] as const).map(
      (state): [string, Partial<StartSight>, string] => [
        `on a printer that is ${state}`,
        shows({ state }),
        `The printer is ${state}.`,
      ],
    ),
    [
      'on a printer that already names this job',
      { ...shows({ job: { name: 'pw-part-1.gcode' } }), before: { job: { name: 'pw-part-1.gcode' }, active: 3 } },
      'The printer already names this job.',
    ],
    [
      'on a printer that already names the task of this job',
      { ...shows({ job: { name: '', taskId: '7' } }), before: { job: { name: '', taskId: '7' }, active: 3 } },
      'The printer already names this job.',
    ],
    [
      'from a slot that is empty',
      shows({ slots: [{ slot: 'one', present: false }] }),
      'The printer reports nothing in slot one, not PLA.',
    ],
    [
      'from a slot that holds another type of filament',
      shows({
        slots: [
          { slot: 'two', present: true, materialType: 'PLA' },
          { slot: 'one', present: true, materialType: 'PETG' },
        ],
      }),
      'The printer reports PETG in slot one, not PLA.',
    ],
    [
      'when another print was observed running since',
      { now: { job: earlier, active: 4 } },
      'The printer shows another job than before.',
    ],
    [
      'when another print has begun and ended since',
      shows({ job: { name: 'theirs.gcode' } }),
      'The printer shows another job than before.',
    ],
    [
      'when the same file was printed again since',
      shows({ job: { ...earlier, recordId: '42' } }),
      'The printer shows another job than before.',
    ],
    [
      'when the printer has forgotten its job since',
      shows({ job: null }),
      'The printer shows another job than before.',
    ],
    [
      'when a job is named that was not named before',
      { before: { job: null, active: 3 } },
      'The printer shows another job than before.',
    ],
    [
      'when a job is named and nothing was reported before',
      { before: { job: undefined, active: 3 } },
      'The printer shows another job than before.',
    ],
    ['without a lease', { leaseHeld: false }, 'The claim is no longer certain.'],
    ['of a job that is being cancelled', { cancelled: true }, 'The job is being cancelled.'],
  ];
  for (const [when, sight, why] of refused) {
    it(`is refused ${when}`, () => assert.equal(startRefusal({ ...clear, ...sight }), why));
  }
});
