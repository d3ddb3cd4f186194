import type { Queryable } from './queryable';
import { camelCase } from './rows';

/** The groupings of a farm's figures. */
export const numbersBy = ['day', 'printer', 'material'] as const;
export type NumbersBy = (typeof numbersBy)[number];

/** Sums over a group of prints, or over all of them. Hours of prints are printer time, others wall time; money is USD. */
export interface NumbersRow {
  /** A day (2026-11-24), or the id of a printer or material; null: the total. */
  key: string | null;
  name: string | null;
  completed: number;
  failed: number;
  cancelled: number;
  printHours: number;
  grams: number;
  filamentUsd: number;
  machineUsd: number;
  electricityUsd: number;
  costUsd: number;
  /** For completed prints that were observed: the error of the estimates, and the estimates. */
  errorHours: number;
  estimatedHours: number;
  /** How long printers were printing, and how long they existed. */
  busyHours: number;
  availableHours: number;
  swaps: number;
  deadlines: number;
  deadlinesKept: number;
}

/**
 * Returns the figures of a period, by group and in total. A print counts at its end, a change of filament at the start of the print
 * that needed it, a deadline when it was due (or met earlier). Hours of printing are split at midnight.
 * @param zone the time zone of the days, an IANA name
 */
export async function numbersOf(
  db: Queryable,
  range: { from: string; to: string; by: NumbersBy; zone: string },
): Promise<NumbersRow[]> {
  const { rows } = await db.query(figures, [range.from, range.to, range.by, range.zone]);
  return rows.map((row) => camelCase<NumbersRow>(row));
}

/** One row per group, including days without prints, and one with the key null for the total. $1 from, $2 to, $3 by, $4 time zone. */
const figures = `
  WITH days AS (
    SELECT day::date AS day,
      greatest(day::timestamp AT TIME ZONE $4, $1::timestamptz) AS from_at,
      least((day + interval '1 day')::timestamp AT TIME ZONE $4, $2::timestamptz, now()) AS to_at
    FROM generate_series(date_trunc('day', $1::timestamptz AT TIME ZONE $4), $2::timestamptz AT TIME ZONE $4, interval '1 day') day
  ), runs AS (
    SELECT a.id, a.printer_id, j.material_id, a.started_at, coalesce(a.ended_at, now()) AS until_at,
      lag(j.material_id) OVER (PARTITION BY a.printer_id, a.slot ORDER BY a.started_at, a.id) AS material_before
    FROM print_attempts a JOIN print_jobs j ON j.id = a.job_id
    WHERE a.started_at < $2::timestamptz
  ), facts AS (
    SELECT (ended.at AT TIME ZONE $4)::date AS day, o.printer_id, o.material_id,
      (o.outcome = 'completed')::int AS completed, (o.outcome = 'failed')::int AS failed, (o.outcome = 'cancelled')::int AS cancelled,
      coalesce(o.duration_hours, 0) AS print_hours, o.grams, o.filament_usd, o.machine_usd, o.electricity_usd, o.cost_usd,
      CASE WHEN watched THEN abs(o.duration_hours - o.estimated_hours) ELSE 0 END AS error_hours,
      CASE WHEN watched THEN o.estimated_hours ELSE 0 END AS estimated_hours,
      0::numeric AS busy_hours, 0 AS swaps, 0 AS deadlines, 0 AS deadlines_kept
    FROM print_outcomes o LEFT JOIN print_attempts a ON a.id = o.attempt_id,
      LATERAL (SELECT coalesce(a.ended_at, o.created_at) AS at) ended,
      LATERAL (SELECT o.outcome = 'completed' AND o.duration_hours > 0 AND o.estimated_hours > 0 AND o.warnings = '[]' AS watched) w
    WHERE ended.at >= $1 AND ended.at < $2
    UNION ALL
    SELECT days.day, NULL, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 FROM days WHERE from_at < to_at
    UNION ALL
    SELECT days.day, printer_id, material_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0,
      extract(epoch FROM least(until_at, to_at) - greatest(started_at, from_at)) / 3600, 0, 0, 0
    FROM runs JOIN days ON started_at < to_at AND until_at > from_at
    UNION ALL
    SELECT (started_at AT TIME ZONE $4)::date, printer_id, material_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0
    FROM runs WHERE started_at >= $1 AND material_before <> material_id
    UNION ALL
    SELECT (deadline_at AT TIME ZONE $4)::date, assigned_printer_id, material_id, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1,
      coalesce(status = 'completed' AND completed_at <= deadline_at, false)::int
    FROM print_jobs
    WHERE deadline_at >= $1 AND deadline_at < $2 AND status <> 'cancelled' AND (deadline_at <= now() OR status = 'completed')
  ), present AS (
    SELECT days.day, p.id AS printer_id, extract(epoch FROM to_at - greatest(from_at, p.first_connected_at)) / 3600 AS hours
    FROM days JOIN printers p ON p.first_connected_at < to_at AND from_at < to_at
  ), sums AS (
    SELECT grouping(key) = 1 AS everything, key, coalesce(sum(completed), 0)::int AS completed, coalesce(sum(failed), 0)::int AS failed,
      coalesce(sum(cancelled), 0)::int AS cancelled, sum(print_hours) AS print_hours, sum(grams) AS grams, sum(filament_usd) AS filament_usd,
      sum(machine_usd) AS machine_usd, sum(electricity_usd) AS electricity_usd, sum(cost_usd) AS cost_usd,
      sum(error_hours) AS error_hours, sum(estimated_hours) AS estimated_hours, sum(busy_hours) AS busy_hours,
      coalesce(sum(swaps), 0)::int AS swaps, coalesce(sum(deadlines), 0)::int AS deadlines,
      coalesce(sum(deadlines_kept), 0)::int AS deadlines_kept
    FROM (SELECT *, CASE $3 WHEN 'day' THEN day::text WHEN 'printer' THEN printer_id ELSE material_id END AS key FROM facts) keyed
    GROUP BY GROUPING SETS ((key), ())
  )
  SELECT sums.key, coalesce(p.name, m.name, sums.key) AS name, completed, failed, cancelled, sums.swaps, deadlines, deadlines_kept,
    coalesce(print_hours, 0) AS print_hours, coalesce(grams, 0) AS grams, coalesce(filament_usd, 0) AS filament_usd,
    coalesce(machine_usd, 0) AS machine_usd, coalesce(electricity_usd, 0) AS electricity_usd, coalesce(cost_usd, 0) AS cost_usd,
    coalesce(error_hours, 0) AS error_hours, coalesce(estimated_hours, 0) AS estimated_hours, coalesce(busy_hours, 0) AS busy_hours,
    coalesce((SELECT sum(hours) FROM present
      WHERE everything OR $3 = 'material' OR CASE $3 WHEN 'day' THEN present.day::text ELSE present.printer_id END = sums.key), 0)
      AS available_hours
  FROM sums
    LEFT JOIN printers p ON $3 = 'printer' AND p.id = sums.key
    LEFT JOIN materials m ON $3 = 'material' AND m.id = sums.key
  WHERE everything OR sums.key IS NOT NULL
  ORDER BY everything, CASE WHEN $3 = 'day' THEN sums.key END, print_hours DESC NULLS LAST, sums.key`;
