import type { JobId, PrinterId } from '../model/ids';
import { OperatorCalendar } from './calendar';
import { type Band, type Forecast, type Situation, situationOf } from './forecast';
import type { Plan, PlanLine } from './plan-shape';
import type { PlanningJob, Snapshot } from './snapshot';

const minute = 60_000;
/** Smaller shifts are not reported (minutes). */
const noticed = 15;

/** A time with its quantiles, ISO 8601. */
export interface Spread {
  p10: string;
  p50: string;
  p90: string;
}

/** The promise for a job at its submission. */
export interface JobPromise {
  situation: Situation;
  leadMinutes: number;
  start: Spread;
  end: Spread;
  /** Null: it has no deadline. `meets` is judged by the middle of the end. */
  deadline: { meets: boolean; likely: boolean; text: string } | null;
}

/** Derives a promise from the plan for a job; null if it has no time in the plan. */
export function promiseOf(
  snapshot: Snapshot,
  plan: Plan,
  forecast: Forecast,
  job: Pick<PlanningJob, 'id' | 'deadline' | 'copiesToStart'>,
): JobPromise | null {
  const lines = plan.lines.filter((line) => line.jobId === job.id && line.start !== null && line.end !== null);
  const first = lines[0];
  const last = lines.reduce<PlanLine | undefined>((a, b) => (a && String(a.end) > String(b.end) ? a : b), undefined);
  if (!first?.start || !last?.end) return null;
  const calendar = new OperatorCalendar(snapshot.operator ?? null, snapshot.now, 60);
  const spread = (at: number): { spread: Spread; situation: Situation; lead: number; band: Band } => {
    const lead = Math.max(0, (at - snapshot.now) / minute);
    const situation = situationOf(calendar, lead);
    const band = forecast.band(situation, lead);
    const iso = (offset: number): string => new Date(Math.max(snapshot.now, at + offset * minute)).toISOString();
    return { spread: { p10: iso(band.p10), p50: iso(band.p50), p90: iso(band.p90) }, situation, lead, band };
  };
  const start = spread(Date.parse(first.start));
  const lastStart = spread(Date.parse(last.start ?? first.start));
  const length = Date.parse(last.end) - Date.parse(last.start ?? first.start);
  const after = (iso: string): string => new Date(Date.parse(iso) + length).toISOString();
  const end = { p10: after(lastStart.spread.p10), p50: after(lastStart.spread.p50), p90: after(lastStart.spread.p90) };
  return {
    situation: start.situation,
    leadMinutes: start.lead,
    start: start.spread,
    end,
    deadline: job.deadline === null ? null : judge(job.deadline, end, first),
  };
}

function judge(deadline: number, end: Spread, line: PlanLine): NonNullable<JobPromise['deadline']> {
  const meets = Date.parse(end.p50) <= deadline;
  const likely = Date.parse(end.p90) <= deadline;
  if (meets) {
    return {
      meets,
      likely,
      text: likely ? 'it will be kept' : `it will probably be kept; nine times in ten by ${end.p90}`,
    };
  }
  const setup = line.setupAt ? `, after a setup at ${line.setupAt}` : '';
  return {
    meets,
    likely,
    text: `it cannot be met, earliest is ${end.p50}, because ${line.printerId} is not free for it before ${line.start}${setup}`,
  };
}

/** A job that a change of the plan delays or brings forward. */
export interface Shift {
  jobId: JobId;
  /** Minutes by which its end moves, later is positive; null: it no longer has a place in the plan. */
  minutes: number | null;
  /** Whether the previous plan kept its deadline and the new one does not. */
  breaksDeadline: boolean;
}

/** Returns the jobs that move between two plans by more than a quarter of an hour, those that lose most first. */
export function shiftsBetween(
  before: Plan,
  after: Plan,
  jobs: readonly Pick<PlanningJob, 'id' | 'deadline'>[],
): Shift[] {
  const ends = (plan: Plan): Map<JobId, number> => {
    const map = new Map<JobId, number>();
    for (const { jobId, end } of plan.lines) {
      if (end !== null) map.set(jobId, Math.max(map.get(jobId) ?? 0, Date.parse(end)));
    }
    return map;
  };
  const [old, now] = [ends(before), ends(after)];
  const shifts: Shift[] = [];
  for (const { id, deadline } of jobs) {
    const a = old.get(id);
    const b = now.get(id);
    if (a === undefined) continue;
    if (b === undefined) {
      shifts.push({ jobId: id, minutes: null, breaksDeadline: deadline !== null && a <= deadline });
      continue;
    }
    const breaksDeadline = deadline !== null && a <= deadline && b > deadline;
    if (Math.abs(b - a) > noticed * minute || breaksDeadline) {
      shifts.push({ jobId: id, minutes: Math.round((b - a) / minute), breaksDeadline });
    }
  }
  const lost = ({ minutes }: Shift): number => minutes ?? Number.MAX_VALUE;
  return shifts.sort((a, b) => lost(b) - lost(a) || (a.jobId < b.jobId ? -1 : 1));
}

/** A deadline that the plan no longer keeps, with the cheapest remedy. */
export interface Alert {
  jobId: JobId;
  deadline: string;
  /** Minutes by which the plan misses it. */
  lateMinutes: number;
  remedy: string;
}

/** The deadlines without slack. */
export function alertsOf(snapshot: Snapshot, plan: Plan): Alert[] {
  const alerts: Alert[] = [];
  const linesOf = new Map<JobId, PlanLine[]>();
  const firstOn = new Map<PrinterId, PlanLine>();
  for (const line of plan.lines) {
    const own = linesOf.get(line.jobId);
    if (own) own.push(line);
    else linesOf.set(line.jobId, [line]);
    if (!firstOn.has(line.printerId)) firstOn.set(line.printerId, line);
  }
  for (const job of snapshot.jobs) {
    const own = linesOf.get(job.id);
    if (job.deadline === null || !own) continue;
    const end = Math.max(...own.map((line) => Date.parse(line.end ?? '')));
    if (!(end > job.deadline)) continue;
    const lateMinutes = Math.ceil((end - job.deadline) / minute);
    const line = own[0];
    const first = line && firstOn.get(line.printerId);
    const alone = end - Date.parse(line?.start ?? '') + snapshot.now;
    const remedy =
      line && first !== line && alone <= job.deadline
        ? `give it priority 1: alone it would be done at ${new Date(alone).toISOString()}`
        : line?.setupAt && Date.parse(line.setupAt) > snapshot.now
          ? `have an operator do its setup before ${line.setupAt}`
          : `agree on ${new Date(end).toISOString()}`;
    alerts.push({ jobId: job.id, deadline: new Date(job.deadline).toISOString(), lateMinutes, remedy });
  }
  return alerts;
}
