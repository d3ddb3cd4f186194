import { NotFoundError } from '../model/errors';
import { isUuid, type JobId, type MaterialId, type PrinterId } from '../model/ids';
import { notify } from './database';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** A period in which a printer must not print; ISO 8601 UTC. */
export interface Closure {
  id: string;
  printerId: PrinterId;
  fromAt: string;
  untilAt: string;
  reason: string;
}

const closureColumns = 'id, printer_id, from_at, until_at, reason';

/** Returns the closures that are not over, the next one first. */
export async function closuresAhead(db: Queryable): Promise<Closure[]> {
  const { rows } = await db.query(
    `SELECT ${closureColumns} FROM printer_closures WHERE until_at > now() ORDER BY from_at, id`,
  );
  return rows.map((row) => camelCase<Closure>(row));
}

/** Adds a closure and triggers planning. */
export async function insertClosure(tx: Transaction, closure: Omit<Closure, 'id'>, actor: string): Promise<Closure> {
  const { rows } = await tx.query(
    `INSERT INTO printer_closures (printer_id, from_at, until_at, reason, created_by)
     VALUES ($1, $2, $3, $4, $5) RETURNING ${closureColumns}`,
    [closure.printerId, closure.fromAt, closure.untilAt, closure.reason, actor],
  );
  await notify(tx, 'plan');
  return camelCase<Closure>(rows[0] ?? {});
}

/** @throws NotFoundError */
export async function deleteClosure(tx: Transaction, id: string): Promise<void> {
  const { rowCount } = isUuid(id)
    ? await tx.query('DELETE FROM printer_closures WHERE id = $1', [id])
    : { rowCount: 0 };
  if (!rowCount) throw new NotFoundError('closure', id);
  await notify(tx, 'plan');
}

/** How long an observed, completed print took, and its estimate (hours of printer time). */
export interface PrintDuration {
  printerId: PrinterId;
  materialId: MaterialId;
  durationHours: number;
  estimatedHours: number;
}

const learnable = `outcome = 'completed' AND duration_hours > 0 AND estimated_hours > 0 AND warnings = '[]'`;

/** Returns the newest print to learn from; while it is the same, so are the learned values. Undefined: there is none. */
export async function newestToLearn(db: Queryable): Promise<string | undefined> {
  const { rows } = await db.query<{ id: string }>(
    `SELECT id FROM print_outcomes WHERE ${learnable} ORDER BY created_at DESC, id LIMIT 1`,
  );
  return rows[0]?.id;
}

/** Returns the newest prints to learn from, in ascending order; unobserved and unfinished ones are skipped. */
export async function durationsToLearn(db: Queryable, limit = 1000): Promise<PrintDuration[]> {
  const { rows } = await db.query(
    `SELECT printer_id, material_id, duration_hours, estimated_hours FROM (
       SELECT * FROM print_outcomes
       WHERE ${learnable}
       ORDER BY created_at DESC, id LIMIT $1) newest
     ORDER BY created_at, id`,
    [limit],
  );
  return rows.map((row) => camelCase<PrintDuration>(row));
}

/**
 * Counts for each printer the dispatches since one that served an overdue job.
 * @param owedHours hours from submission until a job is overdue: a base, and a number of hours per step of priority
 * @param most the maximum count; a longer history makes no difference
 */
export async function dispatchesSinceOwed(
  db: Queryable,
  owedHours: { base: number; step: number },
  most: number,
): Promise<Map<PrinterId, number>> {
  const { rows } = await db.query<{ printer_id: PrinterId; count: number }>(
    `SELECT p.id AS printer_id, count(*) FILTER (WHERE last_owed IS NULL OR recent.place < last_owed)::int AS count
     FROM printers p
       CROSS JOIN LATERAL (
         SELECT place, min(place) FILTER (WHERE owed) OVER () AS last_owed
         FROM (
           SELECT row_number() OVER (ORDER BY a.dispatched_at DESC) AS place,
             a.dispatched_at >= j.created_at + make_interval(hours => $1::int + $2::int * j.priority) AS owed
           FROM (
             SELECT job_id, dispatched_at FROM print_attempts
             WHERE printer_id = p.id AND dispatched_at > now() - interval '30 days' AND outcome IS DISTINCT FROM 'withdrawn'
             ORDER BY dispatched_at DESC LIMIT $3) a
             JOIN print_jobs j ON j.id = a.job_id) judged) recent
     GROUP BY p.id`,
    [owedHours.base, owedHours.step, most],
  );
  return new Map(rows.filter(({ count }) => count > 0).map(({ printer_id, count }) => [printer_id, count]));
}

/** The promise of a start. */
export interface StartPromise {
  jobId: JobId;
  situation: string;
  leadMinutes: number;
  startAt: string;
  p10At: string;
  p90At: string;
}

/** Stores the promise made at submission. */
export async function insertPromise(db: Queryable, promise: StartPromise): Promise<void> {
  await db.query(
    `INSERT INTO start_promises (job_id, situation, lead_minutes, start_at, p10_at, p90_at)
     VALUES ($1, $2, $3, $4, $5, $6) ON CONFLICT (job_id) DO NOTHING`,
    [promise.jobId, promise.situation, promise.leadMinutes, promise.startAt, promise.p10At, promise.p90At],
  );
}

/** A promise whose job has started. */
export interface KeptPromise {
  situation: string;
  leadMinutes: number;
  /** The actual start minus the promised one (minutes). */
  errorMinutes: number;
  covered: boolean;
}

/** Returns the job that was started last, and when: until the next start there is no new promise to judge. Undefined: none was started. */
export async function newestStart(db: Queryable): Promise<string | undefined> {
  const { rows } = await db.query<{ id: JobId; started_at: string }>(
    'SELECT id, started_at FROM print_jobs WHERE started_at IS NOT NULL ORDER BY started_at DESC LIMIT 1',
  );
  return rows[0] && `${rows[0].id} ${rows[0].started_at}`;
}

/** Returns the newest promises whose jobs have started, in ascending order. */
export async function promisesThatCame(db: Queryable, limit = 1000): Promise<KeptPromise[]> {
  const { rows } = await db.query(
    `SELECT * FROM (
       SELECT p.situation, p.lead_minutes, j.started_at,
         extract(epoch FROM j.started_at - p.start_at)::float8 / 60 AS error_minutes,
         j.started_at BETWEEN p.p10_at - interval '1 second' AND p.p90_at + interval '1 second' AS covered
       FROM start_promises p JOIN print_jobs j ON j.id = p.job_id
       WHERE j.started_at IS NOT NULL ORDER BY j.started_at DESC LIMIT $1) newest
     ORDER BY started_at`,
    [limit],
  );
  return rows.map((row) => camelCase<KeptPromise>(row));
}
