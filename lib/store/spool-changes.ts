import type { AttemptId, SpoolId } from '../model/ids';
import type { Drawn, SpoolTaken } from '../model/spool-shares';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/**
 * SQL for the grams of a spool that are reserved by open attempts: by those that it feeds, their remaining need; by those that
 * it has fed, the grams that they drew from it, which are deducted at their end.
 * @param spool SQL for its id
 */
export const reservedOf = (spool: string): string => `(
  coalesce((SELECT sum(a.reserved_grams) FROM print_attempts a WHERE a.spool_id = ${spool} AND a.phase <> 'ended'), 0)
  + coalesce((SELECT sum(c.reserved_grams) FROM spool_changes c JOIN print_attempts a ON a.id = c.attempt_id
      WHERE c.spool_id = ${spool} AND a.phase <> 'ended'), 0))`;

/** Returns the spools that were removed from an attempt's slot during its print, in this order, with the grams they gave as estimated then. */
export async function spoolsTaken(
  db: Queryable,
  attemptId: AttemptId,
): Promise<(SpoolTaken & { reservedGrams: number })[]> {
  const { rows } = await db.query(
    'SELECT spool_id, progress, filament_mm, reserved_grams FROM spool_changes WHERE attempt_id = $1 ORDER BY number',
    [attemptId],
  );
  return rows.map((row) => camelCase<SpoolTaken & { reservedGrams: number }>(row));
}

// The grams that the spool gave stay reserved; the rest of the attempt's grams is reserved on the next spool.
const takeOutSql = `
  WITH taken AS (
    INSERT INTO spool_changes (attempt_id, number, spool_id, progress, filament_mm, reserved_grams)
    SELECT a.id, 1 + (SELECT count(*) FROM spool_changes c WHERE c.attempt_id = a.id), a.spool_id, $2, $3, $4
    FROM print_attempts a WHERE a.id = $1 AND a.spool_id IS NOT NULL
    RETURNING attempt_id, reserved_grams)
  UPDATE print_attempts a SET spool_id = NULL, reserved_grams = a.reserved_grams - taken.reserved_grams
  FROM taken WHERE a.id = taken.attempt_id`;

/**
 * Records that the spool of an attempt was removed from its slot. The job's row must be locked. Without a spool nothing happens.
 * @param drawn how much of the print had been extruded
 * @param gaveGrams the grams that this spool gave of it, as far as known
 */
export async function takeSpoolOut(tx: Transaction, id: AttemptId, drawn: Drawn, gaveGrams: number): Promise<void> {
  await tx.query(takeOutSql, [id, drawn.progress, drawn.filamentMm, gaveGrams]);
}

/** Sets the spool that feeds an attempt from now on. The job's row must be locked. */
export async function feedFrom(tx: Transaction, id: AttemptId, spoolId: SpoolId): Promise<void> {
  await tx.query('UPDATE print_attempts SET spool_id = $2 WHERE id = $1', [id, spoolId]);
}
