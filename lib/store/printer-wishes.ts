import type { AttemptId, PrinterId } from '../model/ids';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** An operator's request to pause or resume the running print. */
export interface PrinterWish {
  wanted: 'pause' | 'resume';
  /** The attempt that was open at that time; null: a foreign print. */
  attemptId: AttemptId | null;
  wishedBy: string;
  /** By the database's clock; negative after the clock was set back. */
  ageSeconds: number;
  /** Why the printer refused. */
  problem: string | null;
}

/** Stores a request, replacing any other for this printer. The printer's row must be locked. */
export async function storeWish(
  tx: Transaction,
  printerId: PrinterId,
  wish: Pick<PrinterWish, 'wanted' | 'attemptId' | 'wishedBy'>,
): Promise<void> {
  await tx.query(
    `INSERT INTO printer_wishes (printer_id, wanted, attempt_id, wished_by) VALUES ($1, $2, $3, $4)
     ON CONFLICT (printer_id) DO UPDATE SET wanted = excluded.wanted, attempt_id = excluded.attempt_id,
       wished_by = excluded.wished_by, wished_at = clock_timestamp(), problem = NULL`,
    [printerId, wish.wanted, wish.attemptId, wish.wishedBy],
  );
}

/** Returns the request for a printer; undefined: there is none. */
export async function wishFor(db: Queryable, printerId: PrinterId): Promise<PrinterWish | undefined> {
  const { rows } = await db.query(
    `SELECT wanted, attempt_id, wished_by, problem,
       extract(epoch FROM clock_timestamp() - wished_at)::float8 AS age_seconds
     FROM printer_wishes WHERE printer_id = $1`,
    [printerId],
  );
  return rows[0] && camelCase<PrinterWish>(rows[0]);
}

/** Withdraws any request for a printer. */
export async function dropWish(db: Queryable, printerId: PrinterId): Promise<void> {
  await db.query('DELETE FROM printer_wishes WHERE printer_id = $1', [printerId]);
}

/** Records that the printer refused; guarded, so that a later request is kept. */
export async function refuseWish(
  db: Queryable,
  printerId: PrinterId,
  wanted: PrinterWish['wanted'],
  problem: string,
): Promise<void> {
  await db.query('UPDATE printer_wishes SET problem = $3 WHERE printer_id = $1 AND wanted = $2', [
    printerId,
    wanted,
    problem.slice(0, 500),
  ]);
}

/** Deletes a request that is fulfilled or obsolete; guarded, so that a later request is kept. */
export async function endWish(db: Queryable, printerId: PrinterId, wanted: PrinterWish['wanted']): Promise<void> {
  await db.query('DELETE FROM printer_wishes WHERE printer_id = $1 AND wanted = $2', [printerId, wanted]);
}
