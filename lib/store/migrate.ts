import { join } from 'node:path';
import type { Database } from './database';
import { packageDirectory } from './package-directory';

/**
 * Brings the schema up to date. Safe when several processes start at once: they wait for each other on an
 * advisory lock, and one of them does the work.
 */
export async function migrate(database: Database): Promise<void> {
  const { runner } = await import('node-pg-migrate');
  const client = await database.connect();
  try {
    await runner({
      dbClient: client,
      dir: join(packageDirectory(), 'migrations'),
      direction: 'up',
      migrationsTable: 'platewise_migrations',
      schema: database.schema,
      createSchema: true,
      checkOrder: true,
      advisoryLockMode: 'wait',
      log: () => undefined,
    });
  } finally {
    await client.end();
  }
}
