import { canEverPrint, fittingSlot, hardwareSetups, impossible, toolsFor } from '../fit/judge';
import type { JobId, MaterialId } from '../model/ids';
import { bestOfAll } from './all-orders';
import { lowerBound } from './bound';
import { OperatorCalendar } from './calendar';
import { waitsForOthers } from './dependencies';
import { dispatchOrder } from './dispatch-rule';
import { expectedHours, outOfService, reluctance } from './eligibility';
import { frontOf } from './front';
import { improve, insertBest, totalCost } from './improve';
import { beginningsOfKits } from './kits';
import { defaultWeights } from './objective';
import { owedEvery, owedJobs } from './owed';
import { heldReason, type Plan, type PlanLine, type PlanningBudget } from './plan-shape';
import { softDueDays, weightOf } from './priority';
import { type Machine, type Placed, Schedule, type Task } from './schedule';
import type { PlanningJob, PlanningPrinter, Snapshot } from './snapshot';
import { filamentExists, missingSpool, nobodyHas, SpoolPromises } from './stock';

const minute = 60_000;
/** The minimum and maximum look-ahead of operator hours, days. */
const horizonDays = 120;
const farthestDays = 3650;
const defaultMoves = 600;
/** Above this many prints, a job is inserted only at the end of the rule's order, and the search is short. */
const insertUpTo = 150;

/** A plan with its inputs, for queries about it. */
export interface LaidOut {
  plan: Plan;
  schedule: Schedule;
  /** The job of each task of the schedule. */
  copies: readonly PlanningJob[];
  /** The printer of each machine of the schedule. */
  printers: readonly PlanningPrinter[];
  /** The tasks of each machine in their order. */
  order: readonly (readonly number[])[];
}

/** The plan of the whole farm for known operator hours: dispatch rule, previous plan and search, whichever is best. */
export function planAhead(snapshot: Snapshot, budget: PlanningBudget): Plan {
  return layOut(snapshot, budget).plan;
}

/** The same, with the plan's inputs. */
export function layOut(snapshot: Snapshot, budget: PlanningBudget): LaidOut {
  const plan: Plan = { version: snapshot.now, lines: [], positions: {}, waiting: {} };
  /** Plans dependent jobs once the ends of their dependencies are known. */
  const dependent: PlanningJob[] = [];
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
  const printers = snapshot.printers.filter((printer) => !outOfService(printer));
  const { front, rest } = frontOf(snapshot);
  for (const job of inAge(front)) {
    if (job.copiesToStart < 1) continue;
    const minutes = printers.map((printer) => minutesOn(job, printer, snapshot));
    if (!minutes.some(Number.isFinite)) {
      plan.waiting[job.id] = nowhereBecause(job, printers, snapshot);
      continue;
    }
    if (job.held) {
      plan.waiting[job.id] = heldReason;
      continue;
    }
    if (job.waitsFor.length > 0) {
      plan.waiting[job.id] = waitsForOthers(job, snapshot);
      dependent.push(job);
      continue;
    }
    const task = taskOf(
      job,
      snapshot.now,
      minutes,
      printers,
      [job.materialId, ...(job.alsoMaterials ?? []).map(({ id }) => id)].map(numberOf),
      slotsFor(job, printers),
    );
    const count = Math.min(job.copiesToStart, Math.max(1, 2 * printers.length));
    for (let copy = 0; copy < count; copy++) {
      copies.push(job);
      tasks.push(copy === 0 ? task : { ...task, promised: null });
    }
  }
  const independent = tasks.length;
  for (const job of dependent) {
    const materialNumbers = [job.materialId, ...(job.alsoMaterials ?? []).map(({ id }) => id)].map(numberOf);
    copies.push(job);
    tasks.push(
      taskOf(
        job,
        snapshot.now,
        printers.map((printer) => minutesOn(job, printer, snapshot)),
        printers,
        materialNumbers,
        slotsFor(job, printers),
      ),
    );
  }
  const machines = printers.map((printer): Machine => {
    const until = printer.busy ? Math.max(0, (printer.busy.until - snapshot.now) / minute) : 0;
    return {
      free: until,
      full: printer.busy !== null || printer.bed === 'occupied',
      loaded: printer.slots.map((slot) => (slot.materialId === null ? -1 : numberOf(slot.materialId))),
      grams: printer.slots.map((slot) => slot.gramsFree),
      closed: (printer.closed ?? [])
        .map(({ from, until: end }) => ({ from: (from - snapshot.now) / minute, until: (end - snapshot.now) / minute }))
        .sort((a, b) => a.from - b.from),
    };
  });
  const days = daysFor(tasks);
  const schedule = new Schedule(
    tasks,
    machines,
    new OperatorCalendar(snapshot.operator ?? null, snapshot.now, days, snapshot.operatorFrom),
    { ...defaultWeights, ...snapshot.weights },
    snapshot.clearMinutes,
    snapshot.changeMinutes,
    snapshot.quiet ? new OperatorCalendar(snapshot.quiet, snapshot.now, days) : null,
    sinceLastJob(snapshot),
  );
  const rule = dispatchOrder(schedule, independent);
  const again =
    budget.previous && tasks.length <= insertUpTo
      ? carriedOver(schedule, copies, printers, budget.previous)
      : undefined;
  tieKits(snapshot, copies, tasks, schedule, again ?? rule);
  const ruleCost = totalCost(schedule, rule);
  const start = again && totalCost(schedule, again) < ruleCost ? again : rule;
  const { clock, milliseconds } = budget;
  const begun = clock?.() ?? 0;
  const best = bestOfAll(schedule, { order: start, cost: totalCost(schedule, start) });
  const found =
    best ??
    improve(schedule, start, {
      seed: budget.seed ?? 1,
      moves: budget.moves ?? defaultMoves,
      heat: 0.3,
      ...(clock && milliseconds !== undefined && { spent: () => (clock() - begun) / milliseconds }),
    });
  const order = found.order;
  addDependent(snapshot, schedule, order, { copies, tasks, independent });
  serveOwed(snapshot, copies, printers, schedule, order);
  leaveOutUnstocked(plan, snapshot, copies, schedule, order, materialNames);
  const cost = totalCost(schedule, order);
  // Both must add jobs that wait for others, and jobs whose turn it is.
  const added = cost - found.cost;
  const bound = Math.min(cost, best && independent === tasks.length ? best.cost : lowerBound(schedule));
  plan.value = { cost, lowerBound: bound, gap: cost > 0 ? (cost - bound) / cost : 0, ruleCost: ruleCost + added };
  writeLines(plan, snapshot, { copies, printers, schedule, order, materialNames });
  let position = Object.keys(plan.positions).length;
  for (const job of rest) {
    if (job.copiesToStart < 1) continue;
    plan.positions[job.id] = ++position;
    plan.waiting[job.id] = job.held
      ? heldReason
      : `waits behind ${front.length} more urgent jobs, which are planned first`;
  }
  return { plan, schedule, copies, printers, order };
}

/** Gives each job that waits for others a place after their ends, where it adds least. */
function addDependent(
  snapshot: Snapshot,
  schedule: Schedule,
  order: number[][],
  made: { copies: readonly PlanningJob[]; tasks: Task[]; independent: number },
): void {
  const { copies, tasks, independent } = made;
  const ends = new Map<JobId, number>();
  for (const { busy } of snapshot.printers) {
    if (busy?.jobId) ends.set(busy.jobId, Math.max(0, (busy.until - snapshot.now) / minute));
  }
  const project = (): void => {
    for (const { task, end } of schedule.project(order).flat()) {
      const { id } = copies[task] as PlanningJob;
      ends.set(id, Math.max(ends.get(id) ?? 0, end));
    }
  };
  const left = new Set(Array.from({ length: copies.length - independent }, (_, k) => independent + k));
  for (let size = -1; left.size > 0 && left.size !== size; ) {
    size = left.size;
    project();
    for (const index of left) {
      const { waitsFor } = copies[index] as PlanningJob;
      if (!waitsFor.every((id) => ends.has(id))) continue;
      const task = tasks[index] as Task;
      tasks[index] = { ...task, release: Math.max(task.release, ...waitsFor.map((id) => ends.get(id) ?? 0)) };
      insertBest(schedule, order, index);
      left.delete(index);
    }
  }
}

/** Enough days for all prints one after the other, with an operator who is present a fifth of the time. */
function daysFor(tasks: readonly Task[]): number {
  let work = 0;
  for (const { minutes } of tasks) work += Math.min(...minutes);
  return Math.min(farthestDays, Math.ceil(horizonDays + (5 * work) / 1440));
}

/** How long ago the last of the jobs came, minutes. */
function sinceLastJob({ jobs, now }: Snapshot): number {
  let last = 0;
  for (const { createdAt } of jobs) last = Math.max(last, createdAt);
  return (now - last) / minute;
}

/** Sets for the parts of each kit when the first of them is done in an earlier order. */
function tieKits(
  snapshot: Snapshot,
  copies: readonly PlanningJob[],
  tasks: Task[],
  schedule: Schedule,
  order: readonly (readonly number[])[],
): void {
  if (!copies.some((job) => job.kit)) return;
  const ends: (number | undefined)[] = copies.map(() => undefined);
  for (const { task, end } of schedule.project(order).flat()) ends[task] = end;
  for (const [index, kitBegun] of beginningsOfKits(snapshot, copies, ends).entries()) {
    tasks[index] = { ...(tasks[index] as Task), kitBegun };
  }
}

function inAge(jobs: readonly PlanningJob[]): PlanningJob[] {
  return [...jobs].sort((a, b) => a.createdAt - b.createdAt || (a.id < b.id ? -1 : 1));
}

function minutesOn(job: PlanningJob, printer: PlanningPrinter, snapshot: Snapshot): number {
  // A job that needs a new nozzle or build plate does not delay others until the change is done; nor does a job whose
  // filament is not in stock.
  if (!canEverPrint(job, printer) || hardwareSetups(job, printer).length > 0) return Number.POSITIVE_INFINITY;
  if (!filamentExists(job, printer, snapshot)) return Number.POSITIVE_INFINITY;
  return expectedHours(job, printer) * 60;
}

/** Returns why none of the working printers can take a job. */
function nowhereBecause(job: PlanningJob, printers: readonly PlanningPrinter[], snapshot: Snapshot): string {
  if (!snapshot.printers.some((printer) => canEverPrint(job, printer))) return impossible(job, snapshot.printers);
  return (
    nobodyHas(job, snapshot) ??
    hardwareWanted(job, printers) ??
    'every printer that can take it is offline, at fault or not ready for a start'
  );
}

/**
 * Returns the hardware change that is needed before any machine can print the job; null if it does not wait for one.
 */
function hardwareWanted(job: PlanningJob, printers: readonly PlanningPrinter[]): string | null {
  const able = printers.filter((printer) => canEverPrint(job, printer));
  const [first] = able.flatMap((printer) => hardwareSetups(job, printer).slice(0, 1));
  return first?.text ?? null;
}

/** The slots of each printer that may feed the job; undefined where every slot may. */
function slotsFor(job: PlanningJob, printers: readonly PlanningPrinter[]): boolean[][] | undefined {
  const slots = printers.map((printer) => {
    const tools = toolsFor(job, printer);
    return printer.slots.map(({ tool }) => tools.includes(tool));
  });
  return slots.some((usable) => usable.includes(false)) ? slots : undefined;
}

function taskOf(
  job: PlanningJob,
  now: number,
  minutes: number[],
  printers: readonly PlanningPrinter[],
  materials: number[],
  slots: boolean[][] | undefined,
): Task {
  const since = (at: number): number => (at - now) / minute;
  const extra = printers.map((printer) => reluctance(job, printer, now) * 60);
  return {
    release: job.notBefore === null ? 0 : Math.max(0, since(job.notBefore)),
    due: job.deadline === null ? Number.POSITIVE_INFINITY : since(job.deadline),
    softDue: since(job.createdAt) + softDueDays(job.priority) * 1440,
    weight: weightOf(job.priority),
    minutes,
    materials: [...new Set(materials)],
    grams: job.grams,
    ...(slots && { slots }),
    ...(extra.some((one) => one > 0) && { extra }),
    promised: job.promisedStart === undefined ? null : since(job.promisedStart),
    kitBegun: null,
  };
}

/**
 * The sequences of the previous plan without jobs that are gone; new jobs are inserted where they add the least cost.
 */
function carriedOver(
  schedule: Schedule,
  copies: readonly PlanningJob[],
  printers: readonly PlanningPrinter[],
  previous: Pick<Plan, 'lines'>,
): number[][] {
  const left = new Map<JobId, number[]>();
  for (const [index, job] of copies.entries()) {
    if (job.waitsFor.length > 0) continue;
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

/**
 * Puts the longest owed job first on a printer whose next dispatch must serve one, and wherever an owed job comes first
 * anyway: every job served out of turn is the oldest, so that each dispatch that counts removes the head of the line.
 * Printers that are free sooner choose first.
 */
function serveOwed(
  snapshot: Snapshot,
  copies: readonly PlanningJob[],
  printers: readonly PlanningPrinter[],
  schedule: Schedule,
  order: number[][],
): void {
  const owed = owedJobs(snapshot);
  if (owed.length === 0) return;
  const isOwed = new Set(owed);
  /** One printer serves a job; the next one in turn serves the next job. */
  const served = new Set<PlanningJob>();
  const machines = [...printers.keys()].sort(
    (a, b) => (schedule.printers[a]?.free ?? 0) - (schedule.printers[b]?.free ?? 0) || a - b,
  );
  for (const machine of machines) {
    const first = copies[order[machine]?.[0] ?? -1];
    const due = (printers[machine]?.dispatchesSinceOwed ?? 0) >= owedEvery - 1;
    if (!due && !(first && isOwed.has(first))) continue;
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

/**
 * The number of passes that look for jobs without a spool; in rare cases one is left over, and its setup then reports
 * it.
 */
const stockRounds = 20;

/** Removes jobs from the order that would wait for a spool that is promised to another job or does not exist. */
function leaveOutUnstocked(
  plan: Plan,
  snapshot: Snapshot,
  copies: readonly PlanningJob[],
  schedule: Schedule,
  order: number[][],
  names: readonly MaterialId[],
): void {
  if (!snapshot.shelf) return;
  for (let round = 0; round < stockRounds; round++) {
    const spools = new SpoolPromises(snapshot);
    const without = new Set<number>();
    const placed = schedule.project(order).flatMap((own, machine) => own.map((one) => ({ ...one, machine })));
    placed.sort((a, b) => a.begin - b.begin || ((copies[a.task]?.id ?? '') < (copies[b.task]?.id ?? '') ? -1 : 1));
    /** Jobs behind one without a spool on a printer are examined once that one is removed. */
    const open = new Set(order.keys());
    for (const { task, changes, machine } of placed) {
      const job = copies[task] as PlanningJob;
      if (!open.has(machine)) continue;
      for (const { to } of changes) {
        const material = names[to] as MaterialId;
        if (spools.take(material, material === job.materialId ? job.grams : 0)) continue;
        without.add(task);
        open.delete(machine);
        plan.waiting[job.id] ??= missingSpool(material, job.grams);
      }
    }
    if (without.size === 0) return;
    for (const sequence of order) {
      const kept = sequence.filter((task) => !without.has(task));
      if (kept.length < sequence.length) sequence.splice(0, sequence.length, ...kept);
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
        at: placed.begin,
        job,
      });
    }
  }
  lines.sort((a, b) => a.at - b.at || (a.line.jobId < b.line.jobId ? -1 : 1));
  let position = 0;
  const spools = new SpoolPromises(snapshot);
  for (const { line, job } of lines) {
    for (const change of line.changes ?? []) {
      const spool = spools.take(change.to, change.gramsNeeded);
      change.spoolId = spool?.spoolId ?? null;
      if (!spool) line.setups.push(missingSpool(change.to, change.gramsNeeded));
      else if (spool.where !== null)
        line.setups.push(`the only spool of ${change.to} that suffices is in ${spool.where}`);
    }
    plan.lines.push(line);
    if (plan.positions[job.id] === undefined) plan.positions[job.id] = ++position;
    if (!line.ready) plan.waiting[job.id] ??= waitingFor(line);
  }
}

/** Returns what a planned job waits for, as text. */
function waitingFor(line: PlanLine): string {
  const [change] = line.changes ?? [];
  return change
    ? `planned on ${line.printerId} at ${line.start}, after ${change.to} has been put in`
    : `planned on ${line.printerId} at ${line.start}`;
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
  const changes = placed.changes.map((change): NonNullable<PlanLine['changes']>[number] => ({
    slot: printer.slots[change.slot]?.slot ?? String(change.slot),
    from: change.from < 0 ? null : (names[change.from] ?? null),
    to: names[change.to] as MaterialId,
    gramsNeeded: names[change.to] === job.materialId ? job.grams : 0,
    spoolId: null,
  }));
  const idle = printer.busy === null && printer.bed === 'clear' && printer.state === 'idle';
  return {
    jobId: job.id,
    printerId: printer.id,
    slot: changes.length > 0 ? null : (fittingSlot(job, printer)?.slot ?? null),
    start: iso(placed.start),
    end: iso(placed.end),
    setups: changes.map(
      (change) =>
        `${printer.name}: ${change.from === null ? '' : `take out ${change.from}, `}put in ${change.to} (slot ${change.slot}), ${Math.ceil(job.grams)} g needed`,
    ),
    ready: place === 0 && idle && changes.length === 0 && placed.start <= 1e-6 && job.waitsFor.length === 0,
    setupAt: changes.length > 0 ? iso(placed.begin) : null,
    changes,
    slackMinutes: job.deadline === null ? null : Math.round((job.deadline - now) / minute - placed.end),
  };
}
