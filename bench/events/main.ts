import { randomUUID } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import { setTimeout as pause } from 'node:timers/promises';
import { connect } from 'amqplib';
import type { Farm } from '../../lib/farm/farm';
import { RabbitMqBroker } from '../../lib/messaging/rabbitmq';
import { materialId } from '../../lib/model/ids';
import { defaultWishes } from '../../lib/model/job-wishes';
import { OutboxRelay } from '../../lib/services/relay';
import { insertJob } from '../../lib/store/jobs';
import { dropFarm, openBareFarm } from '../../test/support/bare-farm';
import { rabbitMq, stopSharedServers } from '../../test/support/servers';

/**
 * Measures the time from the commit of a status change to its arrival at a subscriber, through outbox, relay and RabbitMQ, at a steady
 * rate, compared with amqplib alone from publish to consume. The two alternate; the medians of the rounds count.
 * The clock starts before the COMMIT is sent, so the figure includes the commit itself.
 * usage: npm run bench:events -- [rounds] [seconds of each] [events a second]
 */
const [rounds, seconds, rate] = [3, 10, 50].map((fallback, index) => Number(process.argv[2 + index] ?? fallback)) as [
  number,
  number,
  number,
];

/** Runs an action `rate` times a second, whatever it takes, and waits until all results have arrived. */
async function atRate(
  once: (arrived: (since: number) => void) => Promise<void>,
): Promise<{ p50: number; p95: number; most: number }> {
  const taken: number[] = [];
  const count = rate * seconds;
  const running: Promise<void>[] = [];
  await new Promise<void>((resolve, reject) => {
    const begin = performance.now();
    const next = (index: number): void => {
      if (index === count) return;
      const arrived = (since: number): void => {
        taken.push(performance.now() - since);
        if (taken.length === count) resolve();
      };
      running.push(once(arrived).catch(reject));
      setTimeout(() => next(index + 1), Math.max(0, begin + ((index + 1) * 1000) / rate - performance.now()));
    };
    next(0);
  });
  await Promise.all(running);
  taken.sort((a, b) => a - b);
  const at = (share: number): number =>
    taken[Math.min(taken.length - 1, Math.floor(share * taken.length))] ?? Number.NaN;
  return { p50: at(0.5), p95: at(0.95), most: at(1) };
}

async function ours(farm: Farm, url: string): Promise<ReturnType<typeof atRate>> {
  // Acts like a separate process: its connection is not the one that publishes.
  const listener = new RabbitMqBroker(url, (error) => console.error(error.message));
  const waiting = new Map<string, { since: number; arrived(since: number): void }>();
  const connected = new Promise<void>((resolve) => {
    listener.onState((state) => state.status === 'connected' && resolve());
  });
  await listener.open();
  await connected;
  await listener.subscribeStatus(({ body }) => {
    const { job_id: id } = body as { job_id: string };
    const found = waiting.get(id);
    found?.arrived(found.since);
    return Promise.resolve('accept');
  });
  const figures = await atRate(async (arrived) => {
    await farm.database.transaction(async (tx) => {
      const job = await insertJob(tx, {
        ...defaultWishes,
        jobName: 'bench',
        stlPath: '/part.stl',
        gcodePath: null,
        materialId: materialId('pla_black_esun'),
        printSettings: {},
        estimatedGrams: 10,
        estimatedCostUsd: 1,
        estimatedDurationHours: 1,
        priority: 5,
        deadlineAt: null,
        createdBy: 'bench',
        maxRetries: 2,
        goalId: null,
        kitId: null,
        copies: 1,
        notBefore: null,
        dependsOn: [],
        forcePrinter: null,
        hold: false,
        acceptUnknownMachine: false,
        plate: null,
        fileFacts: { sliced: null, volumes: [] },
        model: { sha256: '0'.repeat(64), kind: 'stl', dimensions: { x: 10, y: 10, z: 10 }, volumeMm3: 1000 },
      });
      // It may arrive before the answer to the COMMIT.
      waiting.set(job.id, { since: performance.now(), arrived });
    });
  });
  await listener.close();
  return figures;
}

async function raw(url: string): Promise<ReturnType<typeof atRate>> {
  const [publishing, consuming] = [await connect(url, { noDelay: true }), await connect(url, { noDelay: true })];
  const [publisher, consumer] = [await publishing.createConfirmChannel(), await consuming.createChannel()];
  const exchange = `bench-${randomUUID()}`;
  await publisher.assertExchange(exchange, 'fanout', { durable: true, autoDelete: true });
  const { queue } = await consumer.assertQueue('', { exclusive: true });
  await consumer.bindQueue(queue, exchange, '');
  const waiting = new Map<string, () => void>();
  await consumer.consume(queue, (message) => {
    if (!message) return;
    waiting.get(String(message.properties.messageId))?.();
    consumer.ack(message);
  });
  const figures = await atRate((arrived) => {
    const id = randomUUID();
    const since = performance.now();
    waiting.set(id, () => arrived(since));
    publisher.publish(exchange, '', Buffer.from(JSON.stringify({ id, text: 'x'.repeat(300) })), {
      persistent: true,
      messageId: id,
    });
    return Promise.resolve();
  });
  await consuming.close();
  await publishing.close();
  return figures;
}

const median = (values: number[]): number =>
  [...values].sort((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;

async function main(): Promise<void> {
  const found = await rabbitMq();
  if ('skip' in found) throw new Error(found.skip);
  const farm = await openBareFarm({
    amqpUrl: found.url,
    ...(process.env['DATABASE_URL'] && { databaseUrl: process.env['DATABASE_URL'] }),
  });
  const relay = new OutboxRelay(farm);
  await relay.start();
  while (farm.broker.state.status !== 'connected') await pause(100);
  const results: Record<string, Awaited<ReturnType<typeof atRate>>[]> = { Platewise: [], amqplib: [] };
  for (let round = 1; round <= rounds; round++) {
    results['Platewise']?.push(await ours(farm, found.url));
    results['amqplib']?.push(await raw(found.url));
  }
  console.log(`${rate} events/s, ${rounds} rounds of ${seconds} s, medians (ms)`);
  for (const [name, all] of Object.entries(results)) {
    const of = (key: 'p50' | 'p95' | 'most'): string => median(all.map((one) => one[key])).toFixed(1);
    console.log(`${name.padEnd(10)} p50 ${of('p50')}  p95 ${of('p95')}  most ${of('most')}`);
  }
  await relay.stop();
  await dropFarm(farm);
  await stopSharedServers();
}

void main();
