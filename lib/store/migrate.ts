import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { PlatewiseError } from '../model/errors';
import type { Database } from './database';
import { packageDirectory } from './package-directory';

/** The table that says which migrations were run. */
export const migrationsTable = 'platewise_migrations';

/** The database was brought up to date by a newer version than this one, which does not know what it may write. */
export class SchemaTooNewError extends PlatewiseError {
  constructor(newest: string, what = 'The database') {
    super(
      `${what} belongs to a newer version of Platewise: its schema has "${newest}", which this version does not know.`,
      {
        code: 'schema_too_new',
        remedy:
          'Install the newer version on this machine too, or restore the backup from before the upgrade. Nothing was changed.',
      },
    );
  }
}

const directory = (): string => join(packageDirectory(), 'migrations');

/** The migrations that this version knows, oldest first. */
export function knownMigrations(): string[] {
  return readdirSync(directory())
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.replace(/\.sql$/, ''))
    .sort();
}

/**
 * Brings the schema up to date. Safe when several processes start at once: they wait for each other on an
 * advisory lock, and one of them does the work.
 * @param count so many migrations at most
 * @throws SchemaTooNewError a newer version has been here; nothing is changed
 * @throws DatabaseUnavailableError
 */
export async function migrate(database: Database, count?: number): Promise<void> {
  const { runner } = await import('node-pg-migrate');
  const client = await database.connect();
  try {
    await refuseNewer(client, database.schema);
    await runner({
      dbClient: client,
      dir: directory(),
      direction: 'up',
      migrationsTable,
      ...(count !== undefined && { count }),
      schema: database.schema,
      createSchema: true,
      checkOrder: true,
      advisoryLockMode: 'wait',
      log: () => undefined,
    });
    // Somebody newer may have been at work while this one waited for its turn.
    await refuseNewer(client, database.schema);
  } catch (error) {
    throw database.explain(error);
  } finally {
    await client.end();
  }
}

async function refuseNewer(client: Client, schema: string): Promise<void> {
  const qualified = `${client.escapeIdentifier(schema)}.${migrationsTable}`;
  const { rows: found } = await client.query<{ name: string | null }>('SELECT to_regclass($1)::text AS name', [
    qualified,
  ]);
  if (found[0]?.name == null) return;
  const known = new Set(knownMigrations());
  const { rows } = await client.query<{ name: string }>(`SELECT name FROM ${qualified} ORDER BY id DESC`);
  const newer = rows.find(({ name }) => !known.has(name));
  if (newer) throw new SchemaTooNewError(newer.name);
}
