import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Client } from 'pg';
import { PlatewiseError } from '../model/errors';
import type { Database } from './database';
import { packageDirectory } from './package-directory';

/** The table that records the migrations. */
export const migrationsTable = 'platewise_migrations';

/** A newer version has migrated the database, and this version does not know what it may write. */
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

/** Returns the migrations that this version knows, oldest first. */
export function knownMigrations(): string[] {
  return readdirSync(directory())
    .filter((name) => name.endsWith('.sql'))
    .map((name) => name.replace(/\.sql$/, ''))
    .sort();
}

/**
 * Migrates the schema. Safe when several processes start concurrently: they wait for each other on an
 * advisory lock, and one of them does the work.
 * @param count the maximum number of migrations
 * @throws SchemaTooNewError a newer version has migrated the database; nothing is changed
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
    // A newer version may have migrated the database while this one was waiting.
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
