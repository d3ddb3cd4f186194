import type { Queryable } from './queryable';

// Ended jobs that are no longer needed, oldest first: no bed holds their part, they have no open dead letter, and no open job
// depends on them or belongs to their kit. Their history, attempts and messages go with them; outcomes stay.
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

/** Deletes jobs that ended more than `days` days ago and are no longer needed; at most `limit` per call. Returns how many. */
export async function forgetEndedJobs(db: Queryable, days: number, limit: number): Promise<number> {
  return (await db.query(forgetJobsSql, [days, limit])).rowCount ?? 0;
}

/** Deletes idempotency keys that are older than `days` days; at most `limit` per call. Returns how many. */
export async function forgetOldKeys(db: Queryable, days: number, limit: number): Promise<number> {
  const { rowCount } = await db.query(
    `DELETE FROM idempotency_keys WHERE key IN (
       SELECT key FROM idempotency_keys WHERE created_at < now() - make_interval(secs => $1 * 86400.0) ORDER BY created_at LIMIT $2)`,
    [days, limit],
  );
  return rowCount ?? 0;
}
