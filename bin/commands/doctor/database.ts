import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { Client, type ClientConfig } from 'pg';
import { keysWereMade } from '../../../lib/store/api-keys';
import { EmbeddedPostgres } from '../../../lib/store/embedded-postgres';
import { packageDirectory } from '../../../lib/store/package-directory';
import { type Check, failed, masked, ok, warning, words } from './check';
import { checkDashboard } from './dashboard';

const name = 'PostgreSQL';
const oldest = 150_000;

/** Checks the configured PostgreSQL, or the embedded one. Starts and changes nothing. */
export async function checkDatabase(
  url: string | undefined,
  dataDirectory: string,
  flows: string | undefined,
): Promise<Check[]> {
  if (url !== undefined) return ask({ connectionString: url }, masked(url), passwordOf(url), flows);
  try {
    const { running, connection } = EmbeddedPostgres.inspect(join(dataDirectory, 'postgres'));
    if (running) return await ask(connection, 'the embedded server, which runs', '', flows);
    return [ok(name, 'The embedded server can run here; it is started with Node-RED. DATABASE_URL is not set.')];
  } catch (error) {
    return [
      failed(
        name,
        words(error),
        'Run npm install with optional dependencies, or set DATABASE_URL to a server of your own.',
      ),
    ];
  }
}

async function ask(config: ClientConfig, where: string, secret: string, flows: string | undefined): Promise<Check[]> {
  const client = new Client({ ...config, connectionTimeoutMillis: 10_000, query_timeout: 10_000 });
  client.on('error', () => undefined);
  try {
    await client.connect();
    const { rows } = await client.query<{ number: string; version: string; tables: string | null }>(
      `SELECT current_setting('server_version_num') AS number, current_setting('server_version') AS version,
         to_regclass('platewise_migrations')::text AS tables`,
    );
    const [row] = rows;
    if (Number(row?.number) < oldest) {
      return [failed(name, `${where}: version ${row?.version}.`, 'Upgrade to PostgreSQL 15 or newer.')];
    }
    const server = ok(name, `${where}: version ${row?.version}.`);
    if (!row?.tables) return [server, noSchema];
    return [server, await checkSchema(client), ...((await isLocked(client)) ? checkDashboard(flows) : [])];
  } catch (error) {
    const remedy =
      'Check that the server runs, that the address, user and password are right, and that pg_hba.conf lets this machine in.';
    return [failed(name, `${where}: ${words(error, secret)}`, remedy)];
  } finally {
    await client.end().catch(() => undefined);
  }
}

/** Whether any key was ever created; a schema that predates keys has none. */
async function isLocked(client: Client): Promise<boolean> {
  const { rows } = await client.query<{ table: string | null }>("SELECT to_regclass('api_keys')::text AS table");
  return rows[0]?.table != null && keysWereMade(client);
}

const noSchema = warning(
  'schema',
  'There are no tables of Platewise yet.',
  'Nothing: they are made when Node-RED starts.',
);

async function checkSchema(client: Client): Promise<Check> {
  const { rows } = await client.query<{ name: string }>('SELECT name FROM platewise_migrations');
  const done = new Set(rows.map((row) => row.name));
  const known = readdirSync(join(packageDirectory(), 'migrations')).map((file) => file.replace(/\.sql$/, ''));
  const missing = known.filter((migration) => !done.has(migration));
  const unknown = [...done].filter((migration) => !known.includes(migration));
  if (unknown.length > 0) {
    const remedy = 'Update Platewise on this machine: the database was migrated by a newer one.';
    return failed('schema', `It has migrations that this version does not know: ${unknown.join(', ')}.`, remedy);
  }
  if (missing.length > 0) {
    return warning('schema', `Not migrated yet: ${missing.join(', ')}.`, 'Nothing: it happens when Node-RED starts.');
  }
  return ok('schema', `All ${known.length} migrations are done.`);
}

function passwordOf(url: string): string {
  try {
    return new URL(url).password;
  } catch {
    return url;
  }
}
