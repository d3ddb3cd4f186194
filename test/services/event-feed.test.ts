import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import { eventFeed, type FeedItem } from '../../lib/services/event-feed';
import { notify } from '../../lib/store/database';
import { markSent } from '../../lib/store/outbox';
import { dropFarm, openBareFarm } from '../support/bare-farm';

/** A listener that collects events. */
class Listener {
  readonly told: FeedItem[] = [];
  readonly #ended = new AbortController();
  readonly #done: Promise<void>;
  #wake: () => void = () => undefined;

  constructor(farm: Farm, after?: number) {
    this.#done = (async () => {
      for await (const item of eventFeed(farm, after, this.#ended.signal)) {
        this.told.push(item);
        this.#wake();
      }
    })();
  }

  get numbers(): number[] {
    return this.told.flatMap((item) => (item.kind === 'message' ? [(item.message.body as { n: number }).n] : []));
  }

  async until(satisfied: (listener: this) => boolean): Promise<void> {
    while (!satisfied(this)) {
      await Promise.race([
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        this.#done,
      ]);
    }
  }

  /** Waits until it certainly receives all further events. */
  async present(farm: Farm): Promise<this> {
    const changes = (): number => this.told.filter(({ kind }) => kind === 'changed').length;
    const before = changes();
    while (changes() === before) {
      await notify(farm.database, 'plan');
      await Promise.race([this.until(() => changes() > before), new Promise((resolve) => setTimeout(resolve, 100))]);
    }
    return this;
  }

  async close(): Promise<void> {
    this.#ended.abort();
    await this.#done;
  }
}

describe('The event feed', () => {
  let farm: Farm;
  let count = 0;
  beforeEach(async () => {
    farm = await openBareFarm();
    count = 0;
  });
  afterEach(() => dropFarm(farm));

  /** Publishes this many events, as the relay does. */
  const tell = async (events: number): Promise<void> => {
    const { rows } = await farm.database.query<{ id: number }>(
      `INSERT INTO outbox (kind, routing_key, job_id, body)
       SELECT 'status', '', $1, jsonb_build_object('event', 'job', 'n', n) FROM generate_series($2::int + 1, $2::int + $3::int) AS n
       RETURNING id`,
      [randomUUID(), count, events],
    );
    count += events;
    await markSent(
      farm.database,
      rows.map(({ id }) => id),
    );
  };
  const numbersTo = (last: number, first = 1): number[] =>
    Array.from({ length: last - first + 1 }, (_, index) => first + index);

  it('queries the database as often for a hundred listeners as for one', async () => {
    let asked = 0;
    const { query } = farm.database;
    farm.database.query = ((sql: string, values?: unknown[]) => {
      if (/FROM outbox WHERE event_id/.test(sql)) asked++;
      return query.call(farm.database, sql, values);
    }) as typeof query;
    const first = await new Listener(farm).present(farm);
    await tell(1);
    await first.until(({ numbers }) => numbers.length === 1);
    const others = Array.from({ length: 99 }, () => new Listener(farm));
    const all = [first, ...others];
    await Promise.all(others.map((one) => one.present(farm)));
    asked = 0;
    for (let event = 0; event < 5; event++) await tell(1);
    await Promise.all(all.map((one) => one.until(({ numbers }) => numbers.at(-1) === 6)));
    assert.ok(asked <= 10, `${asked} questions for 5 events`);
    for (const one of others) assert.deepEqual(one.numbers, numbersTo(6, 2));
    await Promise.all(all.map((one) => one.close()));
  });

  it('sends a listener that reconnects everything that it missed, however much, and then new events', async () => {
    const present = await new Listener(farm).present(farm);
    await tell(1);
    await present.until(({ numbers }) => numbers.length === 1);
    const item = present.told.find(({ kind }) => kind === 'message');
    const known = item?.kind === 'message' ? item.message.id : 0;
    await tell(2500);
    await present.until(({ numbers }) => numbers.length === 2501);
    const back = new Listener(farm, known);
    await back.until(({ numbers }) => numbers.length === 2500);
    await tell(1);
    await back.until(({ numbers }) => numbers.length === 2501);
    assert.deepEqual(back.numbers, numbersTo(2502, 2));
    await present.until(({ numbers }) => numbers.length === 2502);
    assert.deepEqual(present.numbers, numbersTo(2502));
    await present.close();
    await back.close();
  });

  it('continues after a database outage, and restarts after the last listener has left', async () => {
    const listener = await new Listener(farm).present(farm);
    await tell(1);
    await listener.until(({ numbers }) => numbers.length === 1);
    const { query } = farm.database;
    let failed: () => void = () => undefined;
    const failure = new Promise<void>((resolve) => {
      failed = resolve;
    });
    farm.database.query = ((sql: string, values?: unknown[]) => {
      if (!/FROM outbox WHERE event_id/.test(sql)) return query.call(farm.database, sql, values);
      failed();
      return Promise.reject(new Error('away'));
    }) as typeof query;
    await tell(2);
    await failure;
    farm.database.query = query;
    await listener.until(({ numbers }) => numbers.length === 3);
    await listener.close();
    await tell(3);
    const later = await new Listener(farm).present(farm);
    await tell(1);
    await later.until(({ numbers }) => numbers.length > 0);
    assert.deepEqual(later.numbers, [7]);
    await later.close();
  });
});
