import { notify } from './database';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** A pause of the farm: since when (ISO 8601), by whom, and why. */
export interface StoredPause {
  pausedAt: string;
  pausedBy: string;
  reason: string | null;
}

/** Returns the pause of the farm; undefined: it is not paused. */
export async function findFarmPause(db: Queryable): Promise<StoredPause | undefined> {
  const { rows } = await db.query('SELECT paused_at, paused_by, reason FROM farm_pause');
  return rows[0] && camelCase<StoredPause>(rows[0]);
}

/** Pauses the farm; an existing pause keeps its start and gets the new reason. */
export async function storeFarmPause(tx: Transaction, reason: string | null, actor: string): Promise<StoredPause> {
  const { rows } = await tx.query(
    `INSERT INTO farm_pause (reason, paused_by) VALUES ($1, $2)
     ON CONFLICT (single) DO UPDATE SET reason = excluded.reason, paused_by = excluded.paused_by
     RETURNING paused_at, paused_by, reason`,
    [reason, actor],
  );
  await notify(tx, 'plan');
  return camelCase<StoredPause>(rows[0] ?? {});
}

/** Ends the pause; false if there was none. */
export async function endFarmPause(tx: Transaction): Promise<boolean> {
  const { rowCount } = await tx.query('DELETE FROM farm_pause');
  await notify(tx, 'plan');
  return rowCount === 1;
}
