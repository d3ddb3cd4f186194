import { type ConfirmChannel, connect } from 'amqplib';
import type { PrivateRabbitMq } from '../support/private-rabbitmq';

/** Does something at a broker as somebody from outside. False if it failed, or the broker was away. */
export async function atBroker(url: string, work: (channel: ConfirmChannel) => Promise<unknown>): Promise<boolean> {
  const connection = await connect(url).catch(() => undefined);
  if (connection === undefined) return false;
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createConfirmChannel();
    channel.on('error', () => undefined);
    await work(channel);
    return true;
  } catch {
    return false;
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** Deletes the queue of a printer, or empties it. False if it was not there, or the broker was away. */
export function actOnQueue(url: string, queue: string, act: 'delete' | 'purge'): Promise<boolean> {
  return atBroker(url, async (channel) => {
    await channel.checkQueue(queue);
    await (act === 'delete' ? channel.deleteQueue(queue) : channel.purgeQueue(queue));
  });
}

/** Closes every connection of the broker, as an administrator does before a change. */
export async function closeConnections(rabbit: PrivateRabbitMq): Promise<boolean> {
  try {
    await rabbit.control('close_all_connections', 'maintenance');
    return true;
  } catch {
    return false;
  }
}
