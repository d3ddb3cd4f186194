import { canEverPrint, fittingSlot, impossible, notReadyBecause, setupsFor } from '../fit/judge';
import { notAllowedBecause } from './allowed';
import { waitsForOthers } from './dependencies';
import { outOfService, reluctance, wallHours } from './eligibility';
import { standingStill } from './paused';
import { planAhead } from './plan-ahead';
import { heldReason, type Plan, type PlanLine, type PlanningBudget } from './plan-shape';
import { inOrder } from './priority';
import type { PlanningJob, PlanningPrinter, Snapshot } from './snapshot';
import { filamentExists, missingSpool } from './stock';

const hour = 3_600_000;
/** Limits the copies of a job that are laid out at a time to what the farm can hold. */
const linesPerPrinter = 2;

interface Timeline {
  printer: PlanningPrinter;
  /** When the next print can start (ms); null if that depends on an operator. */
  free: number | null;
  /** Why the next print cannot start now; null if it can. */
  blocked: string | null;
  lines: number;
}

/**
 * With operator hours the whole farm is planned ahead. Without, jobs in the order of `inOrder`, each on the printer
 * that finishes it first. A job that cannot run anywhere now does not delay others.
 */
export function makePlan(snapshot: Snapshot, budget: PlanningBudget = {}): Plan {
  const plan = snapshot.operator ? planAhead(snapshot, budget) : listed(snapshot);
  return snapshot.paused ? { ...standingStill(plan, snapshot), paused: snapshot.paused } : plan;
}

/** The list of a farm without operator hours. */
function listed(snapshot: Snapshot): Plan {
  const timelines = snapshot.printers.map((printer) => timelineOf(printer, snapshot));
  const plan: Plan = { version: snapshot.now, lines: [], positions: {}, waiting: {} };
  for (const [index, job] of inOrder(snapshot).entries()) {
    plan.positions[job.id] = index + 1;
    const held = heldBecause(job, snapshot, plan);
    const copies = Math.min(job.copiesToStart, timelines.length * linesPerPrinter);
    for (let copy = 0; copy < copies; copy++) {
      const line = place(job, timelines, snapshot, held);
      if (typeof line === 'string') {
        plan.waiting[job.id] ??= line;
        break;
      }
      plan.lines.push(line.line);
      if (!line.line.ready) plan.waiting[job.id] ??= line.because;
    }
  }
  return plan;
}

function heldBecause(
  job: PlanningJob,
  snapshot: Snapshot,
  plan: Plan,
): { reason: string; until: number | null } | null {
  if (job.held) return { reason: heldReason, until: null };
  if (job.waitsFor.length > 0) {
    const ends = job.waitsFor.map((id) =>
      Math.max(...plan.lines.filter((line) => line.jobId === id).map((line) => Date.parse(line.end ?? ''))),
    );
    const last = Math.max(...ends);
    return {
      reason: waitsForOthers(job, snapshot),
      until: Number.isFinite(last) ? last : null,
    };
  }
  if (job.notBefore !== null && job.notBefore > snapshot.now) {
    return { reason: `not before ${new Date(job.notBefore).toISOString()}`, until: job.notBefore };
  }
  return null;
}

function timelineOf(printer: PlanningPrinter, snapshot: Snapshot): Timeline {
  const blocked = notReadyBecause(printer);
  // When an operator clears an occupied bed on an idle printer is unknown; on a printing one, the end of the print is
  // known.
  const free = outOfService(printer)
    ? null
    : printer.busy
      ? Math.max(snapshot.now, printer.busy.until) + minutes(snapshot.clearMinutes, printer)
      : printer.bed === 'occupied'
        ? null
        : snapshot.now;
  return { printer, free, blocked, lines: 0 };
}

/** Converts minutes of operator work to ms; at a simulated printer the operator is as fast as its clock. */
const minutes = (count: number, printer: PlanningPrinter): number => (count * 60_000) / printer.timeScale;

function place(
  job: PlanningJob,
  timelines: Timeline[],
  snapshot: Snapshot,
  held: ReturnType<typeof heldBecause>,
): { line: PlanLine; because: string } | string {
  const able = timelines.filter((timeline) => canEverPrint(job, timeline.printer));
  if (able.length === 0) return impossible(job, snapshot.printers);
  const options = able.map((timeline) => {
    const exists = filamentExists(job, timeline.printer, snapshot);
    const wanted = setupsFor(job, timeline.printer);
    const setups = exists ? wanted : [missingSpool(job.materialId, job.grams), ...wanted.slice(1)];
    const earliest = timeline.free === null || !exists ? null : Math.max(timeline.free, held?.until ?? 0);
    const stuck = earliest === null || (held !== null && held.until === null);
    const duration = wallHours(job, timeline.printer) * hour;
    const change = setups.length * minutes(snapshot.changeMinutes, timeline.printer);
    const begin = stuck ? null : earliest + change;
    const barred = notAllowedBecause(timeline.printer, snapshot.quiet, begin ?? snapshot.now, duration / 60_000);
    const start = begin !== null && barred ? barred.until : begin;
    const extra = reluctance(job, timeline.printer, snapshot.now) * hour;
    return {
      timeline,
      setups,
      start: start === Number.POSITIVE_INFINITY ? null : start,
      duration,
      extra,
      exists,
      barred,
    };
  });
  const startsNow = options.some((option) => option.start === snapshot.now && option.setups.length === 0);
  // The printer that finishes it first, and none that waits for an operator while another could start; if no time is
  // known, a working one with the right filament and the shorter line.
  const rank = (option: (typeof options)[number]): number[] => [
    option.start === null ? 1 : 0,
    startsNow && option.setups.length > 0 ? 1 : 0,
    option.start === null ? 0 : option.start + option.duration + option.extra,
    outOfService(option.timeline.printer) ? 1 : 0,
    option.exists ? 0 : 1,
    option.setups.length,
    option.timeline.lines,
    option.duration + option.extra,
  ];
  options.sort((a, b) => compare(rank(a), rank(b)));
  const best = options[0];
  if (!best) return impossible(job, snapshot.printers);

  const { timeline, setups, start, duration, barred } = best;
  const [setup = null] = setups;
  const ready = held === null && setup === null && timeline.blocked === null && barred === null && timeline.lines === 0;
  const because =
    held?.reason ??
    setup ??
    timeline.blocked ??
    barred?.because ??
    `${timeline.printer.name} prints another job of the queue first`;
  // A job that cannot run yet for its own reasons does not delay others.
  if (start !== null && held === null && setup === null && barred === null) {
    timeline.lines++;
    timeline.free = start + duration + minutes(snapshot.clearMinutes, timeline.printer);
  }
  return {
    line: {
      jobId: job.id,
      printerId: timeline.printer.id,
      slot: fittingSlot(job, timeline.printer)?.slot ?? null,
      start: start === null ? null : new Date(start).toISOString(),
      end: start === null ? null : new Date(start + duration).toISOString(),
      setups,
      ready,
    },
    because,
  };
}

function compare(a: number[], b: number[]): number {
  for (const [index, value] of a.entries()) {
    const difference = value - (b[index] ?? 0);
    if (difference !== 0 && !Number.isNaN(difference)) return difference;
  }
  return 0;
}
