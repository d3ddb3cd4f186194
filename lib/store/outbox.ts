import type { DispatchMessage } from '../contracts/messages';
import type { AttemptId, JobId } from '../model/ids';
import { advisoryLocks } from './advisory-locks';
import { notificationChannel, notify } from './database';
import { longAgo } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** A message that waits to be published, or was. */
export interface OutboxRow {
  id: number;
  kind: 'dispatch' | 'status' | 'dead_letter';
  routingKey: string;
  messageId: string;
  jobId: JobId | null;
  attemptId: AttemptId | null;
  /** What has to keep its order: its job, or its printer's bed; null: nothing. */
  lane: string | null;
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

const waitingColumns = 'o.id, o.kind, o.routing_key, o.message_id, o.job_id, o.attempt_id, o.lane, o.body';

// What may be published next, and is the oldest of its lane. $2: lanes that are left out, $3: messages without a lane.
const nextOfJobsWithDispatchSql = `
  SELECT ${waitingColumns}
  FROM (SELECT DISTINCT lane FROM outbox WHERE sent_at IS NULL AND kind = 'dispatch' AND lane <> ALL ($2)) d
    CROSS JOIN LATERAL (SELECT * FROM outbox w WHERE w.lane = d.lane AND w.sent_at IS NULL ORDER BY w.id LIMIT 1) o
  ORDER BY id LIMIT $1`;
const nextSql = `
  SELECT ${waitingColumns} FROM outbox o
  WHERE sent_at IS NULL AND CASE WHEN lane IS NULL THEN id <> ALL ($3) ELSE lane <> ALL ($2) END
    AND NOT EXISTS (SELECT 1 FROM outbox e WHERE e.sent_at IS NULL AND e.lane = o.lane AND e.id < o.id)
  ORDER BY id LIMIT $1`;

/**
 * The messages that may be published next: of each lane, the oldest that is not sent; ids are given under the lock of the row that
 * a lane is about. Those of jobs with a dispatch come first, then the oldest.
 *
 * @param busy lanes, and messages without one, that are left out
 */
export async function unsent(
  db: Queryable,
  limit: number,
  busy: { lanes: readonly string[]; ids: readonly number[] },
): Promise<OutboxRow[]> {
  const urgent = await db.query(nextOfJobsWithDispatchSql, [limit, busy.lanes]);
  const { rows } = await db.query(nextSql, [limit, busy.lanes, busy.ids]);
  const seen = new Set<unknown>(urgent.rows.map((row) => row['id']));
  return [...urgent.rows, ...rows.filter((row) => !seen.has(row['id']))].slice(0, limit).map((row) => {
    const { body, ...rest } = row as { body: unknown };
    return { ...camelCase<Omit<OutboxRow, 'body'>>(rest), body };
  });
}

/** Forgets dispatches that nobody needs any more: their attempt was taken back, or claimed through an earlier message. */
export async function dropOvertakenDispatches(db: Queryable): Promise<void> {
  await db.query(
    `UPDATE outbox o SET sent_at = now() FROM print_attempts a
     WHERE o.kind = 'dispatch' AND o.sent_at IS NULL AND a.id = o.attempt_id AND a.phase <> 'dispatched'`,
  );
}

// Marks messages as sent. A status message gets the next event number, once, and listeners are told; the lock is held until
// the number is committed.
const markSentSql = `
  WITH turn AS MATERIALIZED (SELECT pg_advisory_xact_lock($2, hashtext(current_schema()))),
  numbered AS MATERIALIZED (
    SELECT id, kind, CASE WHEN kind = 'status' AND event_id IS NULL THEN nextval('job_event_ids') ELSE event_id END AS event_id
    FROM turn CROSS JOIN (SELECT id, kind, event_id FROM outbox WHERE id = ANY ($1) ORDER BY id) marked),
  sent AS (
    UPDATE outbox o SET sent_at = now(), times_sent = times_sent + 1, last_error = NULL, event_id = n.event_id
    FROM numbered n WHERE o.id = n.id RETURNING o.kind)
  SELECT pg_notify(${notificationChannel}, 'event') FROM sent WHERE kind = 'status' LIMIT 1`;

/** The broker has them. Of one lane there must be one at most. */
export async function markSent(db: Queryable, ids: readonly number[]): Promise<void> {
  await db.query(markSentSql, [ids, advisoryLocks.events]);
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

/**
 * The oldest message that has waited for so long: its age, and why it could not be published, if that was tried. One that is published
 * again waits since then; nobody knows how long that is, so it only counts once it has failed.
 */
export async function oldestStuck(
  db: Queryable,
  olderThanSeconds: number,
): Promise<{ seconds: number; error: string | null } | undefined> {
  const { rows } = await db.query<{ seconds: number; error: string | null }>(
    `SELECT greatest($1::float8, extract(epoch FROM now() - created_at)::float8) AS seconds, last_error AS error FROM outbox
     WHERE sent_at IS NULL AND (times_sent = 0 OR last_error IS NOT NULL) AND ${longAgo('created_at', '$1')}
     ORDER BY id LIMIT 1`,
    [olderThanSeconds],
  );
  return rows[0];
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
    `UPDATE outbox o SET sent_at = NULL FROM (
       SELECT w.id FROM print_attempts a JOIN outbox w ON w.attempt_id = a.id AND w.kind = 'dispatch'
       WHERE a.phase = 'dispatched' AND ${longAgo('w.sent_at', '$1')}
       FOR UPDATE OF w SKIP LOCKED) due
     WHERE o.id = due.id`,
    [olderThanSeconds],
  );
  return rowCount ?? 0;
}

/** Forgets messages that were sent long ago. */
export async function pruneSent(db: Queryable, olderThanHours: number): Promise<void> {
  await db.query(`DELETE FROM outbox WHERE sent_at < now() - make_interval(hours => $1)`, [olderThanHours]);
}
