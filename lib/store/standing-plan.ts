import type { JobId } from '../model/ids';
import type { Queryable } from './queryable';

/** A plan, of which this layer knows only the version. */
interface Versioned {
  version: number;
}

/** The state that the next plan needs from earlier plans. */
export interface StoredMemory {
  /** Starts (ms since 1970) that have become promises. */
  promised: Record<JobId, number>;
  /** When (ms since 1970) each change of filament was first requested: `printer slot material`. */
  asked: Record<string, number>;
}

/** The version of the standing plan, and whether anything has changed since it was made. */
export interface StandingMark {
  /** Null: there is none yet. */
  version: number | null;
  /** `plan_changes` of the plan, and its current value. */
  changes: number;
  latest: number;
  /** By the database's clock; negative after the clock was set back. */
  ageSeconds: number;
}

// Reads without loading the plan itself, because every request needs it.
const markSql = `
  SELECT s.version, coalesce(s.changes, -1) AS changes, c.last_value AS latest,
    coalesce(extract(epoch FROM clock_timestamp() - s.made_at), 0)::float8 AS age_seconds
  FROM plan_changes c LEFT JOIN standing_plan s ON s.settings = $1`;

/** Returns the version and age of the standing plan, and the number of the latest change, without the plan itself. */
export async function standingMark(db: Queryable, settings: string): Promise<StandingMark> {
  const { rows } = await db.query<{ version: number | null; changes: number; latest: number; age_seconds: number }>(
    markSql,
    [settings],
  );
  const [row] = rows;
  if (!row) throw new Error('PostgreSQL counts no changes of the plan.');
  return { version: row.version, changes: row.changes, latest: row.latest, ageSeconds: row.age_seconds };
}

/** Returns the standing plan; undefined: there is none yet. */
export async function readStandingPlan<Plan extends Versioned>(
  db: Queryable,
  settings: string,
): Promise<(StoredMemory & { plan: Plan }) | undefined> {
  const { rows } = await db.query<StoredMemory & { version: number; plan: Omit<Plan, 'version'> }>(
    'SELECT version, plan, promised, asked FROM standing_plan WHERE settings = $1',
    [settings],
  );
  const [row] = rows;
  return row && { plan: { ...row.plan, version: row.version } as Plan, promised: row.promised, asked: row.asked };
}

// A plan replaces only one that was made from an earlier state.
const storeSql = `
  INSERT INTO standing_plan AS s (version, changes, made_at, plan, promised, asked, settings)
  VALUES ($1, $2, clock_timestamp(), $3, $4, $5, $6)
  ON CONFLICT (settings) DO UPDATE SET version = greatest(excluded.version, s.version + 1), changes = excluded.changes,
    made_at = excluded.made_at, plan = excluded.plan, promised = excluded.promised, asked = excluded.asked
  WHERE s.changes <= excluded.changes OR s.changes > (SELECT last_value FROM plan_changes)
  RETURNING version`;

/** Stores the standing plan. @returns its version; undefined: one of a later state is stored already */
export async function storeStandingPlan(
  db: Queryable,
  { plan, changes, promised, asked, settings }: StoredMemory & { plan: Versioned; changes: number; settings: string },
): Promise<number | undefined> {
  const { version, ...rest } = plan;
  const { rows } = await db.query<{ version: number }>(storeSql, [
    version,
    changes,
    JSON.stringify(rest),
    JSON.stringify(promised),
    JSON.stringify(asked),
    settings,
  ]);
  return rows[0]?.version;
}

/** Forgets plans that were made with settings which no process has used for a week. */
export async function forgetOldPlans(db: Queryable): Promise<void> {
  await db.query("DELETE FROM standing_plan WHERE made_at < now() - interval '7 days'");
}
