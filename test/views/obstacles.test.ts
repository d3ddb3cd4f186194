import assert from 'node:assert/strict';
import { connect } from 'amqplib';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { printerQueue } from '../../lib/messaging/topology';
import { printerId } from '../../lib/model/ids';
import { OutboxRelay } from '../../lib/services/relay';
import { health } from '../../lib/views/health';
import { obstacles } from '../../lib/views/obstacles';
import { whyJob, whyPrinter } from '../../lib/views/why';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import type { PrivateRabbitMq } from '../support/private-rabbitmq';
import { administeredRabbitMq } from '../support/servers';

async function until(satisfied: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await satisfied())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('The obstacle to dispatches', () => {
  let farm: Farm;
  const codes = async (): Promise<string[]> => (await obstacles(farm)).map(({ code }) => code);

  describe('in one process', () => {
    let relay: OutboxRelay;
    beforeEach(async () => {
      farm = await openBareFarm();
      relay = new OutboxRelay(farm);
      await relay.start();
      await until(async () => (await codes()).length === 0);
    });
    afterEach(async () => {
      await relay.stop();
      await dropFarm(farm);
    });

    it('is empty while all is well', async () => {
      assert.deepEqual(await health(farm), { status: 'ok', database: 'ok', broker: 'ok', reasons: [] });
    });

    it('is a missing relay', async () => {
      await makeReady(farm);
      const id = await addJob(farm, 'part');
      await relay.stop();
      assert.deepEqual(await codes(), ['no_relay']);
      const { status, reasons } = await health(farm);
      assert.deepEqual([status, reasons.map(({ code }) => code)], ['degraded', ['no_relay']]);
      const why = await whyJob(farm, id);
      assert.match(why.because, /^nothing can be dispatched: No Node-RED/);
      assert.match(why.would_help[0] ?? '', /rabbitmq-dispatch/);
      const printers = ['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan'];
      const told = await Promise.all(printers.map(async (name) => (await whyPrinter(farm, name)).because));
      assert.equal(
        told.filter((text) => text.startsWith('nothing can be dispatched')).length,
        1,
        'where it would start',
      );
      const { assignments } = await tick(farm, undefined, 'scheduler');
      assert.equal(assignments.length, 1);
      assert.match((await whyJob(farm, id)).because, /its dispatch waits: No Node-RED/);
    });

    it('is a message that has waited for a minute', async () => {
      await relay.stop();
      await farm.database.query(
        `INSERT INTO outbox (kind, routing_key, body, created_at, last_error, times_sent)
         VALUES ('status', '', '{}', now() - interval '3 minutes', 'the broker said no', 4)`,
      );
      const stuck = (await obstacles(farm)).find(({ code }) => code === 'outbox_stuck');
      assert.match(stuck?.text ?? '', /waited in the outbox for 3 min: the broker said no/);
      await relay.start();
      await until(async () => (await codes()).length === 0);
    });

    it('is a read-only database', async () => {
      const { query } = farm.database;
      farm.database.query = ((sql: string, values?: unknown[]) =>
        query.call(
          farm.database,
          sql.replace(`current_setting('transaction_read_only')`, `'on'`),
          values,
        )) as typeof query;
      assert.deepEqual(await codes(), ['database_read_only']);
      farm.database.query = query;
    });

    it('is an unreachable database', async () => {
      const { query } = farm.database;
      farm.database.query = () => Promise.reject(new Error('connect ECONNREFUSED 10.0.0.7:5432'));
      const { database, reasons } = await health(farm);
      assert.equal(database, 'away');
      assert.ok(!JSON.stringify(reasons).includes('10.0.0.7'), 'the answer is public');
      farm.database.query = query;
    });
  });

  describe('with RabbitMQ', () => {
    let server: PrivateRabbitMq;
    let relay: OutboxRelay;
    before(async function () {
      const found = await administeredRabbitMq();
      if (!found) {
        console.log('      skipped: the program rabbitmq-server is not installed');
        return this.skip();
      }
      server = found;
      farm = await openBareFarm({ amqpUrl: server.url });
      relay = new OutboxRelay(farm);
      await relay.start();
      await until(async () => (await codes()).length === 0);
      await makeReady(farm);
    });
    after(async () => {
      await relay?.stop();
      if (server) await dropFarm(farm);
      await server?.close();
    });

    it('is a queue with other settings under our name, for its printer alone', async () => {
      const connection = await connect(server.url);
      const channel = await connection.createChannel();
      await channel.assertQueue(printerQueue('elegoo_giga'), { durable: true });
      const id = await addJob(farm, 'part', { forcePrinter: printerId('elegoo_giga') });
      await tick(farm, undefined, 'scheduler');
      await until(async () => (await codes()).includes('topology_conflict'));
      assert.match((await whyJob(farm, id)).because, /its dispatch waits: RabbitMQ has a queue or exchange of ours/);
      await addJob(farm, 'other', { forcePrinter: printerId('snapmaker_artisan') });
      assert.doesNotMatch((await whyPrinter(farm, 'snapmaker_artisan')).because, /dispatched:/);
      await channel.deleteQueue(printerQueue('elegoo_giga'));
      await until(async () => (await codes()).length === 0);
      await connection.close();
    });

    it('is an alarm of the broker', async () => {
      await server.control('set_vm_memory_high_watermark', 'absolute', '1MB');
      await addJob(farm, 'one more');
      await until(async () => (await codes()).includes('broker_blocked'));
      const { status, broker } = await health(farm);
      assert.deepEqual([status, broker], ['degraded', 'blocked']);
      await server.control('set_vm_memory_high_watermark', '0.4');
      await until(async () => (await codes()).length === 0);
    });
  });
});
