import assert from 'node:assert/strict';
import { jobId, materialId, printerId } from '../../lib/model/ids';
import { explainJob } from '../../lib/planning/explain';
import { makePlan } from '../../lib/planning/plan';
import type { PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';
import { hour, job, now, plan, printer } from './subjects';

const always = { timeZone: 'UTC', begin: 0, end: 0 };
const modes: [string, Partial<Snapshot>][] = [
  ['without operator hours', {}],
  ['with operator hours', { operator: always }],
];
const petg = { materialId: materialId('petg'), materialType: 'PETG' };
const fast = (more: Partial<PlanningPrinter>): PlanningPrinter => {
  const made = printer('fast', [400, 400, 400], more);
  return { ...made, capabilities: { ...made.capabilities, speedFactor: 0.5 } };
};
const steady = printer('steady', [400, 400, 400]);
const slot = (material: string, gramsFree: number): PlanningPrinter['slots'] => [
  { slot: 'one', materialId: materialId(material), tool: 0, gramsFree },
];
const ready = (result: ReturnType<typeof plan>): string[][] =>
  result.lines.filter((line) => line.ready).map((line) => [line.jobId, line.printerId]);

for (const [mode, more] of modes) {
  describe(`The choice of a printer ${mode}`, () => {
    const unable: [string, Partial<PlanningPrinter>][] = [
      ['offline', { online: false }],
      ['offline in the middle of a print', { online: false, busy: { with: '"vase"', until: now } }],
      ['at fault', { state: 'fault' }],
      ['in an unknown state', { state: 'unknown' }],
      ['busy with its own work', { state: 'busy' }],
      ['without a report so far', { state: null }],
    ];
    for (const [name, state] of unable) {
      it(`never prefers a printer that is ${name}, however fast it is`, () => {
        const jobs = ['a', 'b', 'c'].map((id, index) => job(id, { priority: 1 + index }));
        const result = plan(jobs, [fast(state), steady], more);
        assert.deepEqual(ready(result), [['a', 'steady']]);
        assert.ok(
          result.lines.filter((line) => line.start !== null).every((line) => line.printerId === 'steady'),
          JSON.stringify(result.lines),
        );
      });
    }

    it('never makes a job wait for unavailable filament while another printer has it', () => {
      const result = plan([job('a', petg)], [fast({}), { ...steady, slots: slot('petg', 500) }], {
        ...more,
        shelf: [],
      });
      assert.deepEqual(ready(result), [['a', 'steady']]);
    });

    it('reports that no spool has enough, and uses the printer for another job', () => {
      const shelf = [{ spoolId: 's', materialId: materialId('petg'), grams: 90 }];
      const jobs = [job('a', { ...petg, grams: 100, priority: 1 }), job('b', { priority: 9 })];
      const snapshot = { now, jobs, printers: [steady], clearMinutes: 5, changeMinutes: 12, shelf, ...more };
      const result = makePlan(snapshot);
      assert.deepEqual(ready(result), [['b', 'steady']]);
      assert.match(result.waiting[jobId('a')] ?? '', /no spool of petg with 100 g/);
      const why = explainJob(snapshot, result, jobs[0] as (typeof jobs)[0]);
      assert.match(why.because, /no spool of petg with 100 g/);
      assert.ok(
        why.wouldHelp.some((one) => /add a spool of petg/.test(one)),
        why.wouldHelp.join(),
      );
    });

    it('counts a spool in another printer as one that can be loaded', () => {
      const small = printer('small', [20, 20, 20], { slots: slot('petg', 500) });
      const result = plan([job('a', petg)], [steady, small], { ...more, shelf: [] });
      assert.equal(result.lines[0]?.printerId, 'steady');
      assert.doesNotMatch(result.waiting[jobId('a')] ?? '', /no spool/);
    });

    it('reports that the printer detects another filament than booked, rather than that none is available', () => {
      const doubtful = { ...slot('petg', 500)[0], materialId: null } as PlanningPrinter['slots'][number];
      const contradiction = { booked: materialId('petg'), seen: 'PLA' };
      const there = { ...steady, slots: [{ ...doubtful, contradiction }] };
      const result = plan([job('a', petg)], [there], { ...more, shelf: [] });
      assert.doesNotMatch(result.waiting[jobId('a')] ?? '', /no spool/);
    });

    it('prefers another printer for a while after a failure, but does not wait hours for it', () => {
      const failed = (hours: number) => ({ failedOn: printerId('fast'), failedAt: now - hours * hour });
      const printers = [fast({}), steady];
      const chosen = (hours: number) => plan([job('a', failed(hours))], printers, more).lines[0]?.printerId;
      assert.equal(chosen(0), 'steady');
      assert.equal(chosen(12), 'fast');
      const busy = { ...steady, bed: 'occupied' as const, bedCause: 'attempt' as const };
      const printing = { ...busy, busy: { with: '"vase"', until: now + 12 * hour } };
      assert.deepEqual(ready(plan([job('a', failed(0))], [fast({}), printing], more)), [['a', 'fast']]);
      assert.deepEqual(ready(plan([job('a', failed(0))], [fast({}), { ...steady, online: false }], more)), [
        ['a', 'fast'],
      ]);
    });

    it('assigns eight jobs that failed on a printer to it again rather than queue them for hours elsewhere', () => {
      const jobs = Array.from({ length: 8 }, (_, index) =>
        job(`job${index}`, { failedOn: printerId('fast'), failedAt: now }),
      );
      const printers = new Set(plan(jobs, [fast({}), steady], more).lines.map((line) => line.printerId));
      assert.deepEqual([...printers].sort(), ['fast', 'steady']);
    });
  });
}

describe('A spool in stock', () => {
  it('is not waited for if an operator may never come and another printer could start', () => {
    const shelf = [{ spoolId: 's', materialId: materialId('petg'), grams: 900 }];
    const printers = [fast({}), { ...steady, slots: slot('petg', 500) }];
    assert.deepEqual(ready(plan([job('a', petg)], printers, { shelf })), [['a', 'steady']]);
  });

  it('is promised once: a job without a spool occupies no printer', () => {
    const shelf = [{ spoolId: 's', materialId: materialId('petg'), grams: 900 }];
    const twin = { ...steady, id: printerId('twin'), name: 'twin' };
    const jobs = [
      job('a', { ...petg, grams: 600, priority: 1 }),
      job('b', { ...petg, grams: 600, priority: 1 }),
      job('c', { priority: 9 }),
    ];
    const result = plan(jobs, [steady, twin], { operator: always, shelf });
    const planned = result.lines.map((line) => line.jobId);
    assert.equal(planned.filter((id) => id === 'a' || id === 'b').length, 1, planned.join());
    const left = planned.includes(jobId('a')) ? 'b' : 'a';
    assert.match(result.waiting[jobId(left)] ?? '', /no spool of petg with 600 g/);
    assert.equal(ready(result).length, 1);
  });
});
