import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect } from 'amqplib';
import type { ClientConfig } from 'pg';
import { EmbeddedPostgres } from '../../lib/store/embedded-postgres';

const cleanups: (() => Promise<void> | void)[] = [];

/** A directory that goes when the tests of this process have ended. */
export function temporaryDirectory(name = 'test'): string {
  const directory = mkdtempSync(join(tmpdir(), `platewise-${name}-`));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let embedded: Promise<EmbeddedPostgres> | undefined;

/** The embedded PostgreSQL that all tests of this process share; each uses a schema of its own. */
export async function embeddedPostgres(): Promise<ClientConfig> {
  embedded ??= EmbeddedPostgres.start(join(temporaryDirectory('postgres'), 'pg'), (error) =>
    console.error(error.message),
  );
  return (await embedded).connection;
}

/** The databases that database tests run on: always the embedded server, and DATABASE_URL if it is set. */
export function databases(): { name: string; connection(): Promise<ClientConfig> }[] {
  const url = process.env['DATABASE_URL'];
  return [
    { name: 'embedded PostgreSQL', connection: embeddedPostgres },
    ...(url
      ? [{ name: 'PostgreSQL at DATABASE_URL', connection: () => Promise.resolve({ connectionString: url }) }]
      : []),
  ];
}

let rabbit: Promise<{ url: string } | { skip: string }> | undefined;

/**
 * A RabbitMQ for tests: AMQP_URL, or the one of this machine, or a private one if the program is installed.
 * Otherwise the reason why the calling test is skipped; with CI=true that is a failure.
 */
export async function rabbitMq(): Promise<{ url: string } | { skip: string }> {
  rabbit ??= findRabbitMq();
  const found = await rabbit;
  if ('skip' in found && process.env['CI']) throw new Error(`In CI no test may be skipped: ${found.skip}`);
  return found;
}

async function findRabbitMq(): Promise<{ url: string } | { skip: string }> {
  const candidates = [process.env['AMQP_URL'], 'amqp://guest:guest@127.0.0.1:5672'];
  for (const url of candidates) if (url && (await answers(url))) return { url };
  const program = ['/usr/lib/rabbitmq/lib', '/usr/local/lib/rabbitmq/lib']
    .filter(existsSync)
    .flatMap((directory) => readdirSync(directory).map((name) => join(directory, name, 'sbin', 'rabbitmq-server')))
    .find(existsSync);
  if (!program) return { skip: 'no RabbitMQ answers, and the program rabbitmq-server is not installed' };
  return { url: await startRabbitMq(program) };
}

async function answers(url: string): Promise<boolean> {
  try {
    const connection = await connect(url, { timeout: 3000 });
    await connection.close();
    return true;
  } catch {
    return false;
  }
}

/** Starts a RabbitMQ of our own on free ports, with everything it writes in a directory of its own. */
async function startRabbitMq(program: string): Promise<string> {
  const directory = temporaryDirectory('rabbitmq');
  const [port, distribution, epmdPort] = [await freePort(), await freePort(), await freePort()];
  for (const name of ['mnesia', 'log', 'gen', 'schema', 'plugins']) mkdirSync(join(directory, name));
  writeFileSync(join(directory, 'rabbitmq.conf'), 'disk_free_limit.absolute = 50MB\n');
  writeFileSync(join(directory, 'enabled_plugins'), '[].\n');
  writeFileSync(join(directory, 'rabbitmq-env.conf'), '');
  const environment = {
    ...process.env,
    HOME: directory,
    ERL_EPMD_PORT: String(epmdPort),
    ERL_EPMD_ADDRESS: '127.0.0.1',
    RABBITMQ_NODENAME: `platewise${port}@localhost`,
    RABBITMQ_NODE_IP_ADDRESS: '127.0.0.1',
    RABBITMQ_NODE_PORT: String(port),
    RABBITMQ_DIST_PORT: String(distribution),
    RABBITMQ_MNESIA_BASE: join(directory, 'mnesia'),
    RABBITMQ_LOG_BASE: join(directory, 'log'),
    RABBITMQ_LOGS: join(directory, 'log', 'rabbit.log'),
    RABBITMQ_CONFIG_FILE: join(directory, 'rabbitmq'),
    RABBITMQ_CONF_ENV_FILE: join(directory, 'rabbitmq-env.conf'),
    RABBITMQ_GENERATED_CONFIG_DIR: join(directory, 'gen'),
    RABBITMQ_SCHEMA_DIR: join(directory, 'schema'),
    RABBITMQ_PLUGINS_EXPAND_DIR: join(directory, 'plugins'),
    RABBITMQ_ENABLED_PLUGINS_FILE: join(directory, 'enabled_plugins'),
    RABBITMQ_PID_FILE: join(directory, 'pid'),
  };
  const epmd = spawn('epmd', ['-port', String(epmdPort), '-address', '127.0.0.1'], {
    stdio: 'ignore',
    env: environment,
  });
  const server = spawn(program, [], { stdio: 'ignore', env: environment });
  cleanups.unshift(async () => {
    await ended(server);
    await ended(epmd);
  });
  const url = `amqp://guest:guest@127.0.0.1:${port}`;
  const end = Date.now() + 60_000;
  while (Date.now() < end) {
    if (await answers(url)) return url;
    if (server.exitCode !== null) break;
    await new Promise((resolve) => setTimeout(resolve, 250));
  }
  throw new Error(`The private RabbitMQ did not start; its log is in ${directory}.`);
}

function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return Promise.resolve();
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGTERM');
  });
}

/** A port that is free at this moment. */
export function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const address = server.address();
      server.close(() =>
        typeof address === 'object' && address ? resolve(address.port) : reject(new Error('no port')),
      );
    });
  });
}

/** Whether something listens on a port of this machine. */
export function listens(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = createConnection(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(false));
  });
}

/** Whether a program is on the PATH. */
export function installed(program: string): boolean {
  try {
    execFileSync('sh', ['-c', `command -v ${program}`], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** Stops what is shared; called when the tests of a process (in parallel mode: of a file) have ended. */
export async function stopSharedServers(): Promise<void> {
  const server = embedded;
  embedded = undefined;
  rabbit = undefined;
  await (await server?.catch(() => undefined))?.stop();
  for (const cleanup of cleanups.splice(0)) await cleanup();
}
