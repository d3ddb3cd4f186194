import assert from 'node:assert/strict';
import { jobId } from '../../lib/model/ids';
import { explainJob } from '../../lib/planning/explain';
import { makePlan } from '../../lib/planning/plan';
import type { PlanningJob, Snapshot } from '../../lib/planning/snapshot';
import { h2d, job, now } from './subjects';

const operators: [string, Partial<Snapshot>][] = [
  ['without operator hours', {}],
  ['with operator hours', { operator: { timeZone: 'UTC', begin: 0, end: 0 } }],
];

for (const [mode, more] of operators) {
  describe(`A job that depends on another, ${mode}`, () => {
    const why = (jobs: PlanningJob[]) => {
      const snapshot: Snapshot = { now, jobs, printers: [h2d], clearMinutes: 5, changeMinutes: 12, ...more };
      const last = jobs.at(-1) as PlanningJob;
      const plan = makePlan(snapshot);
      return { ...explainJob(snapshot, plan, last), waiting: plan.waiting[last.id] ?? '' };
    };
    const child = (more: Partial<PlanningJob>) => job('b', { waitsFor: [jobId('a')], ...more });

    it('follows one that is under way', () => {
      const { because, wouldHelp, waiting } = why([job('a'), child({})]);
      assert.match(because, /depends on a, not completed yet/);
      assert.match(wouldHelp.join(), /follows by itself/);
      assert.doesNotMatch(waiting, /never/);
    });

    for (const [status, again] of [
      ['failed', /replay a/],
      ['cancelled', /submit a again/],
      ['gone', /submit what it stood for/],
    ] as const) {
      it(`never follows one that is ${status}, and reports what to do`, () => {
        const { because, wouldHelp, waiting } = why([child({ deadEnds: [{ id: jobId('a'), status }] })]);
        const actions = wouldHelp.join('; ');
        assert.match(because, new RegExp(`never follow.* a .*${status}`));
        assert.match(waiting, new RegExp(`never follow.*${status}`));
        assert.doesNotMatch(actions, /by itself/);
        assert.match(actions, /drop the dependency \(PATCH jobs\/b \{"depends_on": \[\]\}\)/);
        assert.match(actions, /cancel it/);
        assert.match(actions, again);
      });
    }

    it('never follows one that itself never follows', () => {
      const a = job('a', { waitsFor: [jobId('x')], deadEnds: [{ id: jobId('x'), status: 'failed' }] });
      const { because, wouldHelp } = why([a, child({})]);
      assert.match(because, /never follow.* x .*failed/);
      assert.match(wouldHelp.join(), /drop the dependency/);
    });

    it('keeps its remaining dependencies when the other one is dropped', () => {
      const both = child({
        waitsFor: [jobId('a'), jobId('x')],
        deadEnds: [{ id: jobId('x'), status: 'cancelled' }],
      });
      assert.match(why([job('a'), both]).wouldHelp.join(), /"depends_on": \["a"\]/);
    });
  });
}
