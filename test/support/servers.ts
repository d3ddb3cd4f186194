import { execFileSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { createConnection, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ClientConfig } from 'pg';
import { EmbeddedPostgres } from '../../lib/store/embedded-postgres';
import { answers, PrivateRabbitMq, rabbitMqProgram } from './private-rabbitmq';

const cleanups: (() => Promise<void> | void)[] = [];

/** A directory that is removed when the tests of this process have ended. */
export function temporaryDirectory(name = 'test'): string {
  const directory = mkdtempSync(join(tmpdir(), `platewise-${name}-`));
  cleanups.push(() => rmSync(directory, { recursive: true, force: true }));
  return directory;
}

let embedded: Promise<EmbeddedPostgres> | undefined;

/** The embedded PostgreSQL that all tests of this process share; each uses its own schema. */
export async function embeddedPostgres(): Promise<ClientConfig> {
  // With many processes one after the other, as in a mutation test, one has started it for all.
  const running = process.env['PLATEWISE_TEST_POSTGRES'];
  if (running) return JSON.parse(running) as ClientConfig;
  embedded ??= EmbeddedPostgres.start(join(temporaryDirectory('postgres'), 'pg'), (error) =>
    console.error(error.message),
  );
  return (await embedded).connection;
}

/** The same as a URL, in the form of `DATABASE_URL`. */
export async function embeddedPostgresUrl(): Promise<string> {
  const { user, host } = await embeddedPostgres();
  return `postgres://${user}@localhost/postgres?host=${encodeURIComponent(String(host))}`;
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
 * A RabbitMQ for tests: AMQP_URL, or the one on this machine, or a private one if the program is installed.
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
  const started = await startRabbitMq();
  return started ?? { skip: 'no RabbitMQ answers, and the program rabbitmq-server is not installed' };
}

let ownRabbit: Promise<{ url: string } | undefined> | undefined;

/** A broker from which no other client consumes, if the program is installed; else the same as `rabbitMq`. */
export async function rabbitMqAlone(): Promise<{ url: string } | { skip: string }> {
  ownRabbit ??= startRabbitMq();
  return (await ownRabbit) ?? rabbitMq();
}

async function startRabbitMq(): Promise<{ url: string } | undefined> {
  const server = await administeredRabbitMq();
  return server && { url: server.url };
}

/** A broker that only the caller uses and administers; undefined if the program is not installed. */
export async function administeredRabbitMq(): Promise<PrivateRabbitMq | undefined> {
  const program = rabbitMqProgram();
  if (!program) return undefined;
  const [broker, distribution, mapper] = [await freePort(), await freePort(), await freePort()];
  const server = new PrivateRabbitMq(program, temporaryDirectory('rabbitmq'), { broker, distribution, mapper });
  cleanups.unshift(() => server.close());
  return server.start();
}

/**
 * A free port outside the range that the system assigns on request: a restarted server finds it free again.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = randomInt(20_000, 32_000);
    if (await canListen(port)) return port;
  }
}

function canListen(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer();
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)));
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

/** Stops the shared servers; called when the tests of a process (in parallel mode: of a file) have ended. */
export async function stopSharedServers(): Promise<void> {
  const server = embedded;
  embedded = undefined;
  rabbit = undefined;
  ownRabbit = undefined;
  await (await server?.catch(() => undefined))?.stop();
  for (const cleanup of cleanups.splice(0)) await cleanup();
}
