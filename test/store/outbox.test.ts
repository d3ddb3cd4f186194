import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import {
  dropOvertakenDispatches,
  eventsAfter,
  markFailed,
  markSent,
  resendUnclaimed,
  unsent,
} from '../../lib/store/outbox';
import { type Arranged, arrangeAttempt, endAllAttempts } from '../support/attempts';
import { dropFarm, openBareFarm } from '../support/bare-farm';

describe('The statements of the outbox', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(async () => {
    await endAllAttempts(farm);
    await farm.database.query('DELETE FROM outbox');
  });
  after(() => dropFarm(farm));

  const free = { lanes: [], ids: [] };
  const add = async (job: string | null, kind = 'status', attempt: string | null = null): Promise<number> => {
    const { rows } = await farm.database.query<{ id: number }>(
      `INSERT INTO outbox (kind, routing_key, job_id, attempt_id, body) VALUES ($2, 'q', $1, $3, '{}') RETURNING id`,
      [job, kind, attempt],
    );
    return rows[0]?.id ?? assert.fail();
  };
  const next = async (limit = 10, busy: Parameters<typeof unsent>[2] = free): Promise<number[]> =>
    (await unsent(farm.database, limit, busy)).map(({ id }) => id);
  const laneOf = async (job: string): Promise<string> =>
    (await unsent(farm.database, 10, free)).find(({ jobId }) => jobId === job)?.lane ?? assert.fail();

  it('return only the oldest message of each lane, the oldest first', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const first = await add(one);
    await add(one);
    const third = await add(other);
    const [fourth, fifth] = [await add(null), await add(null)];
    assert.deepEqual(await next(), [first, third, fourth, fifth]);
    assert.deepEqual(await next(2), [first, third]);
  });

  it('return nothing of a busy lane, and no busy message without a lane', async () => {
    const [one, other] = [randomUUID(), randomUUID()];
    const first = await add(one);
    const second = await add(other);
    const [third, fourth] = [await add(null), await add(null)];
    assert.deepEqual(await next(10, { lanes: [await laneOf(one)], ids: [third] }), [second, fourth]);
    await add(one, 'dispatch');
    assert.deepEqual(await next(10, { lanes: [await laneOf(one)], ids: [] }), [second, third, fourth]);
    assert.deepEqual(await next(10, { lanes: [], ids: [first] }), [first, second, third, fourth]);
  });

  it('return a failed message again, and none behind it', async () => {
    const job = randomUUID();
    const [first] = [await add(job), await add(job)];
    await markFailed(farm.database, first, 'no broker');
    assert.deepEqual(await next(), [first]);
  });

  it('return jobs with a dispatch first, with their earlier messages before it', async () => {
    const job = randomUUID();
    const waiting = await add(randomUUID());
    const before = await add(job);
    const dispatch = await add(job, 'dispatch');
    assert.deepEqual(await next(), [before, waiting]);
    await markSent(farm.database, [before]);
    assert.deepEqual(await next(), [dispatch, waiting]);
    await markSent(farm.database, [dispatch]);
    assert.deepEqual(await next(), [waiting]);
  });

  it('number events in the order of publishing, once', async () => {
    const [first, second] = [await add(randomUUID()), await add(randomUUID())];
    await markSent(farm.database, [second]);
    await markSent(farm.database, [first]);
    const numbers = async () => (await eventsAfter(farm.database, 0, 10)).map(({ id }) => id);
    const told = await numbers();
    assert.equal(told.length, 2);
    await farm.database.query('UPDATE outbox SET sent_at = NULL');
    await markSent(farm.database, [first]);
    assert.deepEqual(await numbers(), told, 'a message that is published again keeps its number');
  });

  const dispatchOf = async (
    phase: 'dispatched' | 'claimed' | 'ended',
    sent: string | null,
  ): Promise<[Arranged, number]> => {
    const arranged = await arrangeAttempt(farm, phase);
    await farm.database.query('DELETE FROM outbox');
    const id = await add(arranged.job, 'dispatch', arranged.attempt);
    await farm.database.query('UPDATE outbox SET sent_at = now() - $2::interval WHERE id = $1', [id, sent]);
    return [arranged, id];
  };

  it('publish a dispatch again that has been unclaimed for this long', async () => {
    const [, id] = await dispatchOf('dispatched', '31 seconds');
    assert.equal(await resendUnclaimed(farm.database, 40), 0);
    assert.equal(await resendUnclaimed(farm.database, 30), 1);
    assert.deepEqual(await next(), [id]);
    assert.equal(await resendUnclaimed(farm.database, 0), 0, 'it is already on its way');
  });

  for (const phase of ['claimed', 'ended'] as const) {
    it(`do not publish a dispatch of an attempt that is ${phase} again, and drop one that waits`, async () => {
      const [, id] = await dispatchOf(phase, '31 seconds');
      assert.equal(await resendUnclaimed(farm.database, 0), 0);
      await farm.database.query('UPDATE outbox SET sent_at = NULL');
      assert.deepEqual(await next(), [id]);
      await dropOvertakenDispatches(farm.database);
      assert.deepEqual(await next(), []);
    });
  }

  it('do not drop a dispatch that is still needed', async () => {
    const [, id] = await dispatchOf('dispatched', null);
    await dropOvertakenDispatches(farm.database);
    assert.deepEqual(await next(), [id]);
  });
});
