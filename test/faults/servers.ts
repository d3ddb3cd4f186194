import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { EmbeddedPostgres } from '../../lib/store/embedded-postgres';
import { PrivateRabbitMq, rabbitMqProgram } from '../support/private-rabbitmq';
import { freePort } from '../support/servers';

/** How to reach the PostgreSQL that runs, or last ran, in a directory. */
export function connectionTo(directory: string): ClientConfig {
  const [, , , port = '', socketDirectory = ''] = postmasterFile(directory);
  return {
    // Without a socket the client would try the standard port, where another PostgreSQL may listen.
    ...{ host: socketDirectory || join(directory, 'run'), port: Number(port), user: 'platewise', database: 'postgres' },
    // The campaign also writes while the system under test may not.
    options: '-c default_transaction_read_only=off',
  };
}

/** Makes the database read-only for the system under test, like a standby, or writable again. */
export async function setReadOnly(connection: () => ClientConfig, on: boolean): Promise<void> {
  await ask(connection, `ALTER ROLE platewise SET default_transaction_read_only = ${on ? 'on' : 'off'}`);
  // Applies from the next session on.
  await ask(
    connection,
    `SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name ~ '^platewise' AND pid <> pg_backend_pid()`,
  );
}

/** Kills the PostgreSQL of a directory as a crash does (SIGKILL). */
export function killPostgres(directory: string): boolean {
  const pid = Number(postmasterFile(directory)[0]);
  if (!(pid > 0)) return false;
  try {
    process.kill(pid, 'SIGKILL');
    return true;
  } catch {
    return false;
  }
}

function postmasterFile(directory: string): string[] {
  const path = join(directory, 'data', 'postmaster.pid');
  return existsSync(path) ? readFileSync(path, 'utf8').split('\n') : [];
}

/** A RabbitMQ beside the system under test, not started yet. @throws Error the program is not installed */
export async function privateBroker(directory: string): Promise<PrivateRabbitMq> {
  const program = rabbitMqProgram();
  if (!program) throw new Error('The pair rabbitmq needs RabbitMQ (Debian: apt install rabbitmq-server).');
  const ports = { broker: await freePort(), distribution: await freePort(), mapper: await freePort() };
  return new PrivateRabbitMq(program, directory, ports);
}

/** A PostgreSQL beside the system under test, which can be stopped and started again. */
export class PrivatePostgres {
  #server: EmbeddedPostgres | undefined;

  /** @param variables of the server's environment */
  constructor(
    readonly directory: string,
    private readonly variables: Record<string, string> = {},
  ) {}

  async start(): Promise<this> {
    this.#server = await EmbeddedPostgres.start(this.directory, () => undefined, this.variables);
    return this;
  }

  async stop(): Promise<void> {
    await this.#server?.stop();
    this.#server = undefined;
  }
}

/** How long a query is retried, and how often (ms): a database that stops a farm from starting may run for a moment only. */
const patience = 60_000;
const retryPause = 25;

/** Runs one query on its own connection; retries while the database is down. */
export async function ask<Row extends object>(
  connection: () => ClientConfig,
  sql: string,
  values: unknown[] = [],
): Promise<Row[]> {
  const end = performance.now() + patience;
  for (;;) {
    const client = new Client({ ...connection(), connectionTimeoutMillis: 5000, query_timeout: 20_000 });
    client.on('error', () => undefined);
    try {
      await client.connect();
      return (await client.query<Row>(sql, values)).rows;
    } catch (error) {
      if (performance.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, retryPause));
    } finally {
      await client.end().catch(() => undefined);
    }
  }
}
