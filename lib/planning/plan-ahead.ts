import type { JobId, MaterialId } from '../model/ids';
import { lowerBound } from './bound';
import { OperatorCalendar } from './calendar';
import { impossible, neverBecause, wallHours } from './eligibility';
import { improve, insertBest, totalCost } from './improve';
import { defaultWeights, weightOf } from './objective';
import { owedEvery, owedJobs } from './owed';
import type { Plan, PlanLine, PlanningBudget } from './plan';
import { dispatchOrder } from './rule';
import { type Machine, type Placed, Schedule, type Task } from './schedule';
import type { PlanningJob, PlanningPrinter, Snapshot } from './snapshot';

const minute = 60_000;
const horizonDays = 120;
const defaultMoves = 600;
/** Above so many prints, a job is inserted only at the end of the rule's order, and the search is short. */
const insertUpTo = 150;

/** The plan of the whole farm for known operator hours: dispatch rule, previous plan and search, whichever is best. */
export function planAhead(snapshot: Snapshot, budget: PlanningBudget): Plan {
  const plan: Plan = { version: snapshot.now, lines: [], positions: {}, waiting: {} };
  const copies: PlanningJob[] = [];
  const tasks: Task[] = [];
  const materials = new Map<MaterialId, number>();
  const materialNames: MaterialId[] = [];
  const numberOf = (material: MaterialId): number => {
    let number = materials.get(material);
    if (number === undefined) {
      number = materialNames.push(material) - 1;
      materials.set(material, number);
    }
    return number;
  };
  // A bed that holds something while nothing prints is cleared when the operator comes.
  const printers = snapshot.printers.filter((printer) => printer.online && printer.state !== 'fault');
  for (const job of inAge(snapshot.jobs)) {
    if (job.copiesToStart < 1) continue;
    const minutes = printers.map((printer) => minutesOn(job, printer));
    if (!minutes.some(Number.isFinite)) {
      plan.waiting[job.id] = snapshot.printers.some((printer) => neverBecause(job, printer) === null)
        ? 'every printer that can take it is offline or at fault'
        : impossible(job, snapshot.printers);
      continue;
    }
    if (job.held || job.waitsFor.length > 0) {
      plan.waiting[job.id] = job.held
        ? 'the job is held; release it'
        : `waits for ${job.waitsFor.length === 1 ? 'another job' : `${job.waitsFor.length} other jobs`} to be completed`;
      continue;
    }
    const task = taskOf(
      job,
      snapshot.now,
      minutes,
      [job.materialId, ...(job.alsoMaterials ?? []).map(({ id }) => id)].map(numberOf),
    );
    const count = Math.min(job.copiesToStart, Math.max(1, 2 * printers.length));
    for (let copy = 0; copy < count; copy++) {
      copies.push(job);
      tasks.push(copy === 0 ? task : { ...task, promised: null });
    }
  }
  const machines = printers.map((printer): Machine => {
    const until = printer.busy ? Math.max(0, (printer.busy.until - snapshot.now) / minute) : 0;
    return {
      free: until,
      full: printer.busy !== null || printer.bed === 'occupied',
      loaded: printer.slots.map((slot) => (slot.materialId === null ? -1 : numberOf(slot.materialId))),
    };
  });
  const schedule = new Schedule(
    tasks,
    machines,
    new OperatorCalendar(snapshot.operator ?? null, snapshot.now, horizonDays),
    { ...defaultWeights, ...snapshot.weights },
    snapshot.clearMinutes,
    snapshot.changeMinutes,
  );
  const rule = dispatchOrder(schedule);
  const ruleCost = totalCost(schedule, rule);
  let start = rule;
  if (budget.previous && tasks.length <= insertUpTo) {
    const again = carriedOver(schedule, copies, printers, budget.previous);
    if (totalCost(schedule, again) < ruleCost) start = again;
  }
  const { clock, milliseconds } = budget;
  const begun = clock?.() ?? 0;
  const found = improve(schedule, start, {
    seed: budget.seed ?? 1,
    moves: budget.moves ?? defaultMoves,
    heat: 0.3,
    ...(clock && milliseconds !== undefined && { spent: () => (clock() - begun) / milliseconds }),
  });
  const order = found.order;
  serveOwed(snapshot, copies, printers, schedule, order);
  const cost = totalCost(schedule, order);
  const bound = Math.min(cost, lowerBound(schedule));
  plan.value = { cost, lowerBound: bound, gap: cost > 0 ? (cost - bound) / cost : 0, ruleCost };
  writeLines(plan, snapshot, { copies, printers, schedule, order, materialNames });
  return plan;
}

function inAge(jobs: readonly PlanningJob[]): PlanningJob[] {
  return [...jobs].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

function minutesOn(job: PlanningJob, printer: PlanningPrinter): number {
  if (neverBecause(job, printer) !== null) return Number.POSITIVE_INFINITY;
  return (job.hoursOn?.[printer.id] ?? wallHours(job, printer)) * 60;
}

function taskOf(job: PlanningJob, now: number, minutes: number[], materials: number[]): Task {
  const since = (at: number): number => (at - now) / minute;
  return {
    release: job.notBefore === null ? 0 : Math.max(0, since(job.notBefore)),
    due: job.deadline === null ? Number.POSITIVE_INFINITY : since(job.deadline),
    softDue: since(job.createdAt) + (1 + job.priority / 2) * 1440,
    weight: weightOf(job.priority),
    minutes,
    materials: [...new Set(materials)],
    promised: job.promisedStart === undefined ? null : since(job.promisedStart),
  };
}

/** The sequences of the plan before, without what is gone; what is new goes where it adds least. */
function carriedOver(
  schedule: Schedule,
  copies: readonly PlanningJob[],
  printers: readonly PlanningPrinter[],
  previous: Pick<Plan, 'lines'>,
): number[][] {
  const left = new Map<JobId, number[]>();
  for (const [index, job] of copies.entries()) {
    const own = left.get(job.id);
    if (own) own.push(index);
    else left.set(job.id, [index]);
  }
  const machineOf = new Map(printers.map((printer, machine) => [printer.id, machine]));
  const order: number[][] = printers.map(() => []);
  for (const line of previous.lines) {
    const machine = machineOf.get(line.printerId);
    const index = left.get(line.jobId)?.[0];
    if (machine === undefined || index === undefined || !schedule.eligible(index, machine)) continue;
    left.get(line.jobId)?.shift();
    order[machine]?.push(index);
  }
  for (const indexes of left.values()) for (const index of indexes) insertBest(schedule, order, index);
  return order;
}

/** Puts the longest owed job first on a printer whose next dispatch must serve one. */
function serveOwed(
  snapshot: Snapshot,
  copies: readonly PlanningJob[],
  printers: readonly PlanningPrinter[],
  schedule: Schedule,
  order: number[][],
): void {
  const owed = owedJobs(snapshot);
  /** One printer serves a job; the next one in turn serves the next job. */
  const served = new Set<PlanningJob>();
  for (const [machine, printer] of printers.entries()) {
    if ((printer.dispatchesSinceOwed ?? 0) < owedEvery - 1) continue;
    for (const job of owed) {
      const index = copies.indexOf(job);
      if (served.has(job) || index < 0 || !schedule.eligible(index, machine)) continue;
      const holder = order.find((sequence) => sequence.includes(index));
      holder?.splice(holder.indexOf(index), 1);
      order[machine]?.unshift(index);
      served.add(job);
      break;
    }
  }
}

function writeLines(
  plan: Plan,
  snapshot: Snapshot,
  made: {
    copies: readonly PlanningJob[];
    printers: readonly PlanningPrinter[];
    schedule: Schedule;
    order: readonly (readonly number[])[];
    materialNames: readonly MaterialId[];
  },
): void {
  const lines: { line: PlanLine; at: number; job: PlanningJob }[] = [];
  const projected = made.schedule.project(made.order);
  for (const [machine, printer] of made.printers.entries()) {
    for (const [place, placed] of (projected[machine] ?? []).entries()) {
      const job = made.copies[placed.task] as PlanningJob;
      lines.push({
        line: lineOf(job, printer, placed, place, snapshot.now, made.materialNames),
        at: placed.start,
        job,
      });
    }
  }
  lines.sort((a, b) => a.at - b.at || (a.line.jobId < b.line.jobId ? -1 : 1));
  for (const { line, job } of lines) {
    plan.lines.push(line);
    plan.positions[job.id] ??= Object.keys(plan.positions).length + 1;
    if (!line.ready) plan.waiting[job.id] ??= `planned on ${line.printerId} at ${line.start}`;
  }
}

function lineOf(
  job: PlanningJob,
  printer: PlanningPrinter,
  placed: Placed,
  place: number,
  now: number,
  names: readonly MaterialId[],
): PlanLine {
  const iso = (minutes: number): string => new Date(now + Math.round(minutes * minute)).toISOString();
  const slotOf = (material: MaterialId): string | null =>
    printer.slots.find((slot) => slot.materialId === material)?.slot ?? null;
  const changes = placed.changes.map((change) => ({
    slot: printer.slots[change.slot]?.slot ?? String(change.slot),
    from: change.from < 0 ? null : (names[change.from] ?? null),
    to: names[change.to] as MaterialId,
  }));
  const idle = printer.busy === null && printer.bed === 'clear' && printer.state === 'idle';
  return {
    jobId: job.id,
    printerId: printer.id,
    slot: changes.length > 0 ? null : slotOf(job.materialId),
    start: iso(placed.start),
    end: iso(placed.end),
    setups: changes.map(
      (change) =>
        `${printer.name}: ${change.from === null ? '' : `take out ${change.from}, `}put in ${change.to} (slot ${change.slot}), ${Math.ceil(job.grams)} g needed`,
    ),
    ready: place === 0 && idle && changes.length === 0 && placed.start <= 1e-6,
    setupAt: changes.length > 0 ? iso(placed.begin) : null,
    changes,
    slackMinutes: job.deadline === null ? null : Math.round((job.deadline - now) / minute - placed.end),
  };
}
