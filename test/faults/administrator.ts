import { type ConfirmChannel, connect } from 'amqplib';
import type { PrivateRabbitMq } from '../support/private-rabbitmq';

/** Does something at a broker as an outside administrator. False if it failed, or the broker was down. */
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

/** Deletes or empties the queue of a printer. False if it did not exist, or the broker was down. */
export function actOnQueue(url: string, queue: string, act: 'delete' | 'purge'): Promise<boolean> {
  return atBroker(url, async (channel) => {
    await channel.checkQueue(queue);
    await (act === 'delete' ? channel.deleteQueue(queue) : channel.purgeQueue(queue));
  });
}

/** Closes every connection of the broker, as an administrator does before maintenance. */
export async function closeConnections(rabbit: PrivateRabbitMq): Promise<boolean> {
  try {
    await rabbit.control('close_all_connections', 'maintenance');
    return true;
  } catch {
    return false;
  }
}
