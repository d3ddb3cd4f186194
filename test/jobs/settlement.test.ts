import assert from 'node:assert/strict';
import {
  type AttemptEnd,
  passedThrough,
  type Settlement,
  type SettlingFacts,
  settlementOf,
} from '../../lib/jobs/settlement';
import type { AttemptPhase } from '../../lib/model/attempt';
import { printerId, type SpoolId } from '../../lib/model/ids';
import type { Job } from '../../lib/model/job';
import { jobStatuses } from '../../lib/model/status';
import type { Attempt } from '../../lib/store/attempts';

const now = Date.parse('2026-11-28T12:00:00Z');
const giga = printerId('elegoo_giga');
const spool = 'spool' as SpoolId;
const iso = (seconds: number): string => new Date(now + seconds * 1000).toISOString();

const job: Parameters<typeof settlementOf>[0] = {
  actualCostUsd: null,
  actualDurationHours: null,
  cancelRequestedAt: null,
  copies: 1,
  copiesDone: 0,
  givingUp: null,
  maxRetries: 2,
  retryCount: 0,
  retrySettings: {},
};
const attempt = { printerId: giga, spoolId: spool, copy: 1 } as Attempt;
const facts: SettlingFacts = { phases: ['ended'], failures: 1, withdrawals: 1, now, spoolsChanged: false };

/** The settlement after this outcome, for a job of one copy whose only attempt it was, with changes. */
function endedBy(
  outcome: AttemptEnd['outcome'],
  { end = {}, of = {}, ...known }: { end?: Partial<AttemptEnd>; of?: Partial<Job> } & Partial<SettlingFacts> = {},
): Settlement {
  return settlementOf(
    { ...job, ...of },
    { attempt, outcome, reason: 'why', actor: 'agent', ...end },
    { ...facts, ...known },
  );
}

describe('The job after one of its attempts has ended', () => {
  const cancelled = { cancelRequestedAt: iso(-5) };
  const another: AttemptPhase[] = ['ended', 'uploading'];
  const table: [
    when: string,
    end: () => Settlement,
    status: Settlement['status'],
    change: Partial<Settlement['change']>,
  ][] = [
    [
      'its only copy is done',
      () => endedBy('completed'),
      'completed',
      { copiesDone: 1, reason: 'why', actor: 'agent' },
    ],
    [
      'the first of three copies is done',
      () => endedBy('completed', { of: { copies: 3 } }),
      'queued',
      { copiesDone: 1, reason: '1 of 3 copies done' },
    ],
    [
      'the first of three copies is done, and another is under way',
      () => endedBy('completed', { of: { copies: 3 }, phases: another }),
      'uploading',
      { copiesDone: 1, reason: '1 of 3 copies done' },
    ],
    [
      'the last of three copies is done',
      () => endedBy('completed', { of: { copies: 3, copiesDone: 2 } }),
      'completed',
      { copiesDone: 3 },
    ],
    [
      'a copy is done, and fewer were wanted in the meantime',
      () => endedBy('completed', { of: { copies: 1, copiesDone: 1 } }),
      'completed',
      { copiesDone: 2 },
    ],
    [
      'a copy is done of a job that is being given up',
      () => endedBy('completed', { of: { copies: 3, givingUp: 'tried too often' } }),
      'failed',
      { copiesDone: 1, reason: 'tried too often' },
    ],
    [
      'a copy is done of a job that is being given up, while another is under way',
      () => endedBy('completed', { of: { copies: 3, givingUp: 'tried too often' }, phases: another }),
      'uploading',
      { copiesDone: 1, reason: '1 of 3 copies done' },
    ],
    ['it was withdrawn', () => endedBy('withdrawn'), 'queued', { reason: 'why' }],
    [
      'it was withdrawn, and another is under way',
      () => endedBy('withdrawn', { phases: another }),
      'uploading',
      { reason: 'why' },
    ],
    ['an operator stopped its only copy at the printer', () => endedBy('cancelled'), 'cancelled', { reason: 'why' }],
    [
      'an operator stopped one of two copies at the printer',
      () => endedBy('cancelled', { of: { copies: 2 }, end: { failure: 'permanent' } }),
      'queued',
      { retryCount: 1, reason: 'why; tried again in 10 s' },
    ],
    [
      'an operator stopped one of two copies at the printer once too often',
      () => endedBy('cancelled', { of: { copies: 2 }, failures: 3 }),
      'failed',
      { reason: 'why (given up after 3 tries at this copy)' },
    ],
    [
      'the job was cancelled, and it is stopped',
      () => endedBy('cancelled', { of: cancelled }),
      'cancelled',
      { copiesDone: 0, reason: 'why' },
    ],
    [
      'the job was cancelled, and it failed',
      () => endedBy('failed', { of: cancelled }),
      'cancelled',
      { copiesDone: 0, reason: 'why' },
    ],
    [
      'the job was cancelled, and it was not started',
      () => endedBy('not_started', { of: cancelled }),
      'cancelled',
      { copiesDone: 0 },
    ],
    [
      'the job was cancelled, and it was withdrawn',
      () => endedBy('withdrawn', { of: cancelled }),
      'cancelled',
      { copiesDone: 0 },
    ],
    [
      'the job was cancelled, but its last copy finished anyway',
      () => endedBy('completed', { of: { ...cancelled, copies: 2, copiesDone: 1 } }),
      'completed',
      { copiesDone: 2 },
    ],
    [
      'the job was cancelled, but a copy before the last finished anyway',
      () => endedBy('completed', { of: { ...cancelled, copies: 3, copiesDone: 1 } }),
      'cancelled',
      { copiesDone: 2 },
    ],
    [
      'the job was cancelled, and another copy is still printing',
      () => endedBy('completed', { of: { ...cancelled, copies: 2 }, phases: ['ended', 'printing'] }),
      'printing',
      { copiesDone: 1, reason: 'why' },
    ],
    [
      'the job was cancelled, a copy failed, and another is still printing',
      () => endedBy('failed', { of: { ...cancelled, copies: 2 }, phases: ['ended', 'printing'] }),
      'printing',
      { copiesDone: 0, reason: 'why' },
    ],
  ];
  for (const [when, end, status, change] of table) {
    it(`when ${when}: ${status}`, () => {
      const found = end();
      assert.equal(found.status, status);
      assert.deepEqual({ ...found.change, ...change }, found.change);
      assert.equal(found.givenUp ?? false, status === 'failed', 'only a job that is given up leaves a dead letter');
    });
  }

  it('does not mention an outcome in its history that was not recorded', () => {
    assert.deepEqual(endedBy('completed').change, { reason: 'why', actor: 'agent', copiesDone: 1 });
    assert.deepEqual(endedBy('withdrawn'), { status: 'queued', change: { reason: 'why', actor: 'agent' } });
    assert.deepEqual(endedBy('withdrawn', { end: { hours: null } }).change, { reason: 'why', actor: 'agent' });
  });

  it('adds the recorded amounts to those of earlier attempts', () => {
    const end = { outcomeId: 'outcome', hours: 1.5, costUsd: 2 };
    assert.deepEqual(endedBy('completed', { end }).change, {
      reason: 'why',
      actor: 'agent',
      copiesDone: 1,
      outcomeId: 'outcome',
      actualDurationHours: 1.5,
      actualCostUsd: 2,
    });
    const { change } = endedBy('failed', { end, of: { actualDurationHours: 1, actualCostUsd: 3 } });
    assert.deepEqual([change.actualDurationHours, change.actualCostUsd], [2.5, 5]);
    const long = endedBy('completed', { end: { ...end, hours: 600 }, of: { actualDurationHours: 600 } });
    assert.equal(long.change.actualDurationHours, 999.99, 'the maximum of the column');
  });
});

describe('Retries', () => {
  for (const maxRetries of [0, 1, 2, 3]) {
    for (const outcome of ['failed', 'not_started'] as const) {
      for (let failures = 1; failures <= maxRetries + 1; failures++) {
        const again = failures <= maxRetries;
        it(`with max_retries ${maxRetries}, after ${outcome} ${failures} times: ${again ? 'the copy is retried' : 'the copy is given up'}`, () => {
          const of = { maxRetries, retryCount: failures - 1 };
          const found = endedBy(outcome, { of, failures, end: { failure: 'transient' } });
          if (!again) {
            const tries = failures === 1 ? '1 try' : `${failures} tries`;
            assert.deepEqual(found, {
              status: 'failed',
              change: { reason: `why (given up after ${tries} at this copy)`, actor: 'agent' },
              givenUp: true,
            });
            return;
          }
          const pause = 10 * 2 ** (failures - 1);
          assert.deepEqual(found, {
            status: 'queued',
            change: { reason: `why; tried again in ${pause} s`, actor: 'agent', retryCount: failures },
            amendment: { retryAt: iso(pause), failedOn: giga },
          });
        });
      }
    }
  }

  it('wait twice as long each time, and never more than an hour', () => {
    const pauses = [1, 2, 3, 4, 9, 10, 40].map((failures) => {
      const { retryAt } = endedBy('failed', { failures, of: { maxRetries: 99 } }).amendment ?? {};
      return (Date.parse(retryAt ?? '') - now) / 1000;
    });
    assert.deepEqual(pauses, [10, 20, 40, 80, 2560, 3600, 3600]);
  });

  it('do not happen for what cannot be printed, and its own reason is kept', () => {
    const found = endedBy('not_started', { end: { failure: 'permanent' } });
    assert.deepEqual([found.status, found.change.reason, found.givenUp], ['failed', 'why', true]);
    const late = endedBy('not_started', { end: { failure: 'permanent' }, failures: 9 });
    assert.equal(late.change.reason, 'why', 'it was not given up for the number of its tries');
  });

  it('do not happen for a job that is being given up, which keeps its reason', () => {
    const found = endedBy('failed', { of: { copies: 3, givingUp: 'tried too often' } });
    assert.deepEqual([found.status, found.change.reason, found.givenUp], ['failed', 'tried too often', true]);
  });

  it('end while copies are still under way: nothing new is started, and they continue', () => {
    const found = endedBy('failed', { of: { copies: 2 }, failures: 3, phases: ['ended', 'printing'] });
    assert.deepEqual(found, {
      status: 'printing',
      change: { reason: 'why', actor: 'agent' },
      amendment: { givingUp: 'why (given up after 3 tries at this copy)' },
    });
    const second = endedBy('failed', { of: { copies: 3, givingUp: 'before' }, phases: ['ended', 'printing'] });
    assert.deepEqual(second.amendment, { givingUp: 'why' });
  });

  it('leave the copies that are under way alone', () => {
    assert.equal(endedBy('failed', { phases: ['printing', 'ended'], of: { copies: 2 } }).status, 'printing');
  });

  it('print with the requested settings unless the owner has enabled the kind of failure', () => {
    const asked = endedBy('failed', { end: { failureKind: 'spaghetti' } });
    assert.deepEqual([asked.amendment?.retrySettings, asked.change.reason], [undefined, 'why; tried again in 10 s']);
    const end = { failureKind: 'spaghetti' as const, retryPolicy: new Set(['spaghetti' as const]) };
    const slower = endedBy('failed', { end });
    assert.deepEqual(slower.amendment?.retrySettings, { speed_factor: 0.7 });
    assert.equal(slower.change.reason, 'why; tried again in 10 s, everything at 70 % of its speed');
    assert.equal(slower.emptied, undefined);
    const other = endedBy('failed', { end: { ...end, failureKind: null } });
    assert.equal(other.amendment?.retrySettings, undefined);
    const slowest = endedBy('failed', { end, of: { retrySettings: { speed_factor: 0.7 } } });
    assert.deepEqual(slowest.amendment?.retrySettings, { speed_factor: 0.7 * 0.7 });
  });

  it('count a spool that ran out as empty if the owner has enabled that and no other fed the print', () => {
    const retryPolicy = new Set(['run_out' as const]);
    const end = { failureKind: 'run_out' as const, retryPolicy };
    assert.equal(endedBy('failed', { end }).emptied, spool);
    assert.equal(
      endedBy('failed', { end, spoolsChanged: true }).emptied,
      undefined,
      'it is unknown which of them it was',
    );
    assert.equal(endedBy('failed', { end: { ...end, attempt: { ...attempt, spoolId: null } } }).emptied, undefined);
    assert.equal(endedBy('failed', { end: { failureKind: 'run_out' } }).emptied, undefined);
  });
});

describe('The delay of a job that was withdrawn', () => {
  it('is half a minute if its printer was not ready, and another printer is preferred', () => {
    assert.deepEqual(endedBy('withdrawn', { end: { pause: true } }), {
      status: 'queued',
      change: { reason: 'why', actor: 'agent' },
      amendment: { retryAt: iso(30), failedOn: giga },
    });
  });

  it('is none otherwise', () => {
    for (const pause of [false, undefined]) {
      const end: Partial<AttemptEnd> = pause === undefined ? {} : { pause };
      assert.equal(endedBy('withdrawn', { end }).amendment, undefined);
    }
  });

  it('doubles with each withdrawal of the last hours', () => {
    const pauses = [1, 2, 3, 4, 5].map((withdrawals) => {
      const { amendment, change } = endedBy('withdrawn', { withdrawals, end: { pause: true } });
      assert.equal(change.retryCount, undefined, 'it costs no retry');
      return (Date.parse(amendment?.retryAt ?? '') - now) / 1000;
    });
    assert.deepEqual(pauses, [30, 60, 120, 240, 480]);
  });

  it('ends: from the sixth withdrawal on, each counts as a failure', () => {
    const of = { maxRetries: 2 };
    const found = [6, 7, 8].map((withdrawals) =>
      endedBy('withdrawn', { of, failures: 0, withdrawals, end: { pause: true } }),
    );
    assert.deepEqual(
      found.map(({ status, change }) => [status, change.retryCount]),
      [
        ['queued', 1],
        ['queued', 1],
        ['failed', undefined],
      ],
    );
  });
});

describe('The path to a status', () => {
  it('is that status, and empty if the job is already there', () => {
    for (const status of jobStatuses) assert.deepEqual(passedThrough(status, status), []);
    assert.deepEqual(passedThrough('printing', 'completed'), ['completed']);
    assert.deepEqual(passedThrough('uploading', 'queued'), ['queued']);
    assert.deepEqual(passedThrough('uploading', 'cancelled'), ['cancelled']);
    assert.deepEqual(
      passedThrough('queued', 'printing'),
      ['printing'],
      'a transition outside the graph is not made up',
    );
  });

  it('states that a print that was found finished did print', () => {
    assert.deepEqual(passedThrough('uploading', 'completed'), ['printing', 'completed']);
  });
});
