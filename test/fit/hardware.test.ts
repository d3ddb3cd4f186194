import assert from 'node:assert/strict';
import { jobId } from '../../lib/model/ids';
import { hoursFrom } from '../../lib/planning/calendar';
import { makePlan } from '../../lib/planning/plan';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';
import { giga, job, type Wanted } from './subjects';

const now = Date.parse('2026-11-28T08:00:00Z');

const planning = (name: string, wanted: Wanted): PlanningJob => ({
  ...job(wanted),
  id: jobId(name),
  name,
  hours: 1,
  priority: 5,
  deadline: null,
  createdAt: now,
  notBefore: null,
  held: false,
  waitsFor: [],
  copiesToStart: 1,
  failedOn: null,
});

describe('A print that needs another nozzle', () => {
  const printer: PlanningPrinter = { ...giga, timeScale: 1, busy: null };
  const snapshot = (operator: boolean): Snapshot => ({
    now,
    clearMinutes: 5,
    changeMinutes: 10,
    printers: [printer],
    jobs: [planning('first', { sliced: { nozzleDiameters: [0.6] } }), planning('second', {})],
    ...(operator && { operator: hoursFrom('00:00-24:00', 'UTC') }),
  });

  for (const operator of [false, true]) {
    it(`does not hold up other jobs, and states what it waits for, ${operator ? 'with' : 'without'} operator hours`, () => {
      const plan = makePlan(snapshot(operator));
      assert.deepEqual(
        plan.lines.filter(({ ready }) => ready).map((line) => line.jobId),
        ['second'],
      );
      assert.match(plan.waiting[jobId('first')] ?? '', /mount a nozzle of 0\.6 mm on Giga/);
    });
  }
});
