import type { JobId } from '../model/ids';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** A submission that was made with a key. */
export interface KeyedSubmission {
  requestDigest: string;
  jobId: JobId;
}

/** Returns the submission that was made with this key. */
export async function findSubmission(db: Queryable, key: string): Promise<KeyedSubmission | undefined> {
  const { rows } = await db.query('SELECT request_digest, job_id FROM idempotency_keys WHERE key = $1', [key]);
  return rows[0] ? camelCase<KeyedSubmission>(rows[0]) : undefined;
}

/** Ties a key to the job that it created; waits for concurrent users of the key. False: the key has created another job before. */
export async function keepSubmission(tx: Transaction, key: string, submission: KeyedSubmission): Promise<boolean> {
  const { rowCount } = await tx.query(
    `INSERT INTO idempotency_keys (key, request_digest, job_id) VALUES ($1, $2, $3) ON CONFLICT (key) DO NOTHING`,
    [key, submission.requestDigest, submission.jobId],
  );
  return rowCount === 1;
}
