import { connect } from 'amqplib';
import type { PrivateRabbitMq } from '../support/private-rabbitmq';

/** What an administrator of the broker may do at any time. */
export type BrokerAct = 'delete' | 'purge';

/** Deletes the queue of a printer, or empties it. False if it was not there, or the broker was away. */
export async function actOnQueue(url: string, queue: string, act: BrokerAct): Promise<boolean> {
  const connection = await connect(url).catch(() => undefined);
  if (connection === undefined) return false;
  connection.on('error', () => undefined);
  try {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    await channel.checkQueue(queue);
    if (act === 'delete') await channel.deleteQueue(queue);
    else await channel.purgeQueue(queue);
    return true;
  } catch {
    return false;
  } finally {
    await connection.close().catch(() => undefined);
  }
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
