import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/coordinator/farm';
import { OutboxRelay } from '../../lib/coordinator/relay';
import type { OutboxRow } from '../../lib/store/outbox';
import { dropFarm, openBareFarm } from '../support/bare-farm';

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

  it('sends what was written first and committed last, and what was written last and committed first', async () => {
    const add = `INSERT INTO outbox (kind, routing_key, job_id, body) VALUES ('status', '', $1, '{}') RETURNING id`;
    const [slow, quick] = [randomUUID(), randomUUID()];
    const early = await farm.database.connect();
    try {
      await early.query('BEGIN');
      const first = (await early.query<{ id: number }>(add, [slow])).rows[0]?.id ?? 0;
      const second = (await farm.database.query<{ id: number }>(add, [quick])).rows[0]?.id ?? 0;
      assert.ok(first < second, 'the ids are given in the order of writing');
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

  it('tells the events of one job in their order, however many there are', async () => {
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
});
