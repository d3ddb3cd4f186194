import type { Transaction } from './queryable';

/**
 * The numbers of the advisory locks, which are shared by everything on one PostgreSQL: no two may be the same. All but that of
 * the embedded server's owner are taken together with the hash of a schema, so that farms beside each other do not meet.
 */
export const advisoryLocks = {
  /** Who owns the data directory of an embedded server. */
  owner: 7_206_011,
  /** One tick at a time. */
  tick: 7_206_012,
  /** Files are removed, or jobs that name them are accepted. */
  files: 7_206_013,
  /** What one process holds alone, by name. */
  session: 7_206_014,
  /** Events get their number and are committed as one act. */
  events: 7_206_015,
  /** One round with Spoolman at a time. */
  spoolman: 7_206_016,
  /** Printers are pinned to machines. */
  identities: 7_206_019,
  /** What jobs wait for changes. */
  dependencies: 7_206_018,
} as const;

/** Waits for a lock and holds it until the transaction has ended; shared, for those who only must not meet its holder. */
export async function lockUntilEnd(
  tx: Transaction,
  lock: 'tick' | 'files' | 'spoolman' | 'dependencies' | 'identities',
  mode: 'exclusive' | 'shared' = 'exclusive',
): Promise<void> {
  const take = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await tx.query(`SELECT ${take}($1, hashtext(current_schema()))`, [advisoryLocks[lock]]);
}
