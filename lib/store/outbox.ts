import type { AttemptId, JobId } from '../model/ids';
import type { DispatchMessage } from '../model/messages';
import { advisoryLocks } from './advisory-locks';
import { notificationChannel, notify, type Queryable, type Transaction } from './database';
import { camelCase } from './rows';

/** A message that waits to be published, or was. */
export interface OutboxRow {
  id: number;
  kind: 'dispatch' | 'status' | 'dead_letter';
  routingKey: string;
  messageId: string;
  jobId: JobId | null;
  attemptId: AttemptId | null;
  body: unknown;
}

/** Puts a dispatch beside the attempt that it hands out. */
export async function addDispatch(
  tx: Transaction,
  dispatch: { routingKey: string; messageId: string; jobId: JobId; attemptId: AttemptId; message: DispatchMessage },
): Promise<void> {
  await tx.query(
    `INSERT INTO outbox (kind, routing_key, message_id, job_id, attempt_id, body) VALUES ('dispatch', $1, $2, $3, $4, $5)`,
    [dispatch.routingKey, dispatch.messageId, dispatch.jobId, dispatch.attemptId, JSON.stringify(dispatch.message)],
  );
  await notify(tx, 'outbox');
}

/** Puts the message of a job that was given up beside its dead letter. */
export async function addDeadLetterMessage(tx: Transaction, jobId: JobId, body: unknown): Promise<void> {
  await tx.query(`INSERT INTO outbox (kind, routing_key, job_id, body) VALUES ('dead_letter', '', $1, $2)`, [
    jobId,
    JSON.stringify(body),
  ]);
  await notify(tx, 'outbox');
}

/** The oldest messages after this id that are not sent. Of one job they come in the order of its events: ids are given under its row lock. */
export async function unsent(db: Queryable, limit: number, after: number): Promise<OutboxRow[]> {
  const { rows } = await db.query(
    `SELECT id, kind, routing_key, message_id, job_id, attempt_id, body FROM outbox
     WHERE sent_at IS NULL AND id > $2 ORDER BY id LIMIT $1`,
    [limit, after],
  );
  return rows.map((row) => {
    const { body, ...rest } = row as { body: unknown };
    return { ...camelCase<Omit<OutboxRow, 'body'>>(rest), body };
  });
}

// Marks a message as sent. A status message gets the next event number, once, and listeners are told; the lock is held until
// the number is committed.
const markSentSql = `
  WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($2, hashtext(current_schema()))),
  sent AS (
    UPDATE outbox SET sent_at = now(), times_sent = times_sent + 1, last_error = NULL,
      event_id = CASE WHEN kind = 'status' AND event_id IS NULL THEN nextval('job_event_ids') ELSE event_id END
    FROM turn WHERE id = $1 RETURNING kind)
  SELECT pg_notify(${notificationChannel}, 'event') FROM sent WHERE kind = 'status'`;

/** The broker has it. */
export async function markSent(db: Queryable, id: number): Promise<void> {
  await db.query(markSentSql, [id, advisoryLocks.events]);
}

/** A message of the status bus as it was told; `id` grows in the order of telling. */
export interface StatusEvent {
  id: number;
  body: unknown;
}

/** What was told after an event, oldest first. */
export async function eventsAfter(db: Queryable, id: number, limit: number): Promise<StatusEvent[]> {
  const { rows } = await db.query<StatusEvent & Record<string, unknown>>(
    'SELECT event_id AS id, body FROM outbox WHERE event_id > $1 ORDER BY event_id LIMIT $2',
    [id, limit],
  );
  return rows;
}

/** The oldest event that is still kept and the newest; 0 if there is none. */
export async function eventRange(db: Queryable): Promise<{ oldest: number; newest: number }> {
  const { rows } = await db.query<{ oldest: number; newest: number }>(
    'SELECT coalesce(min(event_id), 0) AS oldest, coalesce(max(event_id), 0) AS newest FROM outbox',
  );
  return rows[0] ?? { oldest: 0, newest: 0 };
}

/** It could not be published; it stays where it is. */
export async function markFailed(db: Queryable, id: number, error: string): Promise<void> {
  await db.query('UPDATE outbox SET times_sent = times_sent + 1, last_error = $2 WHERE id = $1', [id, error]);
}

/**
 * Publishes dispatches again that nobody has claimed for so long, with their old message id.
 * @param olderThanSeconds 0 publishes all of them again, as after the loss of a volatile broker
 * @returns how many
 */
export async function resendUnclaimed(db: Queryable, olderThanSeconds: number): Promise<number> {
  const { rowCount } = await db.query(
    `UPDATE outbox o SET sent_at = NULL FROM print_attempts a
     WHERE o.kind = 'dispatch' AND o.attempt_id = a.id AND a.phase = 'dispatched'
       AND o.sent_at <= now() - make_interval(secs => $1)`,
    [olderThanSeconds],
  );
  return rowCount ?? 0;
}

/** Forgets messages that were sent long ago. */
export async function pruneSent(db: Queryable, olderThanHours: number): Promise<void> {
  await db.query(`DELETE FROM outbox WHERE sent_at < now() - make_interval(hours => $1)`, [olderThanHours]);
}
