import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type ChannelModel, connect } from 'amqplib';
import type { Broker, IncomingMessage, MessageHandler } from '../../lib/messaging/broker';
import { TopologyConflictError, UnroutableError } from '../../lib/messaging/broker';
import { EmbeddedBroker } from '../../lib/messaging/embedded';
import { RabbitMqBroker } from '../../lib/messaging/rabbitmq';
import { deadLetterQueue, printerQueue } from '../../lib/messaging/topology';
import { rabbitMqAlone } from '../support/servers';
import { Wire } from '../support/wire';

/** A handler that collects messages; `next` waits for the next one. */
function inbox(verdict: MessageHandler = () => Promise.resolve('accept')): {
  handler: MessageHandler;
  next(): Promise<IncomingMessage>;
} {
  const waiting: ((message: IncomingMessage) => void)[] = [];
  const arrived: IncomingMessage[] = [];
  return {
    handler: (message) => {
      const taker = waiting.shift();
      if (taker) taker(message);
      else arrived.push(message);
      return verdict(message);
    },
    next: () => {
      const message = arrived.shift();
      return message ? Promise.resolve(message) : new Promise((resolve) => waiting.push(resolve));
    },
  };
}

const implementations: { name: string; create(skip: (reason: string) => never): Promise<Broker> }[] = [
  { name: 'the embedded broker', create: () => Promise.resolve(new EmbeddedBroker()) },
  {
    name: 'RabbitMQ',
    create: async (skip) => {
      const found = await rabbitMqAlone();
      if ('skip' in found) return skip(found.skip);
      return new RabbitMqBroker(found.url, (error) => {
        if (error.message !== 'again') console.error(error);
      });
    },
  },
];

for (const { name, create } of implementations) {
  describe(`The broker port: ${name}`, () => {
    let broker: Broker;
    let printer: string;

    before(async function () {
      broker = await create((reason) => {
        console.log(`      skipped: ${reason}`);
        return this.skip();
      });
      await broker.open();
      if (broker.state.status !== 'connected') {
        await new Promise<void>((resolve) => {
          const off = broker.onState((state) => {
            if (state.status !== 'connected') return;
            off();
            resolve();
          });
        });
      }
    });
    beforeEach(() => {
      printer = `test_${randomUUID()}`;
    });
    afterEach(async () => {
      if (broker.kind !== 'rabbitmq') return;
      const found = await rabbitMqAlone();
      if ('skip' in found) return;
      const connection = await connect(found.url);
      const channel = await connection.createChannel();
      await channel.deleteQueue(printerQueue(printer));
      await connection.close();
    });
    after(async () => {
      await broker?.close();
    });

    const dispatch = (body: unknown, messageId: string = randomUUID()): Promise<void> =>
      broker.publish({ destination: 'jobs', routingKey: printerQueue(printer), messageId, body });

    it('delivers a dispatch to the queue of its printer, with its message id', async () => {
      const { handler, next } = inbox();
      const subscription = await broker.consumeJobs(printer, handler);
      const messageId = randomUUID();
      await dispatch({ hello: printer }, messageId);
      const message = await next();
      assert.deepEqual(message.body, { hello: printer });
      assert.equal(message.messageId, messageId);
      assert.equal(message.redelivered, false);
      await subscription.cancel();
    });

    it('keeps a dispatch for an agent that connects later', async () => {
      await broker.declarePrinterQueue(printer);
      await dispatch({ early: true });
      const { handler, next } = inbox();
      const subscription = await broker.consumeJobs(printer, handler);
      assert.deepEqual((await next()).body, { early: true });
      await subscription.cancel();
    });

    it('rejects a dispatch that no queue accepts', async () => {
      await assert.rejects(dispatch({ lost: true }), UnroutableError);
    });

    it('delivers one message at a time', async () => {
      let release: () => void = () => undefined;
      const held = new Promise<void>((resolve) => {
        release = resolve;
      });
      let running = 0;
      let most = 0;
      const { handler, next } = inbox(async () => {
        most = Math.max(most, ++running);
        await held;
        running--;
        return 'accept';
      });
      const subscription = await broker.consumeJobs(printer, handler);
      await dispatch({ number: 1 });
      await dispatch({ number: 2 });
      assert.deepEqual((await next()).body, { number: 1 });
      release();
      assert.deepEqual((await next()).body, { number: 2 });
      assert.equal(most, 1);
      await subscription.cancel();
    });

    it('redelivers an unacknowledged message, marked as redelivered', async () => {
      let tries = 0;
      const { handler, next } = inbox(() => Promise.resolve(++tries === 1 ? 'retry' : 'accept'));
      const subscription = await broker.consumeJobs(printer, handler);
      await dispatch({ again: true });
      assert.equal((await next()).redelivered, false);
      assert.equal((await next()).redelivered, true);
      await subscription.cancel();
    });

    it('moves messages that were rejected, or tried too often, to the dead letters', async () => {
      const mark = randomUUID();
      const found: unknown[] = [];
      let told: () => void = () => undefined;
      const both = new Promise<void>((resolve) => {
        told = resolve;
      });
      const letters = await broker.consumeDeadLetters((message) => {
        const body = message.body as { mark?: string };
        if (body?.mark === mark && found.push(message.body) === 2) told();
        return Promise.resolve('accept');
      });
      const subscription = await broker.consumeJobs(printer, (message) =>
        (message.body as { kind: string }).kind === 'broken'
          ? Promise.resolve('reject')
          : Promise.reject(new Error('again')),
      );
      await dispatch({ mark, kind: 'broken' });
      await dispatch({ mark, kind: 'too often' });
      await both;
      assert.deepEqual(
        found.map((body) => (body as { kind: string }).kind),
        ['broken', 'too often'],
      );
      await subscription.cancel();
      await letters.cancel();
    });

    it('delivers a status to every listener, and fails without none', async () => {
      const status = (body: unknown): Promise<void> =>
        broker.publish({ destination: 'status', routingKey: '', messageId: randomUUID(), body });
      await status({ nobody: true });
      const [first, second] = [inbox(), inbox()];
      const subscriptions = [await broker.subscribeStatus(first.handler), await broker.subscribeStatus(second.handler)];
      await status({ everybody: true });
      assert.deepEqual((await first.next()).body, { everybody: true });
      assert.deepEqual((await second.next()).body, { everybody: true });
      for (const subscription of subscriptions) await subscription.cancel();
    });

    it('accepts a message for the dead letters from the outbox', async () => {
      const mark = randomUUID();
      const { handler, next } = inbox();
      const letters = await broker.consumeDeadLetters(handler);
      await broker.publish({ destination: 'dead_letters', routingKey: '', messageId: randomUUID(), body: { mark } });
      let message = await next();
      while ((message.body as { mark?: string }).mark !== mark) message = await next();
      assert.deepEqual(message.body, { mark });
      await letters.cancel();
      assert.equal(deadLetterQueue, 'fabrication.jobs.dlq');
    });
  });
}

describe('RabbitMQ under external changes', () => {
  const problems: Error[] = [];
  let told: () => void = () => undefined;
  let broker: RabbitMqBroker;
  let meddler: ChannelModel;
  const printer = `test_${randomUUID()}`;
  const queue = printerQueue(printer);

  before(async function () {
    const found = await rabbitMqAlone();
    if ('skip' in found) {
      console.log(`      skipped: ${found.skip}`);
      return this.skip();
    }
    meddler = await connect(found.url);
    const onProblem = (error: Error): void => {
      problems.push(error);
      told();
    };
    broker = new RabbitMqBroker(found.url, onProblem);
    const connected = new Promise<void>((resolve) => {
      broker.onState((state) => state.status === 'connected' && resolve());
    });
    await broker.open();
    await connected;
  });
  after(async () => {
    if (!meddler) return;
    const channel = await meddler.createChannel();
    await channel.deleteQueue(queue);
    await meddler.close();
    await broker.close();
  });

  const publish = (body: unknown): Promise<void> =>
    broker.publish({ destination: 'jobs', routingKey: queue, messageId: randomUUID(), body });

  /** Until the consumer has declared the queue again, no message can be routed. */
  const publishOnceRouted = async (body: unknown): Promise<void> => {
    for (;;) {
      try {
        return await publish(body);
      } catch (error) {
        assert.ok(error instanceof UnroutableError, String(error));
      }
    }
  };

  it('reports a queue that exists with other settings, continues with everything else, and recovers when it is gone', async () => {
    const channel = await meddler.createChannel();
    await channel.assertQueue(queue, { durable: true });
    const conflict = (error: unknown): boolean =>
      error instanceof TopologyConflictError && error.message.includes(queue) && /Delete/.test(error.remedy);
    await assert.rejects(broker.declarePrinterQueue(printer), conflict);
    const complained = new Promise<void>((resolve) => {
      told = resolve;
    });
    const { handler, next } = inbox();
    const subscription = await broker.consumeJobs(printer, handler);
    await complained;
    assert.ok(problems.some(conflict), problems.map(String).join());

    const others = inbox();
    const letters = await broker.consumeDeadLetters(others.handler);
    const mark = randomUUID();
    await broker.publish({ destination: 'dead_letters', routingKey: '', messageId: randomUUID(), body: { mark } });
    let letter = await others.next();
    while ((letter.body as { mark?: string }).mark !== mark) letter = await others.next();
    await letters.cancel();

    await channel.deleteQueue(queue);
    const arrived = next();
    await publishOnceRouted({ healed: true });
    assert.deepEqual((await arrived).body, { healed: true });
    await subscription.cancel();
  });

  it('consumes again after its queue was deleted', async () => {
    const { handler, next } = inbox();
    const subscription = await broker.consumeJobs(printer, handler);
    await publish({ number: 1 });
    // Messages that the previous consumer received but did not acknowledge are redelivered.
    while (((await next()).body as { number?: number }).number !== 1);
    const channel = await meddler.createChannel();
    await channel.deleteQueue(queue);
    await assert.rejects(publish({ lost: true }), UnroutableError);
    // As the relay does before each dispatch: it must not be faster than the consumer.
    await broker.declarePrinterQueue(printer);
    await publishOnceRouted({ number: 2 });
    assert.deepEqual((await next()).body, { number: 2 });
    await subscription.cancel();
  });

  it('publishes again after an exchange was deleted', async () => {
    await broker.declarePrinterQueue(printer);
    const channel = await meddler.createChannel();
    await channel.deleteExchange('fabrication.status');
    const status = (): Promise<void> =>
      broker.publish({ destination: 'status', routingKey: '', messageId: randomUUID(), body: {} });
    await assert.rejects(status());
    while (
      !(await status().then(
        () => true,
        () => false,
      ))
    )
      await new Promise((resolve) => setTimeout(resolve, 100));
  });
});

describe('RabbitMQ on a connection that is cut', () => {
  it('closes a subscription although the disconnect is never answered', async function () {
    const found = await rabbitMqAlone();
    if ('skip' in found) {
      console.log(`      skipped: ${found.skip}`);
      return this.skip();
    }
    const url = new URL(found.url);
    const wire = await new Wire({ host: url.hostname, port: Number(url.port) }).listen();
    const broker = new RabbitMqBroker(`amqp://${url.username}:${url.password}@127.0.0.1:${wire.port}`, () => undefined);
    const connected = new Promise<void>((resolve) => {
      broker.onState((state) => state.status === 'connected' && resolve());
    });
    await broker.open();
    await connected;
    const lost = new Promise<void>((resolve) => {
      broker.onState((state) => state.status === 'disconnected' && resolve());
    });
    const subscription = await broker.subscribeStatus(() => Promise.resolve('accept'));
    wire.silence('both');
    const cancelled = subscription.cancel();
    wire.cut();
    await lost;
    await cancelled;
    await broker.close();
    wire.close();
  });
});
