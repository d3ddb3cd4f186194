import { firstAllowed } from './allowed';
import type { OperatorCalendar } from './calendar';
import type { SequencingProblem } from './improve';
import { lateProbability, type Weights } from './objective';

/**
 * Uneven ends count above this much work for each printer, or when no job has come for this long, because then no new
 * job fills the gaps at the end. They count fully from twice that on. Minutes, measured on streams and on backlogs
 * (docs/planning.md).
 */
const longPlan = 40 * 60;
const longSilence = 12 * 60;

/** Below this much work for each printer, waiting for the operator counts less, because few jobs wait. Minutes. */
const busyPlan = 12 * 60;

/** The grams assumed on a newly loaded spool. */
const spoolGrams = 1000;

/** A copy to be printed. Minutes count from the moment of the plan. */
export interface Task {
  release: number;
  /** Infinity: no deadline. */
  due: number;
  softDue: number;
  weight: number;
  /** Minutes on each printer; Infinity where it can never be printed. */
  minutes: readonly number[];
  materials: readonly number[];
  /** The grams that the first material must have left. */
  grams: number;
  /** The slots of each printer that may hold the first material: those whose tool can print it. Absent: all. */
  slots?: readonly (readonly boolean[])[];
  /** The minutes by which it counts as done later on each printer, if another is preferred. Absent: 0. */
  extra?: readonly number[];
  /** The promised start, if any. */
  promised: number | null;
  /** When the first part of its kit is done; null: it has no kit. */
  kitBegun: number | null;
}

/** A printer from now on. */
export interface Machine {
  /** When its print ends, or 0. */
  free: number;
  /** Whether the bed must be cleared then. */
  full: boolean;
  /** The loaded material of each slot; -1: empty. */
  loaded: readonly number[];
  /** The unreserved grams of each. */
  grams: readonly number[];
  /** Its closures, ascending; a print lies wholly before or after each. */
  closed: readonly { from: number; until: number }[];
}

/** The times of one task. */
export interface Placed {
  task: number;
  /** When the operator begins to change filament; equal to `start` if nothing is to be changed. */
  begin: number;
  start: number;
  end: number;
  changes: { slot: number; from: number; to: number }[];
}

/** Turns sequences into times and costs: beds are cleared and filament is changed only while an operator is present. */
export class Schedule implements SequencingProblem {
  readonly jobs: number;
  readonly machines: number;
  /** When each printer would be done if all were equally busy (minutes). */
  readonly #averageEnd: number;
  /** The weight of uneven ends, 0 to 1. */
  readonly #balanceShare: number;
  /** The cost of a minute that a printer waits for the operator. */
  readonly #idleCost: number;

  constructor(
    readonly tasks: readonly Task[],
    readonly printers: readonly Machine[],
    readonly calendar: OperatorCalendar,
    readonly weights: Weights,
    readonly clearMinutes: number,
    readonly changeMinutes: number,
    /** The quiet hours, in which no print may start; null: none. */
    readonly quiet: OperatorCalendar | null = null,
    /** How long ago the last job came, minutes. */
    sinceLastJob = 0,
  ) {
    this.jobs = tasks.length;
    this.machines = printers.length;
    let work = 0;
    for (const { minutes } of tasks) work += Math.min(...minutes);
    for (const { free } of printers) work += free;
    this.#averageEnd = work / Math.max(1, printers.length);
    const share = Math.max(this.#averageEnd / longPlan, sinceLastJob / longSilence) - 1;
    this.#balanceShare = Math.min(1, Math.max(0, share));
    this.#idleCost = calendar.always ? 0 : (weights.idle * Math.min(1, this.#averageEnd / busyPlan)) / 60;
  }

  eligible(job: number, machine: number): boolean {
    return Number.isFinite(this.tasks[job]?.minutes[machine]);
  }

  cost(machine: number, sequence: readonly number[], limit = Number.POSITIVE_INFINITY): number {
    return this.#run(machine, sequence, null, limit);
  }

  /** The first moment from `at` at which a print of `length` minutes may start, quiet hours and closures considered. */
  allowed(machine: number, at: number, length: number): number {
    return firstAllowed(this.printers[machine]?.closed ?? [], this.quiet, at, length);
  }

  /** Computes the times of a printer's sequence. */
  decode(machine: number, sequence: readonly number[]): Placed[] {
    const placed: Placed[] = [];
    this.#run(machine, sequence, placed, Number.POSITIVE_INFINITY);
    return placed;
  }

  /**
   * Computes the times of all printers' sequences if one operator does one thing at a time, in the order of requests.
   * This is what will really happen; in `decode`, printers never wait for each other.
   */
  project(order: readonly (readonly number[])[]): Placed[][] {
    const { calendar, clearMinutes, changeMinutes } = this;
    const plans = order.map((sequence, machine) => this.decode(machine, sequence));
    const states = this.printers.map(({ free, full }) => ({ time: free, full, next: 0 }));
    let operatorFree = 0;
    const operate = (from: number, minutes: number): number => {
      const begin = calendar.next(Math.max(from, operatorFree), minutes);
      operatorFree = begin + minutes;
      return begin;
    };
    const request = (machine: number): number => {
      const { time, full, next } = states[machine] as (typeof states)[number];
      const placed = plans[machine]?.[next];
      if (!placed) return Number.POSITIVE_INFINITY;
      return full ? time : Math.max(time, (this.tasks[placed.task] as Task).release);
    };
    for (;;) {
      let machine = 0;
      for (let other = 1; other < states.length; other++) if (request(other) < request(machine)) machine = other;
      const state = states[machine];
      const placed = plans[machine]?.[state?.next ?? 0];
      const from = states.length === 0 ? Number.POSITIVE_INFINITY : request(machine);
      if (!state || !placed || from === Number.POSITIVE_INFINITY) return plans;
      if (state.full) {
        state.time = operate(state.time, clearMinutes) + clearMinutes;
        state.full = false;
        continue;
      }
      const length = placed.end - placed.start;
      const minutes = placed.changes.length * changeMinutes;
      const begin = minutes > 0 ? operate(from, minutes) : from;
      placed.start = this.allowed(machine, begin + minutes, length);
      placed.begin = minutes > 0 ? begin : placed.start;
      placed.end = placed.start + length;
      state.time = placed.end;
      state.full = true;
      state.next++;
    }
  }

  /** The cost of a task that ends at a time, without waiting and setups (weighted hours). */
  taskCost(task: Task, end: number, length: number): number {
    const { lateness, softTardiness, flow } = this.weights;
    let cost = flow * end;
    if (task.due !== Number.POSITIVE_INFINITY) {
      cost += Math.max(0, end - task.due) + 60 * lateness * lateProbability(end, task.due, length);
    } else if (end > task.softDue) cost += softTardiness * (end - task.softDue);
    return (task.weight * cost) / 60;
  }

  #run(machine: number, sequence: readonly number[], placed: Placed[] | null, limit: number): number {
    const printer = this.printers[machine];
    if (!printer) return 0;
    const { calendar, weights } = this;
    const away = !calendar.always;
    let time = printer.free;
    let full = printer.full;
    const loaded = [...printer.loaded];
    const grams = [...printer.grams];
    let cost = 0;
    for (let k = 0; k < sequence.length; k++) {
      const index = sequence[k] as number;
      const task = this.tasks[index] as Task;
      const length = task.minutes[machine] as number;
      if (full) {
        const begin = calendar.next(time, this.clearMinutes);
        cost += this.#idleCost * (begin - time);
        time = begin + this.clearMinutes;
      }
      let missing = 0;
      for (let m = 0; m < task.materials.length; m++) if (slotFor(task, m, machine, loaded, grams) < 0) missing++;
      let begin = Math.max(time, task.release);
      let changes: Placed['changes'] = [];
      let start = begin;
      if (missing > 0) {
        const ready = begin;
        begin = calendar.next(begin, missing * this.changeMinutes);
        cost += this.#idleCost * (begin - ready);
        start = begin + missing * this.changeMinutes;
        cost += weights.change * missing;
        changes = this.#change(task, machine, loaded, grams, sequence, k);
      }
      if (this.quiet !== null || printer.closed.length > 0) start = this.allowed(machine, start, length);
      if (task.grams > 0) {
        const slot = slotFor(task, 0, machine, loaded, grams);
        if (slot >= 0) grams[slot] = (grams[slot] as number) - task.grams;
      }
      const end = start + length;
      if (end === Number.POSITIVE_INFINITY) return 1e12;
      cost += this.taskCost(task, end + (task.extra?.[machine] ?? 0), length);
      if (task.kitBegun !== null) cost += (weights.kit * task.weight * Math.max(0, end - task.kitBegun)) / 60;
      if (away && length > 180) cost += (weights.block * Math.max(0, calendar.present(start, end) - 180)) / 60;
      if (task.promised !== null) {
        const off = Math.abs(start - task.promised);
        if (off > 5) cost += weights.promise * Math.min(2, off / 15);
      }
      if (cost > limit) return cost;
      placed?.push({ task: index, begin, start, end, changes });
      time = end;
      full = true;
    }
    cost += this.#balanceCost(time);
    if (sequence.length > 0) cost += this.#idleCost * (calendar.next(time, this.clearMinutes) - time);
    return cost;
  }

  /** The cost of a printer that ends later than the average one: squared, so that the last one counts most. */
  #balanceCost(end: number): number {
    const days = Math.max(0, end - this.#averageEnd) / 1440;
    return this.weights.balance * this.#balanceShare * 24 * days * days;
  }

  /** Loads a task's material in place of the one needed last (keep tool needed soonest, Tang & Denardo 1988). */
  #change(
    task: Task,
    machine: number,
    loaded: number[],
    grams: number[],
    sequence: readonly number[],
    at: number,
  ): Placed['changes'] {
    const changes: Placed['changes'] = [];
    for (const [index, material] of task.materials.entries()) {
      if (slotFor(task, index, machine, loaded, grams) >= 0) continue;
      const usable = index === 0 ? task.slots?.[machine] : undefined;
      let slot = -1;
      let furthest = -1;
      // A spool that has too little left makes room for its successor.
      const spent = loaded.findIndex((held, s) => held === material && usable?.[s] !== false);
      for (let s = 0; s < loaded.length; s++) {
        const held = loaded[s] as number;
        if (usable?.[s] === false) continue;
        if (spent >= 0 ? s !== spent : task.materials.includes(held) && usable === undefined) continue;
        let next = held < 0 ? 1e9 : sequence.length + 1;
        if (held >= 0) {
          for (let k = at + 1; k < sequence.length; k++) {
            if ((this.tasks[sequence[k] as number] as Task).materials.includes(held)) {
              next = k;
              break;
            }
          }
        }
        if (next > furthest) {
          furthest = next;
          slot = s;
        }
      }
      if (slot < 0) continue;
      changes.push({ slot, from: loaded[slot] as number, to: material });
      loaded[slot] = material;
      grams[slot] = Math.max(spoolGrams, task.grams);
    }
    return changes;
  }
}

/** The slot that a task's material comes from, -1 if one must be loaded: of the first material enough must be left. */
function slotFor(
  task: Task,
  material: number,
  machine: number,
  loaded: readonly number[],
  grams: readonly number[],
): number {
  const wanted = task.materials[material] as number;
  const least = material === 0 ? task.grams : 0;
  const usable = material === 0 ? task.slots?.[machine] : undefined;
  for (let s = 0; s < loaded.length; s++) {
    if (loaded[s] !== wanted || usable?.[s] === false) continue;
    if (least === 0 || (grams[s] as number) >= least) return s;
  }
  return -1;
}
