import assert from 'node:assert/strict';
import { problemOf } from '../../lib/api/problem';
import { Database, DatabaseBusyError, DatabaseReadOnlyError, DatabaseUnavailableError } from '../../lib/store/database';
import { addDefaultFarm } from '../support/default-farm';
import { freshDatabase } from '../support/fresh-database';

describe('A database', () => {
  let database: Database;
  let drop: () => Promise<void>;
  before(async () => {
    ({ database, drop } = await freshDatabase());
    await addDefaultFarm(database);
  });
  after(() => drop());

  it('that is read-only makes a part of the farm unavailable, with its remedy', async () => {
    const { rows } = await database.query<{ name: string }>('SELECT current_database() AS name');
    await database.query(`ALTER DATABASE ${rows[0]?.name} SET default_transaction_read_only = on`);
    const later = new Database({
      connection: database.connection,
      schema: database.schema,
      onProblem: () => undefined,
    });
    try {
      const change = `UPDATE printers SET name = 'x'`;
      for (const attempt of [() => later.query(change), () => later.transaction((tx) => tx.query(change))]) {
        await assert.rejects(attempt, (error) => {
          assert.ok(error instanceof DatabaseReadOnlyError && error instanceof DatabaseUnavailableError);
          const problem = problemOf(error);
          assert.deepEqual([problem.status, problem.code], [503, 'database_read_only']);
          assert.match(problem.detail, /read-only.*writable/);
          return true;
        });
      }
    } finally {
      await later.close();
      const writable = await database.connect();
      await writable.query('SET default_transaction_read_only = off');
      await writable.query(`ALTER DATABASE ${rows[0]?.name} RESET default_transaction_read_only`);
      await writable.end();
    }
  });

  it('in which another process holds a lock for long is busy, and names the holder', async () => {
    const other = await database.connect();
    try {
      await other.query('BEGIN');
      await other.query(`SELECT 1 FROM printers WHERE id = 'elegoo_giga' FOR UPDATE`);
      await assert.rejects(
        database.transaction((tx) => tx.query(`UPDATE printers SET name = 'x' WHERE id = 'elegoo_giga'`)),
        (error) => {
          assert.ok(error instanceof DatabaseBusyError, String(error));
          assert.deepEqual([problemOf(error).status, problemOf(error).code], [503, 'database_busy']);
          return /pg_stat_activity/.test(error.remedy);
        },
      );
    } finally {
      await other.query('ROLLBACK');
      await other.end();
    }
  });
});
