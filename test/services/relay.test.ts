import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { type BrokerState, BrokerUnavailableError, type OutgoingMessage } from '../../lib/messaging/broker';
import { OutboxRelay } from '../../lib/services/relay';
import { attemptsOf, withdrawAttempt } from '../../lib/store/attempts';
import { lockJob } from '../../lib/store/jobs';
import type { OutboxRow } from '../../lib/store/outbox';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';

describe('The outbox relay', () => {
  let farm: Farm;
  let relay: OutboxRelay;
  const sent: OutboxRow[] = [];
  let told: () => void = () => undefined;

  beforeEach(async () => {
    farm = await openBareFarm();
    sent.length = 0;
    relay = new OutboxRelay(farm, (row) => {
      sent.push(row);
      told();
    });
    await relay.start();
  });
  afterEach(async () => {
    await relay.stop();
    await dropFarm(farm);
  });

  const untilSent = async (count: number): Promise<void> => {
    while (sent.length < count) {
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
  };

  it('publishes a message that was written first and committed last, and one that was written last and committed first', async () => {
    const add = `INSERT INTO outbox (kind, routing_key, job_id, body) VALUES ('status', '', $1, '{}') RETURNING id`;
    const [slow, quick] = [randomUUID(), randomUUID()];
    const early = await farm.database.connect();
    try {
      await early.query('BEGIN');
      const first = (await early.query<{ id: number }>(add, [slow])).rows[0]?.id ?? 0;
      const second = (await farm.database.query<{ id: number }>(add, [quick])).rows[0]?.id ?? 0;
      assert.ok(first < second, 'the ids are assigned in the order of writing');
      relay.wake();
      await untilSent(1);
      assert.deepEqual(
        sent.map(({ jobId }) => jobId),
        [quick],
      );
      await early.query('COMMIT');
    } finally {
      await early.end();
    }
    relay.wake();
    await untilSent(2);
    assert.deepEqual(
      sent.map(({ jobId }) => jobId),
      [quick, slow],
    );
  });

  it('publishes the events of one job in order, however many there are', async () => {
    const job = randomUUID();
    await farm.database.query(
      `INSERT INTO outbox (kind, routing_key, job_id, body)
       SELECT 'status', '', $1, jsonb_build_object('seq', n) FROM generate_series(1, 250) AS n`,
      [job],
    );
    relay.wake();
    await untilSent(250);
    assert.deepEqual(
      sent.map(({ body }) => (body as { seq: number }).seq),
      Array.from({ length: 250 }, (_, index) => index + 1),
    );
  });

  /** Holds every message back until it is released or rejected. */
  const holdMessages = (): {
    going: OutgoingMessage[];
    answer(of: number, error?: Error): void;
    more(): Promise<void>;
  } => {
    const going: OutgoingMessage[] = [];
    const answers: ((error?: Error) => void)[] = [];
    let another: () => void = () => undefined;
    farm.broker.publish = (message) =>
      new Promise((resolve, reject) => {
        going.push(message);
        answers.push((error) => (error ? reject(error) : resolve()));
        another();
      });
    return {
      going,
      answer: (of, error) => answers[of]?.(error),
      more: () =>
        new Promise((resolve) => {
          another = resolve;
        }),
    };
  };
  const addStatus = (job: string | null, seq: number): Promise<unknown> =>
    farm.database.query(
      `INSERT INTO outbox (kind, routing_key, job_id, body) VALUES ('status', '', $1, jsonb_build_object('seq', $2::int))`,
      [job, seq],
    );
  const seqOf = ({ body }: OutgoingMessage): unknown => (body as { seq?: number }).seq;

  it('publishes messages of many jobs concurrently, and of one job only the oldest', async () => {
    const held = holdMessages();
    const [one, other] = [randomUUID(), randomUUID()];
    for (const [job, seq] of [
      [one, 1],
      [one, 2],
      [other, 3],
      [null, 4],
      [null, 5],
    ] as const)
      await addStatus(job, seq);
    relay.wake();
    while (held.going.length < 4) await held.more();
    assert.deepEqual(held.going.map(seqOf), [1, 3, 4, 5]);
    const next = held.more();
    held.answer(0);
    await next;
    assert.deepEqual(held.going.map(seqOf).at(-1), 2, 'it follows when the one before it is marked');
    for (const index of held.going.keys()) held.answer(index);
    await untilSent(5);
    const { rows } = await farm.database.query<{ seq: number }>(
      `SELECT (body ->> 'seq')::int AS seq FROM outbox WHERE job_id = $1 ORDER BY event_id`,
      [one],
    );
    assert.deepEqual(
      rows.map(({ seq }) => seq),
      [1, 2],
    );
  });

  it('holds back the messages behind a failed one, and nothing else', async () => {
    const held = holdMessages();
    const [one, other] = [randomUUID(), randomUUID()];
    await addStatus(one, 1);
    await addStatus(one, 2);
    relay.wake();
    while (held.going.length < 1) await held.more();
    held.answer(0, new BrokerUnavailableError('no'));
    const next = held.more();
    await addStatus(other, 3);
    relay.wake();
    await next;
    assert.deepEqual(held.going.map(seqOf), [1, 3]);
    held.answer(1);
    await untilSent(1);
    assert.equal(held.going.length, 2, 'message 2 waits for message 1');
    while (held.going.length < 3) await held.more();
    assert.deepEqual(held.going.map(seqOf), [1, 3, 1], 'which is retried');
    held.answer(2);
    while (held.going.length < 4) await held.more();
    assert.deepEqual(held.going.map(seqOf), [1, 3, 1, 2]);
    held.answer(3);
    await untilSent(3);
  });

  it("publishes a dispatch, after its job's earlier messages, ahead of everything that waits", async () => {
    await relay.stop();
    const held = holdMessages();
    const job = randomUUID();
    await farm.database.query(
      `INSERT INTO outbox (kind, routing_key, job_id, body)
       SELECT 'status', '', gen_random_uuid(), jsonb_build_object('seq', n) FROM generate_series(1, 500) AS n`,
    );
    await addStatus(job, 1001);
    await farm.database.query(
      `INSERT INTO outbox (kind, routing_key, job_id, body)
       VALUES ('dispatch', 'fabrication.jobs.one', $1, '{"seq": 1002, "attempt": {"printer_id": "one"}}')`,
      [job],
    );
    await relay.start();
    while (held.going.length < 64) await held.more();
    assert.equal(held.going.length, 64, 'no more are in flight concurrently');
    assert.deepEqual(held.going.slice(0, 3).map(seqOf), [1001, 1, 2]);
    const next = held.more();
    held.answer(0);
    await next;
    assert.deepEqual(seqOf(held.going.at(-1) as OutgoingMessage), 1002);
    farm.broker.publish = () => Promise.resolve();
    for (const index of held.going.keys()) held.answer(index);
    await untilSent(502);
  });

  it('drops an obsolete dispatch, so that the job behind it continues', async () => {
    await makeReady(farm);
    const id = await addJob(farm, 'part');
    await relay.stop();
    await tick(farm, undefined, 'scheduler');
    const [attempt] = await attemptsOf(farm.database, id);
    assert.ok(attempt);
    await farm.database.transaction(async (tx) => {
      await lockJob(tx, id);
      await withdrawAttempt(tx, attempt.id, 'too late', 15);
    });
    await addStatus(id, 7);
    const seen: OutgoingMessage['destination'][] = [];
    farm.broker.publish = (message) => {
      seen.push(message.destination);
      return Promise.resolve();
    };
    await relay.start();
    while (!sent.some(({ body }) => (body as { seq?: number }).seq === 7)) {
      await new Promise<void>((resolve) => {
        told = resolve;
      });
    }
    assert.ok(!seen.includes('jobs'));
  });

  it('releases its lock when the broker accepts nothing, and continues when it does again', async () => {
    let state: BrokerState = { status: 'connected', blocked: 'low on memory' };
    const listeners: ((state: BrokerState) => void)[] = [];
    await relay.stop();
    Object.defineProperty(farm.broker, 'state', { get: () => state });
    farm.broker.onState = (listener) => {
      listeners.push(listener);
      return () => undefined;
    };
    await relay.start();
    await addStatus(null, 1);
    relay.wake();
    const other = await openBareFarm({ schema: farm.database.schema });
    try {
      assert.equal(await other.database.locks.hold('relay'), true, 'another process may publish');
      await other.database.locks.release('relay');
    } finally {
      await other.close();
    }
    state = { status: 'connected' };
    for (const listener of listeners) listener(state);
    await untilSent(1);
  });
});
