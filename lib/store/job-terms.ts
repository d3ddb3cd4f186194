import { ConflictError } from '../model/errors';
import type { JobId } from '../model/ids';
import type { Job } from '../model/job';
import { renumberCopies } from './attempts';
import { notify } from './database';
import { addHistory, jobOf } from './jobs';
import type { Queryable, Transaction } from './queryable';

/** The terms of a job that may be changed while it is open. */
export type JobTerms = Pick<Job, 'jobName' | 'priority' | 'deadlineAt' | 'notBefore' | 'copies' | 'dependsOn'>;

// Changes the terms of an open job; guarded by its status and by the copies that are done.
const changeTermsSql = `
  UPDATE print_jobs SET job_name = $2, priority = $3, deadline_at = $4, not_before = $5, copies = $6, depends_on = $7,
    updated_at = now()
  WHERE id = $1 AND status NOT IN ('completed', 'failed', 'cancelled') AND copies_done < $6 RETURNING *`;

/**
 * Stores the new terms of a job, with a line in its history. The job's row must be locked.
 * @param words the changes, for the history
 * @throws ConflictError the job is over
 */
export async function changeTerms(
  tx: Transaction,
  id: JobId,
  terms: JobTerms,
  words: string,
  actor: string,
): Promise<Job> {
  await renumberCopies(tx, id, terms.copies);
  const { rows } = await tx.query(changeTermsSql, [
    id,
    terms.jobName,
    terms.priority,
    terms.deadlineAt,
    terms.notBefore,
    terms.copies,
    terms.dependsOn,
  ]);
  const row = rows[0];
  if (!row) throw new ConflictError('The job changed in the meantime.', 'Look at the job and try again.');
  const job = jobOf(row);
  await addHistory(tx, job, words, actor);
  await notify(tx, 'plan');
  // Adding the line has incremented the job's version.
  return { ...job, version: job.version + 1 };
}

/** Whether jobs, or the jobs that they depend on, depend on this one, directly or indirectly. */
export async function dependOn(db: Queryable, ids: JobId[], id: JobId): Promise<boolean> {
  if (ids.length === 0) return false;
  const { rows } = await db.query(
    `WITH RECURSIVE waited (id) AS (
       SELECT unnest($1::uuid[])
       UNION
       SELECT unnest(j.depends_on) FROM waited w JOIN print_jobs j ON j.id = w.id WHERE j.status <> 'completed')
     SELECT 1 FROM waited WHERE id = $2 LIMIT 1`,
    [ids, id],
  );
  return rows.length > 0;
}
