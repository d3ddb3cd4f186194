import { once } from 'node:events';
import { setTimeout as pause } from 'node:timers/promises';
import type { Channel, ChannelModel } from 'amqplib';
import { asError } from '../model/errors';
import { TopologyConflictError } from './broker';
import {
  deadLetterExchange,
  deadLetterQueue,
  deadLetterRecordQueue,
  deliveryLimit,
  jobsExchange,
  printerQueue,
  statusExchange,
} from './topology';

/** How long to wait for the broker's reply to a close (ms). */
export const closeLimit = 3000;

/** Runs a declaration on its own channel, because a refused declaration closes the channel. @throws TopologyConflictError */
export async function onChannelOfItsOwn<Result>(
  model: ChannelModel,
  work: (channel: Channel) => Promise<Result>,
): Promise<Result> {
  const channel = await model.createChannel();
  // The failing call rejects with the same error.
  channel.on('error', () => undefined);
  let result: Result;
  try {
    result = await work(channel);
  } catch (error) {
    throw explain(asError(error));
  }
  await closeChannel(channel);
  return result;
}

/**
 * Closes a channel, if it is not closed already. Never rejects and never waits for long: amqplib waits forever for the broker's
 * answer if the connection is lost meanwhile.
 */
export async function closeChannel(channel: Channel): Promise<void> {
  const limit = new AbortController();
  await Promise.race([
    channel.close().catch(() => undefined),
    once(channel, 'close', { signal: limit.signal }).catch(() => undefined),
    pause(closeLimit, undefined, { signal: limit.signal }).catch(() => undefined),
  ]);
  limit.abort();
}

/** Declares everything but the queues of printers and of listeners. */
export async function declareTopology(channel: Channel): Promise<void> {
  await declareJobsExchange(channel);
  await declareStatusExchange(channel);
  for (const queue of [deadLetterQueue, deadLetterRecordQueue]) await declareDeadLetterQueue(channel, queue);
}

async function declareJobsExchange(channel: Channel): Promise<void> {
  await channel.assertExchange(jobsExchange, 'topic', { durable: true });
}

/** Declares the fanout of status messages. */
export async function declareStatusExchange(channel: Channel): Promise<void> {
  await channel.assertExchange(statusExchange, 'fanout', { durable: true });
}

/** Binds an existing dead-letter queue to its exchange. */
export async function bindDeadLetterQueue(channel: Channel, queue: string): Promise<void> {
  await channel.assertExchange(deadLetterExchange, 'fanout', { durable: true });
  await channel.bindQueue(queue, deadLetterExchange, '');
}

/** Returns the number of messages in it. */
export async function declareDeadLetterQueue(channel: Channel, queue: string): Promise<number> {
  const { messageCount } = await channel.assertQueue(queue, {
    durable: true,
    arguments: { 'x-queue-type': 'quorum' },
  });
  await bindDeadLetterQueue(channel, queue);
  return messageCount;
}

/** Declares the queue of a printer, whose messages are dead-lettered after `deliveryLimit` deliveries, and binds it to its exchange. */
export async function declarePrinterQueue(channel: Channel, printerId: string): Promise<void> {
  const queue = printerQueue(printerId);
  await declareJobsExchange(channel);
  await channel.assertQueue(queue, {
    durable: true,
    arguments: {
      'x-queue-type': 'quorum',
      'x-delivery-limit': deliveryLimit,
      'x-dead-letter-exchange': deadLetterExchange,
      'x-dead-letter-strategy': 'at-least-once',
      'x-overflow': 'reject-publish',
    },
  });
  await channel.bindQueue(queue, jobsExchange, queue);
}

/** Rewords the broker's "PRECONDITION_FAILED" for operators. */
export function explain(error: Error): Error {
  if (error instanceof TopologyConflictError) return error;
  return /PRECONDITION[_-]FAILED/.test(error.message) ? new TopologyConflictError(error.message) : error;
}
