import { NotFoundError } from '../model/errors';
import { type AttemptId, isUuid, type JobId } from '../model/ids';
import { storableJson, storableText } from '../model/text';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** A job that was given up, with its reason and the message to replay. */
export interface DeadLetter {
  id: string;
  jobId: JobId | null;
  attemptId: AttemptId | null;
  reason: string;
  message: unknown;
  createdAt: string;
  resolvedAt: string | null;
  resolution: 'replayed' | 'discarded' | null;
}

function toDeadLetter(row: Record<string, unknown>): DeadLetter {
  const { message, ...rest } = row;
  return { ...camelCase<Omit<DeadLetter, 'message'>>(rest), message };
}

/** Records a job that was given up. */
export async function insertDeadLetter(
  tx: Transaction,
  letter: { jobId: JobId; attemptId: AttemptId | null; reason: string; message: unknown },
): Promise<void> {
  await tx.query('INSERT INTO dead_letters (job_id, attempt_id, reason, message) VALUES ($1, $2, $3, $4)', [
    letter.jobId,
    letter.attemptId,
    letter.reason,
    JSON.stringify(letter.message),
  ]);
}

/**
 * Records a message that belongs to no job, or whose job is still open; its id makes this idempotent.
 * @throws RangeError it is nested too deeply to be written
 */
export async function recordDeadMessage(
  db: Queryable,
  letter: { id: string | undefined; reason: string; message: unknown },
): Promise<void> {
  await db.query(
    `INSERT INTO dead_letters (id, reason, message) VALUES (coalesce($1, gen_random_uuid()), $2, $3) ON CONFLICT (id) DO NOTHING`,
    [letter.id ?? null, storableText(letter.reason), storableJson(letter.message)],
  );
}

/** Returns the open dead letters, newest first. */
export async function unresolvedDeadLetters(db: Queryable, limit: number): Promise<DeadLetter[]> {
  const { rows } = await db.query(
    'SELECT * FROM dead_letters WHERE resolved_at IS NULL ORDER BY created_at DESC, id LIMIT $1',
    [limit],
  );
  return rows.map(toDeadLetter);
}

/** @throws NotFoundError */
export async function lockDeadLetter(tx: Transaction, id: string): Promise<DeadLetter> {
  const { rows } = isUuid(id)
    ? await tx.query('SELECT * FROM dead_letters WHERE id = $1 FOR UPDATE', [id])
    : { rows: [] };
  if (!rows[0]) throw new NotFoundError('dead letter', id);
  return toDeadLetter(rows[0]);
}

/** Marks a dead letter as resolved. */
export async function resolveDeadLetter(
  tx: Transaction,
  id: string,
  resolution: 'replayed' | 'discarded',
): Promise<void> {
  await tx.query('UPDATE dead_letters SET resolved_at = now(), resolution = $2 WHERE id = $1 AND resolved_at IS NULL', [
    id,
    resolution,
  ]);
}

/** Returns the open dead letter of a job; null if there is none. */
export async function openDeadLetterOf(db: Queryable, jobId: JobId): Promise<string | null> {
  const { rows } = await db.query<{ id: string }>(
    'SELECT id FROM dead_letters WHERE job_id = $1 AND resolved_at IS NULL ORDER BY created_at DESC LIMIT 1',
    [jobId],
  );
  return rows[0]?.id ?? null;
}
