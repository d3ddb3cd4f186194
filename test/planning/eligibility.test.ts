import assert from 'node:assert/strict';
import { jobId, printerId } from '../../lib/model/ids';
import { defaultWishes } from '../../lib/model/job-wishes';
import { expectedHours, outOfService, reluctance, wallHours } from '../../lib/planning/eligibility';
import { owedJobs } from '../../lib/planning/owed';
import type { PlanningJob } from '../../lib/planning/snapshot';
import { giga, h2d, hour, job, now } from './subjects';

describe('The hours of a job on a printer', () => {
  const fast = { ...giga, timeScale: 60, capabilities: { ...giga.capabilities, speedFactor: 1.5 } };

  it('are those of the reference machine, times its factor, by its clock', () => {
    assert.equal(wallHours(job('part', { hours: 2 }), giga), 2);
    assert.equal(wallHours(job('part', { hours: 2 }), fast), 0.05);
  });

  it('are the learned ones for this printer, if there are any', () => {
    assert.equal(expectedHours(job('part', { hours: 2 }), fast), 0.05);
    const learned = job('part', { hours: 2, hoursOn: { [printerId('giga')]: 3 } });
    assert.equal(expectedHours(learned, giga), 3);
    assert.equal(expectedHours(learned, h2d), 2);
  });
});

describe('A printer is out of service', () => {
  const busy = { with: 'a print', until: now };
  const table: [when: string, printer: Parameters<typeof outOfService>[0], out: boolean][] = [
    ['idle', { online: true, state: 'idle', busy: null }, false],
    ['idle, with a dispatch under way', { online: true, state: 'idle', busy }, false],
    ['printing', { online: true, state: 'printing', busy }, false],
    ['printing an unknown job', { online: true, state: 'printing', busy: null }, true],
    ['at fault', { online: true, state: 'fault', busy: null }, true],
    ['at fault during a print', { online: true, state: 'fault', busy }, true],
    ['in an unknown state', { online: true, state: 'unknown', busy: null }, true],
    ['without a report', { online: true, state: null, busy: null }, true],
    ['offline', { online: false, state: 'idle', busy: null }, true],
    ['offline during a print', { online: false, state: 'printing', busy }, true],
  ];
  for (const [when, printer, out] of table) {
    it(`${when}: ${out}`, () => assert.equal(outOfService(printer), out));
  }
});

describe('A printer on which a job failed', () => {
  const failed = (hoursAgo: number): PlanningJob => job('part', { failedOn: giga.id, failedAt: now - hoursAgo * hour });

  it('counts as three hours slower at first, and gradually less over six hours', () => {
    const hours = [0, 1, 2, 4, 5.9, 6, 7].map((ago) => Math.round(reluctance(failed(ago), giga, now) * 100) / 100);
    assert.deepEqual(hours, [3, 2.5, 2, 1, 0.05, 0, 0]);
  });

  it('does so by its own clock', () => {
    const fast = { ...giga, timeScale: 60 };
    assert.equal(reluctance(failed(0), fast, now), 3 / 60);
    assert.equal(reluctance(failed(0.05), fast, now), 1.5 / 60);
  });

  it('does so up to that limit if the failure lies ahead', () => assert.equal(reluctance(failed(-5), giga, now), 3));

  it('does so for that printer alone, and not for ever', () => {
    assert.equal(reluctance(failed(0), h2d, now), 0);
    assert.equal(reluctance(job('part', { failedOn: giga.id }), giga, now), 0, 'the time was not recorded');
    assert.equal(reluctance(job('part'), giga, now), 0);
  });
});

describe('A job is owed', () => {
  const old = now - 1000 * hour;
  const owed = (jobs: PlanningJob[]): string[] =>
    owedJobs({ now, jobs, printers: [], clearMinutes: 5, changeMinutes: 12 }).map(({ id }) => id);

  it('from that moment on', () => {
    const due = now - (48 + 12 * 5) * hour;
    assert.deepEqual(owed([job('due', { createdAt: due }), job('early', { createdAt: due + 1 })]), ['due']);
  });

  it('earlier the more urgent it is', () => {
    const jobs = [1, 5, 10].map((priority) => job(`p${priority}`, { priority, createdAt: now - 108 * hour }));
    assert.deepEqual(owed(jobs), ['p1', 'p5']);
  });

  it('before others by the time since it was owed, not by its waiting time', () => {
    const jobs = [
      job('low', { priority: 10, createdAt: now - 300 * hour }),
      job('high', { priority: 1, createdAt: now - 250 * hour }),
    ];
    assert.deepEqual(owed(jobs), ['high', 'low']);
    assert.deepEqual(owed(jobs.reverse()), ['high', 'low']);
  });

  it('in the order of ids if that is equal', () => {
    const jobs = ['b', 'c', 'a'].map((id) => job(id, { createdAt: old }));
    assert.deepEqual(owed(jobs), ['a', 'b', 'c']);
  });

  it('unless it cannot be printed now anyway', () => {
    const waiting: Partial<PlanningJob>[] = [
      { copiesToStart: 0 },
      { held: true },
      { waitsFor: [jobId('other')] },
      { notBefore: now + 1 },
    ];
    for (const more of waiting)
      assert.deepEqual(owed([job('part', { createdAt: old, ...more })]), [], JSON.stringify(more));
    assert.deepEqual(owed([job('part', { createdAt: old, notBefore: now })]), ['part']);
    assert.deepEqual(owed([job('part', { createdAt: old, copiesToStart: 3 })]), ['part']);
  });

  it('prefers the requested printer by two hours, and no other', () => {
    const wanting = (preferPrinter: typeof giga.id | null) =>
      job('part', { wishes: { ...defaultWishes, preferPrinter } });
    assert.equal(reluctance(wanting(giga.id), giga, now), 0);
    assert.equal(reluctance(wanting(null), giga, now), 0);
    assert.equal(reluctance(wanting(printerId('other')), giga, now), 2);
    assert.equal(reluctance(wanting(printerId('other')), { ...giga, timeScale: 4 }, now), 0.5);
  });
});
