import { randomUUID } from 'node:crypto';
import type { ClientConfig } from 'pg';
import { Database } from '../../lib/store/database';
import { migrate } from '../../lib/store/migrate';
import { embeddedPostgres } from './servers';

/** A database with the current schema and nothing else in it; `drop` removes it. */
export async function freshDatabase(connection?: ClientConfig): Promise<{ database: Database; drop(): Promise<void> }> {
  const schema = `test_${randomUUID().replaceAll('-', '')}`;
  const database = new Database({
    connection: connection ?? (await embeddedPostgres()),
    schema,
    onProblem: () => undefined,
  });
  await migrate(database);
  return {
    database,
    drop: async () => {
      await database.query(`DROP SCHEMA ${schema} CASCADE`);
      await database.close();
    },
  };
}
