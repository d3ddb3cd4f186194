import { weightOf } from '../../lib/planning/priority';
import { Platewise, type Prediction } from './platewise';
import type { Policy, Run } from './simulation';
import { fits, type StreamFarm } from './stream';

const percent = (part: number, whole: number): number => (whole === 0 ? 100 : (100 * part) / whole);
const buckets: [string, number, number][] = [
  ['0-1h', 0, 60],
  ['1-2h', 60, 120],
  ['2-6h', 120, 360],
  ['6-12h', 360, 720],
  ['12-24h', 720, 1440],
  ['>24h', 1440, Number.POSITIVE_INFINITY],
];

function byLead(predictions: Prediction[], good: (one: Prediction) => boolean): Record<string, number | null> {
  return Object.fromEntries(
    buckets.map(([name, from, to]) => {
      const own = predictions.filter(({ lead }) => lead >= from && lead < to);
      return [name, own.length === 0 ? null : percent(own.filter(good).length, own.length)];
    }),
  );
}

/** The figures of one run: the last line under `--json`. */
export interface Figures {
  policy: string;
  jobs: number;
  deadline_jobs: number;
  deadlines_met_percent: number;
  late_jobs: number;
  /** The deadlines that a free printer could have kept from the job's arrival on. */
  feasible_deadlines_met_percent: number;
  swaps: number;
  /** The operator's work besides clearing beds: filament changes per 100 prints. */
  interventions_per_100_prints: number;
  unserved: number;
  longest_wait_hours: number;
  weighted_tardiness_hours: number;
  weighted_flow_hours: number;
  print_hours_per_day: number;
  utilisation_percent: number;
  makespan_hours: number;
  eta_within_15_min_percent_by_lead: Record<string, number | null>;
  interval_coverage_percent_by_lead: Record<string, number | null>;
  decision_ms_p95: number;
  seconds: number;
}

/** Summarises a run. The first two days of a stream of more than a week only fill the farm. */
export function figures(run: Run, policy: Policy, farm: StreamFarm, seconds: number): Figures {
  const last = Math.max(...run.outcomes.map(({ job }) => job.arrive_min));
  const warm = last > 7 * 1440 ? 2 * 1440 : 0;
  const judged = run.outcomes.filter(({ job }) => job.arrive_min >= warm);
  const withDeadline = judged.filter(({ job }) => job.due_min !== null);
  const until = Math.max(run.makespan, last);
  const late = withDeadline.filter(({ job, completed }) => completed === null || completed > (job.due_min ?? 0));
  const feasible = withDeadline.filter(({ job }) => {
    const minutes = farm.printers
      .filter((printer) => fits(job, printer))
      .map((printer) => job.slicer_minutes_h2d * printer.speed_factor * printer.actual_over_slicer_bias);
    return job.arrive_min + Math.min(...minutes) <= (job.due_min ?? 0);
  });
  const unserved = judged.filter(({ firstStart }) => firstStart === null);
  let tardiness = 0;
  let flow = 0;
  for (const { job, completed } of judged) {
    const end = completed ?? Math.max(until, (job.due_min ?? 0) + 48 * 60);
    const weight = weightOf(job.priority);
    if (job.due_min !== null) tardiness += (weight * Math.max(0, end - job.due_min)) / 60;
    flow += (weight * (end - job.arrive_min)) / 60;
  }
  const waits = judged.map(({ job, firstStart }) => (firstStart ?? until) - job.arrive_min);
  const first = Math.min(...run.outcomes.map(({ job }) => job.arrive_min));
  const sorted = [...run.decisionMs].sort((a, b) => a - b);
  const predictions = policy instanceof Platewise ? policy.predictions : [];
  return {
    policy: policy.name,
    jobs: judged.length,
    deadline_jobs: withDeadline.length,
    deadlines_met_percent: percent(withDeadline.length - late.length, withDeadline.length),
    late_jobs: late.length,
    feasible_deadlines_met_percent: percent(
      feasible.length - feasible.filter((one) => late.includes(one)).length,
      feasible.length,
    ),
    swaps: run.changes,
    interventions_per_100_prints: percent(run.changes, run.events.filter(({ event }) => event === 'start').length),
    unserved: unserved.length,
    longest_wait_hours: Math.max(...waits) / 60,
    weighted_tardiness_hours: tardiness,
    weighted_flow_hours: flow,
    print_hours_per_day: run.printMinutes / 60 / ((run.makespan - first) / 1440),
    utilisation_percent: percent(run.printMinutes, (run.makespan - first) * farm.printers.length),
    makespan_hours: (run.makespan - first) / 60,
    eta_within_15_min_percent_by_lead: byLead(predictions, ({ error }) => Math.abs(error) <= 15),
    interval_coverage_percent_by_lead: byLead(predictions, ({ covered }) => covered),
    decision_ms_p95: sorted[Math.floor(0.95 * sorted.length)] ?? 0,
    seconds,
  };
}
