import type { JobStatus } from '../model/status';
import type { Queryable } from './queryable';

/** The figures for monitoring the farm. Times are seconds. */
export interface Figures {
  jobs: Partial<Record<JobStatus, number>>;
  /** Ended attempts by outcome. */
  ended: Record<string, number>;
  /** How long the waiting jobs that are not held have waited: the median, the 90th percentile, and the maximum. */
  waited: { half: number; most: number; all: number } | null;
  /** Unpublished messages, by kind, and the age of the oldest. */
  unsent: Record<string, number>;
  oldestUnsent: number;
  deadLetters: number;
}

// The waiting times of the jobs that can be planned.
const waitedSql = `
  SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY waited) AS half,
    percentile_cont(0.9) WITHIN GROUP (ORDER BY waited) AS most, max(waited) AS all
  FROM (SELECT extract(epoch FROM now() - created_at)::float8 AS waited FROM print_jobs
    WHERE status = 'queued' AND NOT hold AND (greatest(not_before, retry_at) IS NULL OR greatest(not_before, retry_at) <= now())) w`;

// The unpublished messages of the outbox, by kind.
const unsentSql = `
  SELECT kind AS name, count(*) AS count, extract(epoch FROM now() - min(created_at))::float8 AS oldest
  FROM outbox WHERE sent_at IS NULL GROUP BY kind`;

/** Counts everything; `db` should be a consistent snapshot. */
export async function figures(db: Queryable): Promise<Figures> {
  type Count = { name: string; count: number; oldest: number };
  const jobs = await db.query<Count>('SELECT status AS name, count(*) AS count FROM print_jobs GROUP BY status');
  const ended = await db.query<Count>(
    `SELECT outcome AS name, count(*) AS count FROM print_attempts WHERE phase = 'ended' GROUP BY outcome`,
  );
  const waited = await db.query<{ half: number | null; most: number | null; all: number | null }>(waitedSql);
  const unsent = await db.query<Count>(unsentSql);
  const dead = await db.query<Count>('SELECT count(*) AS count FROM dead_letters WHERE resolved_at IS NULL');
  const { half, most, all } = waited.rows[0] ?? { half: null, most: null, all: null };
  const byName = (rows: Count[]): Record<string, number> =>
    Object.fromEntries(rows.map(({ name, count }) => [name, count]));
  return {
    jobs: byName(jobs.rows),
    ended: byName(ended.rows),
    waited: half === null || most === null || all === null ? null : { half, most, all },
    unsent: byName(unsent.rows),
    oldestUnsent: Math.max(0, ...unsent.rows.map(({ oldest }) => oldest)),
    deadLetters: dead.rows[0]?.count ?? 0,
  };
}
