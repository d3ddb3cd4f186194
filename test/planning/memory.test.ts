import assert from 'node:assert/strict';
import { type JobId, printerId } from '../../lib/model/ids';
import { memoryAfter, noMemory, remembered } from '../../lib/planning/memory';
import type { Plan, PlanLine } from '../../lib/planning/plan-shape';
import type { Snapshot } from '../../lib/planning/snapshot';
import { job, now } from './subjects';

const minute = 60_000;
const snapshot = { now, jobs: [job('a'), job('b', { copiesToStart: 0 })], printers: [] } as unknown as Snapshot;
const at = (ms: number): string => new Date(ms).toISOString();
const line = (more: Partial<PlanLine>): PlanLine =>
  ({
    jobId: 'a' as JobId,
    printerId: printerId('p'),
    slot: null,
    start: null,
    end: null,
    setups: [],
    ready: false,
    ...more,
  }) as PlanLine;
const plan = (...lines: PlanLine[]): Plan => ({ version: 1, lines, positions: {}, waiting: {} });
const change = { slot: 's', from: null, to: 'pla' as never, gramsNeeded: 1, spoolId: null };

describe('The memory that a plan leaves for the next one', () => {
  it('holds the start of a waiting job that is near, as it was first promised', () => {
    const first = memoryAfter(noMemory, snapshot, plan(line({ start: at(now + 60 * minute) })));
    assert.deepEqual(first.promised, { a: now + 60 * minute });
    const second = memoryAfter(first, snapshot, plan(line({ start: at(now + 90 * minute) })));
    assert.deepEqual(second.promised, { a: now + 60 * minute });
    assert.equal(remembered(snapshot, second).jobs[0]?.promisedStart, now + 60 * minute);
  });

  it('holds no promise once the start is far away, or the job no longer waits', () => {
    const memory = { ...noMemory, promised: { ['a' as JobId]: now, ['b' as JobId]: now } };
    assert.deepEqual(memoryAfter(memory, snapshot, plan(line({ start: at(now + 300 * minute) }))).promised, {});
    assert.deepEqual(memoryAfter(memory, snapshot, plan()).promised, { a: now });
  });

  it('holds the time since when an operator has been asked for a change', () => {
    const asking = plan(line({ setupAt: at(now), changes: [change] }));
    const { asked } = memoryAfter(noMemory, snapshot, asking);
    assert.deepEqual(asked, { 'p s pla': now });
    const later = { ...snapshot, now: now + 20 * minute };
    assert.deepEqual(memoryAfter({ ...noMemory, asked }, later, asking).asked, asked);
    assert.deepEqual(memoryAfter({ ...noMemory, asked }, later, plan()).asked, {});
  });

  it('treats an operator who does not come as away for a while, but not for ever', () => {
    const since = (minutes: number): number | undefined =>
      remembered(snapshot, { ...noMemory, asked: { 'p s pla': now - minutes * minute } }).operatorFrom;
    assert.equal(since(30), undefined);
    assert.equal(since(31), now + 60 * minute);
    assert.equal(since(90), now + 60 * minute);
    assert.equal(since(91), undefined);
    const old = { ...noMemory, asked: { 'p s pla': now - 91 * minute } };
    const asking = plan(line({ setupAt: at(now), changes: [change] }));
    assert.deepEqual(memoryAfter(old, snapshot, asking).asked, { 'p s pla': now });
  });
});
