import type { AttemptId, SpoolId } from '../model/ids';
import type { Drawn, SpoolTaken } from '../model/spool-shares';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/**
 * SQL for the grams of a spool that are promised to open attempts: to those that it feeds what they still need, to those that
 * it has fed what they got of it, which is taken off at their end.
 * @param spool SQL for its id
 */
export const reservedOf = (spool: string): string => `(
  coalesce((SELECT sum(a.reserved_grams) FROM print_attempts a WHERE a.spool_id = ${spool} AND a.phase <> 'ended'), 0)
  + coalesce((SELECT sum(c.reserved_grams) FROM spool_changes c JOIN print_attempts a ON a.id = c.attempt_id
      WHERE c.spool_id = ${spool} AND a.phase <> 'ended'), 0))`;

/** The spools that were taken out of an attempt's slot while it was printed, in this order, with the grams they gave as was reckoned then. */
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

// What the spool gave stays promised of it; of the attempt's grams the rest is promised of the one that comes next.
const takeOutSql = `
  WITH taken AS (
    INSERT INTO spool_changes (attempt_id, number, spool_id, progress, filament_mm, reserved_grams)
    SELECT a.id, 1 + (SELECT count(*) FROM spool_changes c WHERE c.attempt_id = a.id), a.spool_id, $2, $3, $4
    FROM print_attempts a WHERE a.id = $1 AND a.spool_id IS NOT NULL
    RETURNING attempt_id, reserved_grams)
  UPDATE print_attempts a SET spool_id = NULL, reserved_grams = a.reserved_grams - taken.reserved_grams
  FROM taken WHERE a.id = taken.attempt_id`;

/**
 * Notes that the spool of an attempt was taken out of its slot. The job's row must be locked. Without a spool nothing happens.
 * @param drawn how much of the print had come out
 * @param gaveGrams what this spool gave of it, as far as it can be told now
 */
export async function takeSpoolOut(tx: Transaction, id: AttemptId, drawn: Drawn, gaveGrams: number): Promise<void> {
  await tx.query(takeOutSql, [id, drawn.progress, drawn.filamentMm, gaveGrams]);
}

/** Says which spool feeds an attempt from now on. The job's row must be locked. */
export async function feedFrom(tx: Transaction, id: AttemptId, spoolId: SpoolId): Promise<void> {
  await tx.query('UPDATE print_attempts SET spool_id = $2 WHERE id = $1', [id, spoolId]);
}
