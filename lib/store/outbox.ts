import type { DispatchMessage } from '../contracts/messages';
import type { AttemptId, JobId } from '../model/ids';
import { advisoryLocks } from './advisory-locks';
import { notificationChannel, notify } from './database';
import { longAgo } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** A message that waits to be published, or was published. */
export interface OutboxRow {
  id: number;
  kind: 'dispatch' | 'status' | 'dead_letter';
  routingKey: string;
  messageId: string;
  jobId: JobId | null;
  attemptId: AttemptId | null;
  /** The lane in which messages keep their order: a job, or a printer's bed; null: none. */
  lane: string | null;
  body: unknown;
}

/** Adds a dispatch for an attempt to the outbox, in the same transaction. */
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

/** Adds the message of a job that was given up to the outbox, beside its dead letter. */
export async function addDeadLetterMessage(tx: Transaction, jobId: JobId, body: unknown): Promise<void> {
  await tx.query(`INSERT INTO outbox (kind, routing_key, job_id, body) VALUES ('dead_letter', '', $1, $2)`, [
    jobId,
    JSON.stringify(body),
  ]);
  await notify(tx, 'outbox');
}

const waitingColumns = 'o.id, o.kind, o.routing_key, o.message_id, o.job_id, o.attempt_id, o.lane, o.body';

// Messages that may be published next, each the oldest of its lane. $2: lanes to skip, $3: messages without a lane to skip.
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
 * Returns the messages that may be published next: of each lane, the oldest unsent one; ids are assigned under the lock of the row that
 * the lane belongs to. Those of jobs with a dispatch come first, then the oldest.
 *
 * @param busy lanes, and messages without one, to skip
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

/** Deletes dispatches that are no longer needed: their attempt was withdrawn, or claimed through an earlier message. */
export async function dropOvertakenDispatches(db: Queryable): Promise<void> {
  await db.query(
    `UPDATE outbox o SET sent_at = now() FROM print_attempts a
     WHERE o.kind = 'dispatch' AND o.sent_at IS NULL AND a.id = o.attempt_id AND a.phase <> 'dispatched'`,
  );
}

// Marks messages as sent. A status message gets the next event number, once, and listeners are notified; the lock is held until
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

/** Marks messages as sent once the broker has confirmed them; at most one per lane. */
export async function markSent(db: Queryable, ids: readonly number[]): Promise<void> {
  await db.query(markSentSql, [ids, advisoryLocks.events]);
}

/** A published message of the status bus; `id` grows in the order of publishing. */
export interface StatusEvent {
  id: number;
  body: unknown;
}

/** Returns the events after an event, oldest first. */
export async function eventsAfter(db: Queryable, id: number, limit: number): Promise<StatusEvent[]> {
  const { rows } = await db.query<StatusEvent & Record<string, unknown>>(
    'SELECT event_id AS id, body FROM outbox WHERE event_id > $1 ORDER BY event_id LIMIT $2',
    [id, limit],
  );
  return rows;
}

/** Returns the oldest event that is still kept, and the newest; 0 if there is none. */
export async function eventRange(db: Queryable): Promise<{ oldest: number; newest: number }> {
  const { rows } = await db.query<{ oldest: number; newest: number }>(
    'SELECT coalesce(min(event_id), 0) AS oldest, coalesce(max(event_id), 0) AS newest FROM outbox',
  );
  return rows[0] ?? { oldest: 0, newest: 0 };
}

/**
 * Returns the oldest message that has waited for this long: its age, and the error if publishing it has failed. The waiting time of a
 * republished message is unknown, so such a message only counts once it has failed.
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

/** Records that a message could not be published; it stays in the outbox. */
export async function markFailed(db: Queryable, id: number, error: string): Promise<void> {
  await db.query('UPDATE outbox SET times_sent = times_sent + 1, last_error = $2 WHERE id = $1', [id, error]);
}

/**
 * Republishes dispatches that have been unclaimed for this long, with their old message id.
 * @param olderThanSeconds 0 republishes all of them, as after the loss of a volatile broker
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

/** Deletes messages that were sent long ago. */
export async function pruneSent(db: Queryable, olderThanHours: number): Promise<void> {
  await db.query(`DELETE FROM outbox WHERE sent_at < now() - make_interval(hours => $1)`, [olderThanHours]);
}
