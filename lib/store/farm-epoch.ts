import type { Printer } from './printers';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** The farm that a database holds. */
export interface FarmRow {
  /** Stays with the farm, also through a backup. */
  id: string;
  /** Grows each time that the database is treated as restored. */
  epoch: number;
  restoredAt: string | null;
}

/** Reads which farm this is, and locks its row: processes that look for a restored database do so one after the other. */
export async function lockFarm(tx: Transaction): Promise<FarmRow> {
  const { rows } = await tx.query('SELECT id, epoch, restored_at FROM farm FOR UPDATE');
  if (!rows[0]) throw new Error('The table farm has no row.');
  return camelCase<FarmRow>(rows[0]);
}

// Begins the next epoch, greater than any before: also than those that a lost future of this database had.
const beginEpochSql = `
  UPDATE farm SET epoch = greatest(epoch + 1, $1::bigint + 1, floor(extract(epoch FROM now()) * 1000)::bigint),
    restored_at = now(), restored_by = $2
  RETURNING id, epoch, restored_at`;

/** Notes that the database was restored; what data directories have counted in the epoch before counts no more. */
export async function beginEpoch(tx: Transaction, beyond: number, actor: string): Promise<FarmRow> {
  const { rows } = await tx.query(beginEpochSql, [beyond, actor]);
  if (!rows[0]) throw new Error('The table farm has no row.');
  await tx.query('DELETE FROM farm_marks');
  return camelCase<FarmRow>(rows[0]);
}

/** How far a data directory has counted, undefined if this database does not know it. */
export async function markOf(db: Queryable, node: string): Promise<number | undefined> {
  const { rows } = await db.query<{ mark: number }>('SELECT mark FROM farm_marks WHERE node = $1', [node]);
  return rows[0]?.mark;
}

/** Lets a data directory go on counting from a number. */
export async function setMark(tx: Transaction, node: string, mark: number): Promise<void> {
  await tx.query(
    `INSERT INTO farm_marks (node, mark) VALUES ($1, $2)
     ON CONFLICT (node) DO UPDATE SET mark = greatest(farm_marks.mark, excluded.mark), marked_at = now()`,
    [node, mark],
  );
}

// Counts on, if the database is what it was when this was last done.
const advanceMarkSql = `
  UPDATE farm_marks m SET mark = m.mark + 1, marked_at = now() FROM farm f
  WHERE m.node = $1 AND m.mark >= $2 AND f.id = $3 AND f.epoch = $4 RETURNING m.mark`;

/** The next number of a data directory; undefined: the database is another, is older, or was treated as restored since. */
export async function advanceMark(
  db: Queryable,
  last: { node: string; mark: number; farm: string; epoch: number },
): Promise<number | undefined> {
  const { rows } = await db.query<{ mark: number }>(advanceMarkSql, [last.node, last.mark, last.farm, last.epoch]);
  return rows[0]?.mark;
}

// Numbers that were given out and of which the restored database knows nothing must not be given out again: a Bambu would take the
// job of a new attempt for one that it has printed already. Nobody makes so many prints between two backups.
const skipNumbersSql = `
  SELECT setval('print_task_ids', (t.last_value + 1000000) % 2147483646 + 1), setval('job_event_ids', e.last_value + 1000000)
  FROM print_task_ids t, job_event_ids e`;

/** Goes on with numbers for prints and events that were certainly never given out. */
export async function skipNumbers(tx: Transaction): Promise<void> {
  await tx.query(skipNumbersSql);
}

/** The printers whose beds nobody has looked at since the database was restored. */
export async function bedsSinceRestore(
  db: Queryable,
): Promise<(Pick<Printer, 'id' | 'name'> & { restoredAt: string })[]> {
  const { rows } = await db.query(
    `SELECT p.id, p.name, f.restored_at FROM farm f JOIN printers p ON p.bed_since = f.restored_at
     WHERE p.bed_state = 'occupied' AND p.bed_cause = 'unknown' AND p.archived_at IS NULL ORDER BY p.id`,
  );
  return rows.map((row) => camelCase<Pick<Printer, 'id' | 'name'> & { restoredAt: string }>(row));
}
