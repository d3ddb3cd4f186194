import type { PlanMessage } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { type FieldError, MalformedInputError } from '../model/errors';
import { limitOf } from '../model/paging';
import { OperatorCalendar, type OperatorHours } from '../planning/calendar';
import type { Plan } from '../planning/plan-shape';
import { alertsOf } from '../planning/promise';
import type { Snapshot } from '../planning/snapshot';
import { takeSnapshot } from './snapshot';
import { type PlannedSnapshot, StandingPlan } from './standing-plan';

/** Returns the current state of the farm, for the planner. */
export function snapshotNow(farm: Farm): Promise<Snapshot> {
  return farm.database.read((db) => takeSnapshot(db, farm));
}

/** Returns a new plan for the current state of the farm. */
export async function currentPlan(farm: Farm): Promise<Plan> {
  return (await plannedNow(farm)).plan;
}

/** Returns the same, with its inputs. */
export function plannedNow(farm: Farm): Promise<PlannedSnapshot> {
  return farm.part(StandingPlan).make();
}

/** Returns the standing plan if nothing has changed since it was made; otherwise a new one, shared by all concurrent callers. */
export function plannedForAll(farm: Farm): Promise<PlannedSnapshot> {
  return farm.part(StandingPlan).current();
}

/** Returns the latest plan immediately; a new one if there is none yet. */
export async function latestPlan(farm: Farm): Promise<Plan> {
  return (farm.part(StandingPlan).last ?? (await plannedForAll(farm))).plan;
}

const hour = 3_600_000;
/** How many days ahead the operators' hours are shown. */
const shownDays = 7;
/** A year (hours). */
const longestView = 8760;

/** The requested part of a plan; without either field, all of it. */
export interface PlanPart {
  /** Only lines that begin within this number of hours, and the reasons and promises of their jobs. */
  hours?: number;
  /** The maximum number of lines, and of alerts. */
  limit?: number;
}

/** A plan in the form of the wire and the API. */
export function planMessage(
  { plan, snapshot }: Pick<PlannedSnapshot, 'plan' | 'snapshot'>,
  part: PlanPart = {},
): PlanMessage {
  const jobs = new Map(snapshot.jobs.map((job) => [job.id, job]));
  const end = part.hours === undefined ? Number.POSITIVE_INFINITY : snapshot.now + part.hours * hour;
  const lines = plan.lines.filter((line) => line.start === null || Date.parse(line.start) < end).slice(0, part.limit);
  const shown = new Set<string>(lines.map((line) => line.jobId));
  const ofShown = <Value>(all: Record<string, Value>): Record<string, Value> =>
    lines.length === plan.lines.length ? all : Object.fromEntries(Object.entries(all).filter(([id]) => shown.has(id)));
  return {
    version: plan.version,
    total_lines: plan.lines.length,
    lines: lines.map((line) => {
      const job = jobs.get(line.jobId);
      return {
        job_id: line.jobId,
        job_name: job?.name ?? line.jobId,
        printer_id: line.printerId,
        slot: line.slot,
        start: line.start,
        end: line.end,
        setups: line.setups,
        ready: line.ready,
        setup_at: line.setupAt ?? null,
        deadline_at: job?.deadline == null ? null : new Date(job.deadline).toISOString(),
        slack_minutes: line.slackMinutes ?? null,
      };
    }),
    running: snapshot.printers.flatMap(({ id, busy }) => {
      if (!busy) return [];
      const job = busy.jobId === undefined ? undefined : jobs.get(busy.jobId);
      const until = new Date(busy.until).toISOString();
      return [{ printer_id: id, job_id: busy.jobId ?? null, job_name: job?.name ?? busy.with, until }];
    }),
    operator_hours: snapshot.operator ? shiftsOf(snapshot.operator, snapshot.now) : null,
    paused: plan.paused ?? null,
    positions: ofShown(plan.positions),
    waiting: ofShown(plan.waiting),
    ...(plan.value && {
      value: {
        cost: plan.value.cost,
        lower_bound: plan.value.lowerBound,
        gap: plan.value.gap,
        rule_cost: plan.value.ruleCost,
      },
    }),
    alerts: alertsOf(snapshot, plan)
      .slice(0, part.limit)
      .map((alert) => ({
        job_id: alert.jobId,
        deadline_at: alert.deadline,
        late_minutes: alert.lateMinutes,
        remedy: alert.remedy,
      })),
  };
}

function shiftsOf(hours: OperatorHours, now: number): { from: string; until: string }[] {
  const at = (minutes: number): string => new Date(now + minutes * 60_000).toISOString();
  return new OperatorCalendar(hours, now, shownDays + 1)
    .shifts(0, shownDays * 1440)
    .map(([begin, end]) => ({ from: at(begin), until: at(end) }));
}

/** Parses the requested part of the plan from a query. @throws MalformedInputError */
export function planPart(input: Record<string, unknown>): PlanPart {
  const errors: FieldError[] = [];
  const hours = Number(input['hours']);
  if (input['hours'] !== undefined && !(hours > 0 && hours <= longestView)) {
    errors.push({ field: 'hours', value: input['hours'], remedy: `Give a number from 1 to ${longestView}.` });
  }
  const limit = input['limit'] === undefined ? undefined : limitOf(input, errors);
  if (errors.length > 0) throw new MalformedInputError('The query of the plan is invalid.', errors);
  return { ...(input['hours'] !== undefined && { hours }), ...(limit !== undefined && { limit }) };
}
