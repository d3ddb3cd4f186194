import assert from 'node:assert/strict';
import type { JobId } from '../../lib/model/ids';
import { openAttempts, orphanOf, staleDispatches } from '../../lib/store/attempts';
import type { Database } from '../../lib/store/database';
import { unresolvedDeadLetters } from '../../lib/store/dead-letters';
import { filesInUse, forgetOldPhotos } from '../../lib/store/file-use';
import { cancelledButOpen, partsOfKits, unfinishedJobs, unmetDependencies } from '../../lib/store/jobs';
import { stockOfMaterials } from '../../lib/store/materials';
import {
  dropOvertakenDispatches,
  eventRange,
  eventsAfter,
  markSent,
  pruneSent,
  resendUnclaimed,
  unsent,
} from '../../lib/store/outbox';
import {
  dispatchesSinceOwed,
  durationsToLearn,
  newestStart,
  newestToLearn,
  promisesThatCame,
} from '../../lib/store/planning';
import { loadedSlots } from '../../lib/store/printers';
import type { Queryable } from '../../lib/store/queryable';
import { forgetSharedFiles } from '../../lib/store/shared-files';
import { addDefaultFarm } from '../support/default-farm';
import { freshDatabase } from '../support/fresh-database';
import { addHistory } from '../support/history';

interface PlanNode {
  'Node Type': string;
  'Relation Name'?: string;
  'Actual Rows'?: number;
  'Actual Loops'?: number;
  Plans?: PlanNode[];
}

const growing = ['print_jobs', 'print_attempts', 'print_outcomes', 'job_status_history', 'start_promises', 'outbox'];

describe('A database with a long history', () => {
  let database: Database;
  let drop: () => Promise<void>;
  let kit: JobId;
  before(async () => {
    ({ database, drop } = await freshDatabase());
    await addDefaultFarm(database);
    await addHistory(database, 20_000);
    const { rows } = await database.query<{ id: JobId }>('SELECT id FROM print_jobs LIMIT 1');
    await database.query(
      `INSERT INTO shared_files (sha256, size, created_at)
       SELECT md5(n::text) || md5(n::text), 0, now() - interval '2 days' FROM generate_series(1, 50) AS n`,
    );
    await database.query('ANALYZE shared_files');
    kit = rows[0]?.id as JobId;
  });
  after(() => drop());

  /** The scans of growing tables that read them from end to end, or far more rows than needed. */
  const wholeScans = async (ask: (db: Queryable) => Promise<unknown>): Promise<string[]> => {
    const found: string[] = [];
    const look = (node: PlanNode, sql: string): void => {
      const table = node['Relation Name'];
      const read = (node['Actual Rows'] ?? 0) * (node['Actual Loops'] ?? 1);
      if (table && growing.includes(table) && (node['Node Type'] === 'Seq Scan' || read > 2000)) {
        found.push(`${node['Node Type']} of ${table}, ${read} rows: ${sql.trim().replace(/\s+/g, ' ').slice(0, 100)}`);
      }
      for (const child of node.Plans ?? []) look(child, sql);
    };
    const client = await database.connect();
    try {
      await client.query('BEGIN');
      await ask({
        query: async (sql: string, values?: readonly unknown[]) => {
          await client.query('SAVEPOINT explained');
          const explained = await client.query<{ 'QUERY PLAN': [{ Plan: PlanNode }] }>(
            `EXPLAIN (ANALYZE, FORMAT JSON) ${sql}`,
            values as unknown[],
          );
          await client.query('ROLLBACK TO explained');
          look(explained.rows[0]?.['QUERY PLAN'][0].Plan as PlanNode, sql);
          return client.query(sql, values as unknown[]);
        },
      } as Queryable);
    } finally {
      await client.query('ROLLBACK');
      await client.end();
    }
    return found;
  };

  const questions: [string, (db: Queryable) => Promise<unknown>][] = [
    ['how much of each material is promised', stockOfMaterials],
    ['how long prints took', durationsToLearn],
    ['whether there is anything new to learn', newestToLearn],
    ['whether another job has started', newestStart],
    ['how well promises were kept', promisesThatCame],
    ['whether an owed job is due', (db) => dispatchesSinceOwed(db, { base: 48, step: 12 }, 5)],
    ['which pictures are old', (db) => forgetOldPhotos(db, 30)],
    ['which files are in use', (db) => filesInUse(db, ['0'.repeat(64), 'f'.repeat(64)], 30)],
    ['which shared files are to be kept', (db) => forgetSharedFiles(db, 24)],
    ['which jobs are unfinished', unfinishedJobs],
    ['which jobs are to be cancelled', cancelledButOpen],
    ['which dependencies are not met', (db) => unmetDependencies(db, [kit])],
    ['how far kits are', (db) => partsOfKits(db, ['order 7'])],
    ['which attempts are open', openAttempts],
    ['which attempt has lost its agent', (db) => orphanOf(db, 'elegoo_giga', 15)],
    [
      'which dispatches are unclaimed',
      (db) => staleDispatches(db, { expiresSeconds: 600, offlineAfterSeconds: 30, leaseSeconds: 15 }),
    ],
    ['what is loaded', loadedSlots],
    ['what waits in the outbox', (db) => unsent(db, 64, { lanes: ['x'], ids: [1] })],
    ['which dispatches are overtaken', dropOvertakenDispatches],
    ['which dispatches are sent again', (db) => resendUnclaimed(db, 30)],
    ['marking as sent', (db) => markSent(db, [1, 2])],
    ['which messages are old', (db) => pruneSent(db, 24)],
    ['which events there are', eventRange],
    ['what came after an event', (db) => eventsAfter(db, 19_999, 200)],
    ['which jobs were given up', (db) => unresolvedDeadLetters(db, 100)],
  ];
  for (const [what, ask] of questions) {
    it(`is not scanned from end to end to find ${what}`, async () => {
      assert.deepEqual(await wholeScans(ask), []);
    });
  }

  it('counts the dispatches of each printer since a job was owed', async () => {
    const counts = async (): Promise<unknown> =>
      Object.fromEntries(await dispatchesSinceOwed(database, { base: 48, step: 12 }, 5));
    assert.deepEqual(await counts(), { bamboo_h2d: 5, elegoo_giga: 5, snapmaker_artisan: 5 }, 'no more than requested');
    await database.query(
      `UPDATE print_jobs SET created_at = created_at - interval '30 days' WHERE id IN (
         SELECT job_id FROM print_attempts WHERE printer_id = 'elegoo_giga' ORDER BY dispatched_at DESC OFFSET 2 LIMIT 1)`,
    );
    assert.deepEqual(await counts(), { bamboo_h2d: 5, elegoo_giga: 2, snapmaker_artisan: 5 });
    await database.query(
      `UPDATE print_jobs SET created_at = created_at - interval '30 days' WHERE id IN (
         SELECT job_id FROM print_attempts WHERE printer_id = 'elegoo_giga' ORDER BY dispatched_at DESC LIMIT 1)`,
    );
    assert.deepEqual(await counts(), { bamboo_h2d: 5, snapmaker_artisan: 5 });
  });

  it('compiles no queries', async () => {
    const { rows } = await database.query<{ jit: string }>('SHOW jit');
    assert.equal(rows[0]?.jit, 'off');
  });
});
