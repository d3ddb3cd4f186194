import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { cancelJob } from '../../lib/jobs/cancel';
import { settle } from '../../lib/jobs/settle';
import type { AttemptPhase } from '../../lib/model/attempt';
import { advanceAttempt, endAttempt } from '../../lib/store/attempts';
import { findJob, historyOf, lockJob } from '../../lib/store/jobs';
import { type Arranged, arrangeAttempt, attemptOf, endAllAttempts } from '../support/attempts';
import { addJob, dropFarm, openBareFarm } from '../support/bare-farm';

describe('A cancel', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(() => endAllAttempts(farm));
  after(() => dropFarm(farm));

  const waitMs = 0;
  const stop = ({ job, claim }: Arranged, outcome: 'cancelled' | 'completed' | 'failed') =>
    farm.database.transaction(async (tx) => {
      const locked = await lockJob(tx, job);
      const attempt = (await endAttempt(tx, claim, outcome, 'stopped as asked')) ?? assert.fail();
      await settle(tx, locked, { attempt, outcome, reason: 'stopped as asked', actor: 'agent' });
    });

  /** Resolves when the cancel has reached the attempt. */
  const asked = async ({ attempt }: Arranged): Promise<void> => {
    const end = performance.now() + 3000;
    while ((await attemptOf(farm, attempt)).cancelRequestedAt === null) {
      if (performance.now() > end) assert.fail('no stop was requested');
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
  };

  it('ends a queued job immediately', async () => {
    const job = await addJob(farm, 'part');
    const cancelled = await cancelJob(farm, job, 'ada', { waitMs });
    const found = await findJob(farm.database, job);
    assert.deepEqual(cancelled, { done: true, job_id: job, status: 'cancelled', cancellation_time: found.completedAt });
    assert.deepEqual([found.statusReason, found.cancelRequestedBy], ['cancelled by ada', 'ada']);
    assert.equal((await historyOf(farm.database, job)).at(-1)?.changed_by, 'ada');
    assert.deepEqual(await cancelJob(farm, job, 'bob', { waitMs }), cancelled, 'repeating it gives the same answer');
  });

  for (const phase of ['dispatched', 'claimed', 'preparing', 'uploading'] as const satisfies AttemptPhase[]) {
    it(`immediately ends an attempt that is ${phase}: nothing was sent`, async () => {
      const { job, attempt } = await arrangeAttempt(farm, phase);
      const { done, status } = await cancelJob(farm, job, 'ada', { waitMs });
      assert.deepEqual([done, status], [true, 'cancelled']);
      const ended = await attemptOf(farm, attempt);
      assert.deepEqual([ended.phase, ended.outcome, ended.reason], ['ended', 'cancelled', 'cancelled by ada']);
    });
  }

  for (const phase of ['starting', 'outcome_unknown', 'printing'] as const satisfies AttemptPhase[]) {
    it(`requests a stop for an attempt that is ${phase}, and is done when it has stopped`, async () => {
      const arranged = await arrangeAttempt(farm, phase);
      const { job, attempt } = arranged;
      const before = await findJob(farm.database, job);
      assert.deepEqual(await cancelJob(farm, job, 'ada', { waitMs }), {
        done: false,
        job_id: job,
        status: before.status,
        cancel_requested: true,
      });
      const { phase: now, cancelRequestedAt } = await attemptOf(farm, attempt);
      assert.equal(now, phase);
      assert.ok(cancelRequestedAt);
      await cancelJob(farm, job, 'bob', { waitMs });
      assert.equal((await findJob(farm.database, job)).cancelRequestedBy, 'ada', 'the first request counts');
      await stop(arranged, 'cancelled');
      const { done, status } = await cancelJob(farm, job, 'ada', { waitMs });
      assert.deepEqual([done, status], [true, 'cancelled']);
    });
  }

  it('waits for the printer to stop', async () => {
    const arranged = await arrangeAttempt(farm, 'printing');
    const began = performance.now();
    const waiting = cancelJob(farm, arranged.job, 'ada', { waitMs: 4000 });
    await asked(arranged);
    await stop(arranged, 'cancelled');
    assert.equal((await waiting).status, 'cancelled');
    assert.ok(performance.now() - began < 3500);
  });

  it('is kept if the print fails before it is stopped: nothing is retried', async () => {
    const arranged = await arrangeAttempt(farm, 'printing', { copies: 3 });
    await cancelJob(farm, arranged.job, 'ada', { waitMs });
    assert.ok((await findJob(farm.database, arranged.job)).cancelRequestedAt);
    await stop(arranged, 'failed');
    const { status, retryAt } = await findJob(farm.database, arranged.job);
    assert.deepEqual([status, retryAt], ['cancelled', null]);
  });

  it('reports a print that finished anyway', async () => {
    const arranged = await arrangeAttempt(farm, 'printing');
    const waiting = cancelJob(farm, arranged.job, 'ada', { waitMs: 4000 });
    await asked(arranged);
    await stop(arranged, 'completed');
    await assert.rejects(waiting, /was finished before it could be stopped/);
    await assert.rejects(cancelJob(farm, arranged.job, 'ada', { waitMs }), /is completed; there is nothing/);
  });

  it('rejects a job that has failed, and one that has changed', async () => {
    const job = await addJob(farm, 'part');
    const { version } = await findJob(farm.database, job);
    await assert.rejects(cancelJob(farm, job, 'ada', { waitMs, versions: [version + 1] }), { code: 'stale_version' });
    await farm.database.query(`UPDATE print_jobs SET status = 'failed', completed_at = now() WHERE id = $1`, [job]);
    await assert.rejects(cancelJob(farm, job, 'ada', { waitMs }), {
      code: 'conflict',
      message: 'The job is failed; there is nothing to cancel.',
      remedy: 'No action is needed.',
    });
  });

  it('prevents any further start, of every copy', async () => {
    const one = await arrangeAttempt(farm, 'printing', { copies: 2 });
    const other = await arrangeAttempt(farm, 'uploading', { of: one.job, copy: 2, printer: 'bamboo_h2d' });
    await cancelJob(farm, one.job, 'ada', { waitMs });
    assert.equal((await attemptOf(farm, other.attempt)).outcome, 'cancelled');
    const start = await farm.database.transaction((tx) =>
      advanceAttempt(tx, other.claim, ['uploading', 'ended'], 'starting'),
    );
    assert.equal(start, undefined);
    assert.equal((await findJob(farm.database, one.job)).status, 'printing', 'a copy still prints');
  });

  it('stops a copy that has started a moment before', async () => {
    const arranged = await arrangeAttempt(farm, 'uploading');
    await farm.database.transaction((tx) => advanceAttempt(tx, arranged.claim, ['uploading'], 'starting'));
    assert.equal((await cancelJob(farm, arranged.job, 'ada', { waitMs })).done, false);
  });
});
