import type { Queryable } from './queryable';

// Ended jobs that nothing needs any more, the oldest first: no bed holds their part, nobody has to deal with their dead letter, no
// open job depends on them or belongs to their kit. Their history, attempts and messages go with them; outcomes stay.
const forgetJobsSql = `
  DELETE FROM print_jobs WHERE id IN (
    SELECT j.id FROM print_jobs j
    WHERE j.completed_at < now() - make_interval(secs => $1 * 86400.0)
      AND NOT EXISTS (SELECT 1 FROM printers p JOIN print_attempts a ON a.id = p.bed_attempt_id WHERE a.job_id = j.id)
      AND NOT EXISTS (SELECT 1 FROM dead_letters d WHERE d.job_id = j.id AND d.resolved_at IS NULL)
      AND j.id NOT IN (SELECT unnest(o.depends_on) FROM print_jobs o
        WHERE o.status NOT IN ('completed', 'failed', 'cancelled'))
      AND NOT EXISTS (SELECT 1 FROM print_jobs o WHERE o.kit_id = j.kit_id
        AND o.status NOT IN ('completed', 'failed', 'cancelled'))
    ORDER BY j.completed_at LIMIT $2 FOR UPDATE OF j SKIP LOCKED)`;

/** Forgets jobs that ended more than so many days ago and that nothing needs; at most `limit` at once. Returns how many. */
export async function forgetEndedJobs(db: Queryable, days: number, limit: number): Promise<number> {
  return (await db.query(forgetJobsSql, [days, limit])).rowCount ?? 0;
}

/** Forgets idempotency keys that are older than so many days; at most `limit` at once. Returns how many. */
export async function forgetOldKeys(db: Queryable, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM idempotency_keys WHERE key IN (
       SELECT key FROM idempotency_keys WHERE created_at < now() - make_interval(secs => $1 * 86400.0) ORDER BY created_at LIMIT $2)`,
    [days, limit],
  );
  return rowCount ?? 0;
}
