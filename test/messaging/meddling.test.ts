import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import type { BrokerState } from '../../lib/messaging/broker';
import { RabbitMqBroker } from '../../lib/messaging/rabbitmq';
import {
  deadLetterExchange,
  deadLetterQueue,
  deadLetterRecordQueue,
  jobsExchange,
  printerQueue,
  statusExchange,
} from '../../lib/messaging/topology';
import type { PrivateRabbitMq } from '../support/private-rabbitmq';
import { administeredRabbitMq } from '../support/servers';

/** Polls for a condition that has no notification. */
async function until(satisfied: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await satisfied())) await new Promise((resolve) => setTimeout(resolve, 50));
}

describe('RabbitMQ under changes by its administrator', () => {
  let server: PrivateRabbitMq;
  let broker: RabbitMqBroker;
  let meddler: ChannelModel;
  const states: BrokerState[] = [];

  before(async function () {
    const found = await administeredRabbitMq();
    if (!found) {
      console.log('      skipped: the program rabbitmq-server is not installed');
      return this.skip();
    }
    server = found;
    meddler = await connect(server.url);
    broker = new RabbitMqBroker(server.url, () => undefined);
    broker.onState((state) => states.push(state));
    await broker.open();
    await until(() => broker.state.status === 'connected');
  });
  after(async () => {
    await broker?.close();
    await meddler?.close();
    await server?.close();
  });

  const publish = (destination: 'status' | 'dead_letters', body: unknown): Promise<void> =>
    broker.publish({ destination, routingKey: '', messageId: randomUUID(), body });
  /** Publishes repeatedly, as the relay does. */
  const publishUntil = async (satisfied: () => boolean, send: () => Promise<void>): Promise<void> =>
    until(async () => {
      await send().catch(() => undefined);
      return satisfied();
    });

  for (const exchange of [statusExchange, jobsExchange, deadLetterExchange]) {
    it(`continues after the exchange ${exchange} was deleted`, async () => {
      const printer = `test_${randomUUID()}`;
      const heard = { status: 0, jobs: 0, letters: 0 };
      const count = (what: keyof typeof heard) => (): Promise<'accept'> => {
        heard[what]++;
        return Promise.resolve('accept');
      };
      const subscriptions = [
        await broker.subscribeStatus(count('status')),
        await broker.consumeJobs(printer, count('jobs')),
        await broker.consumeDeadLetters(count('letters')),
      ];
      const channel = await meddler.createChannel();
      await channel.deleteExchange(exchange);
      await publishUntil(
        () => Object.values(heard).every((times) => times > 0),
        async () => {
          await publish('status', {});
          await publish('dead_letters', {});
          await broker.declarePrinterQueue(printer);
          await broker.publish({
            destination: 'jobs',
            routingKey: printerQueue(printer),
            messageId: randomUUID(),
            body: {},
          });
        },
      );
      for (const subscription of subscriptions) await subscription.cancel();
      await channel.deleteQueue(printerQueue(printer));
      await channel.close();
    });
  }

  it('receives status again without publishing anything itself, like a listener in another process', async () => {
    const listener = new RabbitMqBroker(server.url, () => undefined);
    await listener.open();
    let heard = 0;
    await until(() => listener.state.status === 'connected');
    await listener.subscribeStatus(() => {
      heard++;
      return Promise.resolve('accept');
    });
    const channel = await meddler.createChannel();
    await channel.deleteExchange(statusExchange);
    await channel.close();
    await publishUntil(
      () => heard > 0,
      () => publish('status', {}),
    );
    await listener.close();
  });

  it('consumes again when its queue is deleted, for status and for dead letters', async () => {
    const heard = { status: 0, letters: 0 };
    const subscriptions = [
      await broker.subscribeStatus(() => {
        heard.status++;
        return Promise.resolve('accept');
      }),
      await broker.consumeDeadLetters(() => {
        heard.letters++;
        return Promise.resolve('accept');
      }),
    ];
    const queues = (await server.control('-q', 'list_queues', 'name', '--no-table-headers')).trim().split('\n');
    for (const queue of queues.filter((name) => name.startsWith('amq.gen') || name === deadLetterRecordQueue)) {
      await server.control('delete_queue', queue);
    }
    await publishUntil(
      () => heard.status > 0 && heard.letters > 0,
      async () => {
        await publish('status', {});
        await publish('dead_letters', {});
      },
    );
    for (const subscription of subscriptions) await subscription.cancel();
  });

  it('drops a status message that its listener rejects, and receives the next', async () => {
    const heard: unknown[] = [];
    const subscription = await broker.subscribeStatus(({ body }) => {
      heard.push(body);
      if (heard.length === 1) throw new Error('what is this?');
      return Promise.resolve('accept');
    });
    await publish('status', { number: 1 });
    await publish('status', { number: 2 });
    await until(() => heard.length >= 2);
    assert.deepEqual(heard, [{ number: 1 }, { number: 2 }]);
    await subscription.cancel();
  });

  it('keeps the configured number of dead letters for operators, the newest', async () => {
    const channel = await meddler.createChannel();
    await channel.purgeQueue(deadLetterQueue);
    for (let number = 1; number <= 5; number++) await publish('dead_letters', { number });
    // The queue updates its count a moment after it has confirmed.
    let gone = 0;
    await until(async () => {
      gone += await broker.trimDeadLetters(2);
      return gone === 3;
    });
    const left = [
      await channel.get(deadLetterQueue, { noAck: true }),
      await channel.get(deadLetterQueue, { noAck: true }),
    ];
    assert.deepEqual(
      left.map((message) => message && JSON.parse(message.content.toString())),
      [{ number: 4 }, { number: 5 }],
    );
    assert.equal(await broker.trimDeadLetters(2), 0);
    await channel.deleteQueue(deadLetterQueue);
    assert.equal(await broker.trimDeadLetters(2), 0, 'and creates the queue again');
    await channel.checkQueue(deadLetterQueue);
    await channel.close();
  });

  it('reports that the broker is low on memory, keeps delivering, and confirms afterwards what was being published', async () => {
    const printer = `test_${randomUUID()}`;
    const letters: unknown[] = [];
    let release: () => void = () => undefined;
    const held = new Promise<void>((resolve) => {
      release = resolve;
    });
    await broker.declarePrinterQueue(printer);
    const job = (number: number): Promise<void> =>
      broker.publish({
        destination: 'jobs',
        routingKey: printerQueue(printer),
        messageId: randomUUID(),
        body: { number },
      });
    for (const number of [1, 2, 3]) await job(number);
    const subscription = await broker.consumeJobs(printer, async ({ body }) => {
      await held;
      letters.push(body);
      return 'accept';
    });
    await server.control('set_vm_memory_high_watermark', 'absolute', '1MB');
    const onItsWay = job(4);
    await until(() => broker.state.status === 'connected' && broker.state.blocked !== undefined);
    assert.deepEqual(
      broker.obstacles().map(({ code }) => code),
      ['broker_blocked'],
    );
    await assert.rejects(publish('status', {}), /accepts no messages at present/);
    release();
    await until(() => letters.length === 3);
    // Not on the blocked connection.
    await broker.declarePrinterQueue(`${printer}_other`);
    await server.control('set_vm_memory_high_watermark', '0.4');
    await onItsWay;
    await until(() => letters.length === 4);
    assert.deepEqual(broker.obstacles(), []);
    await subscription.cancel();
  });

  it('reports that its user may not publish', async () => {
    await server.control('add_user', 'reader', 'secret');
    await server.control('set_permissions', 'reader', '.*', '^fabrication\\.jobs\\.', '.*');
    const reader = new RabbitMqBroker(server.url.replace('guest:guest', 'reader:secret'), () => undefined);
    await reader.open();
    await until(() => reader.state.status === 'connected');
    const status = (): Promise<void> =>
      reader.publish({ destination: 'status', routingKey: '', messageId: randomUUID(), body: {} });
    await publishUntil(
      () => reader.obstacles().some(({ code, text }) => code === 'publish_refused' && text.includes(statusExchange)),
      status,
    );
    await server.control('set_permissions', 'reader', '.*', '.*', '.*');
    await publishUntil(() => reader.obstacles().length === 0, status);
    await reader.close();
  });

  it('reports a queue that exists with other settings until it is gone', async () => {
    const printer = `test_${randomUUID()}`;
    const channel = await meddler.createChannel();
    await channel.assertQueue(printerQueue(printer), { durable: true });
    await assert.rejects(broker.declarePrinterQueue(printer));
    assert.deepEqual(
      broker.obstacles().map(({ code, printerId }) => [code, printerId]),
      [['topology_conflict', printer]],
    );
    await channel.deleteQueue(printerQueue(printer));
    await channel.close();
    await broker.declarePrinterQueue(printer);
    assert.deepEqual(broker.obstacles(), []);
  });
});
