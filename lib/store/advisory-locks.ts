import type { Transaction } from './queryable';

/**
 * The numbers of the advisory locks, which must be unique on one PostgreSQL. All but that of the embedded server's owner are
 * taken together with the hash of a schema, so that farms in the same database do not interfere.
 */
export const advisoryLocks = {
  /** The owner of the data directory of an embedded server. */
  owner: 7_206_011,
  /** One tick at a time. */
  tick: 7_206_012,
  /** Removal of files versus acceptance of jobs that name them. */
  files: 7_206_013,
  /** Locks that one process holds by name. */
  session: 7_206_014,
  /** Numbering and committing events is one step. */
  events: 7_206_015,
  /** One round with Spoolman at a time. */
  spoolman: 7_206_016,
  /** Pinning printers to machines. */
  identities: 7_206_019,
  /** Changes of the jobs' dependencies. */
  dependencies: 7_206_018,
} as const;

/** Waits for a lock and holds it until the transaction has ended; shared, for transactions that exclude only its exclusive holder. */
export async function lockUntilEnd(
  tx: Transaction,
  lock: 'tick' | 'files' | 'spoolman' | 'dependencies' | 'identities',
  mode: 'exclusive' | 'shared' = 'exclusive',
): Promise<void> {
  const take = mode === 'shared' ? 'pg_advisory_xact_lock_shared' : 'pg_advisory_xact_lock';
  await tx.query(`SELECT ${take}($1, hashtext(current_schema()))`, [advisoryLocks[lock]]);
}
