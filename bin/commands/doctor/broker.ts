import { connect } from 'amqplib';
import { deadLetterExchange, deadLetterQueue, jobsExchange, statusExchange } from '../../../lib/messaging/topology';
import { type Check, failed, masked, ok, warning, words } from './check';

const name = 'RabbitMQ';

/** Checks the configured RabbitMQ; queues and exchanges are only inspected, never declared. */
export async function checkBroker(url: string | undefined): Promise<Check[]> {
  if (url === undefined) {
    return [ok(name, 'AMQP_URL is not set: the broker in the process is used, which serves one Node-RED.')];
  }
  let connection: Awaited<ReturnType<typeof connect>>;
  try {
    connection = await connect(url, { timeout: 10_000 });
  } catch (error) {
    const remedy = 'Check that RabbitMQ runs, and that address, user, password and virtual host are right.';
    return [failed(name, `${masked(url)}: ${words(error, new URL(url).password)}`, remedy)];
  }
  connection.on('error', () => undefined);
  try {
    const { version } = (connection as unknown as { connection: { serverProperties: { version: string } } }).connection
      .serverProperties;
    const [major = 0, minor = 0] = String(version).split('.').map(Number);
    if (major < 3 || (major === 3 && minor < 10)) {
      return [
        failed(name, `${masked(url)}: version ${version}.`, 'Upgrade to RabbitMQ 3.10 or newer (quorum queues).'),
      ];
    }
    const missing = await missingTopology(connection);
    const server = ok(name, `${masked(url)}: version ${version}.`);
    if (missing.length === 0) return [server, ok('topology', 'All exchanges and queues are declared.')];
    return [
      server,
      warning('topology', `Not declared yet: ${missing.join(', ')}.`, 'Nothing: it happens when Node-RED starts.'),
    ];
  } finally {
    await connection.close().catch(() => undefined);
  }
}

/** Returns the missing ones; each is checked on its own channel, because a miss closes the channel. */
async function missingTopology(connection: Awaited<ReturnType<typeof connect>>): Promise<string[]> {
  const missing: string[] = [];
  const look = async (what: string, passive: 'checkExchange' | 'checkQueue'): Promise<void> => {
    const channel = await connection.createChannel();
    channel.on('error', () => undefined);
    try {
      await channel[passive](what);
      await channel.close();
    } catch {
      missing.push(what);
    }
  };
  for (const exchange of [jobsExchange, deadLetterExchange, statusExchange]) await look(exchange, 'checkExchange');
  await look(deadLetterQueue, 'checkQueue');
  return missing;
}
