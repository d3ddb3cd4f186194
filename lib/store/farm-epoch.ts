import type { Printer } from './printers';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** The farm of a database. */
export interface FarmRow {
  /** The identity of the farm, which survives a backup and restore. */
  id: string;
  /** Increases each time that the database is treated as restored. */
  epoch: number;
  restoredAt: string | null;
}

/** Reads the farm's row and locks it, so that processes check for a restored database one after the other. */
export async function lockFarm(tx: Transaction): Promise<FarmRow> {
  const { rows } = await tx.query('SELECT id, epoch, restored_at FROM farm FOR UPDATE');
  if (!rows[0]) throw new Error('The table farm has no row.');
  return camelCase<FarmRow>(rows[0]);
}

// Begins the next epoch, greater than any before, including those of a future that this database has lost.
const beginEpochSql = `
  UPDATE farm SET epoch = greatest(epoch + 1, $1::bigint + 1, floor(extract(epoch FROM now()) * 1000)::bigint),
    restored_at = now(), restored_by = $2
  RETURNING id, epoch, restored_at`;

/** Records that the database was restored; the counts of data directories in earlier epochs become void. */
export async function beginEpoch(tx: Transaction, beyond: number, actor: string): Promise<FarmRow> {
  const { rows } = await tx.query(beginEpochSql, [beyond, actor]);
  if (!rows[0]) throw new Error('The table farm has no row.');
  await tx.query('DELETE FROM farm_marks');
  return camelCase<FarmRow>(rows[0]);
}

/** Returns the count of a data directory; undefined if this database does not know it. */
export async function markOf(db: Queryable, node: string): Promise<number | undefined> {
  const { rows } = await db.query<{ mark: number }>('SELECT mark FROM farm_marks WHERE node = $1', [node]);
  return rows[0]?.mark;
}

/** Sets the count of a data directory. */
export async function setMark(tx: Transaction, node: string, mark: number): Promise<void> {
  await tx.query(
    `INSERT INTO farm_marks (node, mark) VALUES ($1, $2)
     ON CONFLICT (node) DO UPDATE SET mark = greatest(farm_marks.mark, excluded.mark), marked_at = now()`,
    [node, mark],
  );
}

// Advances the count, if the database has not been replaced since the last time.
const advanceMarkSql = `
  UPDATE farm_marks m SET mark = m.mark + 1, marked_at = now() FROM farm f
  WHERE m.node = $1 AND m.mark >= $2 AND f.id = $3 AND f.epoch = $4 RETURNING m.mark`;

/** Returns the next count of a data directory; undefined: the database is another, is older, or was treated as restored since. */
export async function advanceMark(
  db: Queryable,
  last: { node: string; mark: number; farm: string; epoch: number },
): Promise<number | undefined> {
  const { rows } = await db.query<{ mark: number }>(advanceMarkSql, [last.node, last.mark, last.farm, last.epoch]);
  return rows[0]?.mark;
}

// Numbers that were issued after the backup must not be issued again: a Bambu would mistake the job of a new attempt for one that it
// has already printed. A farm makes fewer prints than this between two backups.
const skipNumbersSql = `
  SELECT setval('print_task_ids', (t.last_value + 1000000) % 2147483646 + 1), setval('job_event_ids', e.last_value + 1000000)
  FROM print_task_ids t, job_event_ids e`;

/** Skips numbers of prints and events that may have been issued after the backup. */
export async function skipNumbers(tx: Transaction): Promise<void> {
  await tx.query(skipNumbersSql);
}

/** Returns the printers whose beds have not been checked since the database was restored. */
export async function bedsSinceRestore(
  db: Queryable,
): Promise<(Pick<Printer, 'id' | 'name'> & { restoredAt: string })[]> {
  const { rows } = await db.query(
    `SELECT p.id, p.name, f.restored_at FROM farm f JOIN printers p ON p.bed_since = f.restored_at
     WHERE p.bed_state = 'occupied' AND p.bed_cause = 'unknown' AND p.archived_at IS NULL ORDER BY p.id`,
  );
  return rows.map((row) => camelCase<Pick<Printer, 'id' | 'name'> & { restoredAt: string }>(row));
}
