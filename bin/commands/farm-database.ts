import { join, resolve } from 'node:path';
import { Database } from '../../lib/store/database';
import { EmbeddedPostgres } from '../../lib/store/embedded-postgres';

/** The farm's file directory. */
export const dataDirectory = (): string => resolve(process.env['PLATEWISE_DATA'] || '.platewise');

/**
 * Works on the database of the farm that the environment names, unmigrated: it may be empty, or of another version. If
 * the embedded server runs, it is left running; otherwise it is started temporarily.
 */
export async function withDatabase(work: (database: Database) => Promise<number>): Promise<number> {
  const url = process.env['DATABASE_URL'] || undefined;
  const directory = join(dataDirectory(), 'postgres');
  const found = url === undefined ? EmbeddedPostgres.inspect(directory) : undefined;
  const started = found && !found.running ? await EmbeddedPostgres.start(directory, () => undefined) : undefined;
  const connection = url === undefined ? found?.connection : { connectionString: url };
  const database = new Database({ connection: connection ?? {}, poolSize: 2, onProblem: () => undefined });
  try {
    return await work(database);
  } finally {
    await database.close();
    await started?.stop();
  }
}
