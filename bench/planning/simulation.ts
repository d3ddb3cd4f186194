import { OperatorCalendar, type OperatorHours } from '../../lib/planning/calendar';
import { fits, type StreamFarm, type StreamJob, type StreamPrinter } from './stream';

/** A printer of the simulated farm. */
export interface SimulatedPrinter {
  own: StreamPrinter;
  state: 'idle' | 'reserved' | 'printing' | 'full';
  loaded: string[];
  /** When each slot was last printed from: the plain rules change the one that rested longest. */
  used: number[];
  job: QueuedJob | null;
  /** The start of its print, or its future start after the operator has changed the filament. */
  startedAt: number;
  /** The printer's report of its print: progress in whole percents, and the minutes derived from it. */
  report(): { progress: number; remaining: number } | null;
  /** The material of the last print; the only filament state that the greedy rule considers. */
  lastMaterial: string;
  dispatches: number;
}

export interface QueuedJob {
  own: StreamJob;
  attempt: number;
}

/** The action that a policy requests at a printer now. */
export interface Decision {
  printer: SimulatedPrinter;
  job: QueuedJob;
  /** Material and slot, in the order in which the operator changes them; empty: start immediately. */
  changes: { slot: number; material: string }[];
}

export interface World {
  now: number;
  queue: QueuedJob[];
  printers: SimulatedPrinter[];
  farm: StreamFarm;
  /** Whether the operator could change this many filaments if they started now. */
  couldChange(count: number): boolean;
}

export interface Policy {
  name: string;
  decide(world: World): Decision[];
  /** Observes the farm without acting, once an hour. */
  observe?(world: World): void;
  started?(world: World, decision: Decision): void;
  finished?(world: World, printer: SimulatedPrinter, job: QueuedJob, minutes: number, failed: boolean): void;
  /** The time of its next call, in minutes. */
  wake?(world: World): number;
}

export interface EventLine {
  time_min: number;
  event: 'release' | 'setup' | 'clear' | 'start' | 'end' | 'failure';
  job: number | null;
  printer: string | null;
  material: string | null;
  until_min?: number;
  slot?: number;
}

export interface Outcome {
  job: StreamJob;
  firstStart: number | null;
  completed: number | null;
}

export interface Run {
  outcomes: Outcome[];
  events: EventLine[];
  changes: number;
  printMinutes: number;
  makespan: number;
  decisionMs: number[];
}

type Pending = { at: number; order: number; act: () => void };

/**
 * The farm as a discrete-event simulation: one operator who does one thing at a time during the shift, prints that take
 * as long as the stream specifies, failures that requeue a job with its next attempt's luck.
 */
export function simulate(jobs: StreamJob[], farm: StreamFarm, hours: OperatorHours | null, policy: Policy): Run {
  const events: EventLine[] = [];
  const outcomes = new Map(jobs.map((job) => [job.id, { job, firstStart: null, completed: null } as Outcome]));
  const run: Run = {
    outcomes: [...outcomes.values()],
    events,
    changes: 0,
    printMinutes: 0,
    makespan: 0,
    decisionMs: [],
  };
  const calendar = new OperatorCalendar(hours, 0, 800);
  const pending: Pending[] = [];
  let order = 0;
  const later = (at: number, act: () => void): void => {
    const item = { at, order: order++, act };
    let k = pending.length;
    pending.push(item);
    while (k > 0) {
      const up = (k - 1) >> 1;
      const above = pending[up] as Pending;
      if (above.at < item.at || (above.at === item.at && above.order < item.order)) break;
      pending[k] = above;
      k = up;
    }
    pending[k] = item;
  };
  const next = (): Pending | undefined => {
    const top = pending[0];
    const last = pending.pop();
    if (!top || !last || pending.length === 0) return top;
    let k = 0;
    for (;;) {
      let child = 2 * k + 1;
      const right = pending[child + 1];
      const left = pending[child];
      if (!left) break;
      if (right && (right.at < left.at || (right.at === left.at && right.order < left.order))) child++;
      const least = pending[child] as Pending;
      if (last.at < least.at || (last.at === least.at && last.order < least.order)) break;
      pending[k] = least;
      k = child;
    }
    pending[k] = last;
    return top;
  };
  const world: World = {
    now: 0,
    queue: [],
    farm,
    printers: farm.printers.map((own) => ({
      own,
      state: 'idle',
      loaded: [
        ...own.initially_loaded,
        ...Array<string>(Math.max(0, own.slots - own.initially_loaded.length)).fill(''),
      ],
      used: Array(own.slots).fill(0),
      job: null,
      startedAt: 0,
      report: () => null,
      lastMaterial: own.initially_loaded[0] ?? '',
      dispatches: 0,
    })),
    couldChange: (count) => calendar.next(world.now, count * farm.swap_min) <= world.now + 1e-9,
  };
  let operatorFree = 0;
  /** Assigns work to the operator as soon as they are on shift and free; returns when it starts. */
  const operate = (minutes: number, done: () => void): number => {
    const begin = calendar.next(Math.max(world.now, operatorFree), minutes);
    operatorFree = begin + minutes;
    later(operatorFree, done);
    return begin;
  };
  const log = (
    time: number,
    event: EventLine['event'],
    job: StreamJob | null,
    printer: string | null,
    material: string | null,
    more: Partial<EventLine> = {},
  ): void => {
    events.push({ time_min: time, event, job: job?.id ?? null, printer, material, ...more });
  };
  const ended = (printer: SimulatedPrinter, failed: boolean, minutes: number): void => {
    const job = printer.job as QueuedJob;
    log(world.now, failed ? 'failure' : 'end', job.own, printer.own.id, job.own.materials.join('+'));
    run.printMinutes += minutes;
    run.makespan = Math.max(run.makespan, world.now);
    printer.state = 'full';
    printer.job = null;
    policy.finished?.(world, printer, job, minutes, failed);
    const outcome = outcomes.get(job.own.id) as Outcome;
    if (!failed) outcome.completed = world.now;
    else if (job.attempt + 1 < job.own.attempts.length) world.queue.push({ own: job.own, attempt: job.attempt + 1 });
    const begin = operate(farm.clear_min, () => {
      printer.state = 'idle';
      log(begin, 'clear', null, printer.own.id, null, { until_min: world.now });
    });
  };
  const begin = (decision: Decision): void => {
    const { printer, job } = decision;
    const luck = job.own.attempts[job.attempt];
    const whole =
      job.own.slicer_minutes_h2d * printer.own.speed_factor * printer.own.actual_over_slicer_bias * (luck?.noise ?? 1);
    const minutes = luck?.fail ? whole * luck.fail_at : whole;
    printer.state = 'printing';
    printer.job = job;
    printer.startedAt = world.now;
    printer.report = () => {
      const elapsed = world.now - printer.startedAt;
      const progress = Math.floor((100 * elapsed) / whole) / 100;
      return progress > 0 ? { progress, remaining: elapsed / (progress + 0.005) - elapsed } : null;
    };
    printer.dispatches++;
    printer.lastMaterial = job.own.materials[0] ?? '';
    for (const material of job.own.materials) {
      const slot = printer.loaded.indexOf(material);
      if (slot < 0) throw new Error(`${printer.own.id} has no ${material} for job ${job.own.id}`);
      printer.used[slot] = world.now;
    }
    const outcome = outcomes.get(job.own.id) as Outcome;
    outcome.firstStart ??= world.now;
    log(world.now, 'start', job.own, printer.own.id, job.own.materials.join('+'));
    policy.started?.(world, decision);
    later(world.now + minutes, () => ended(printer, luck?.fail ?? false, minutes));
  };
  const decide = (): void => {
    if (world.queue.length === 0 || !world.printers.some((printer) => printer.state === 'idle')) return;
    const at = performance.now();
    const decisions = policy.decide(world);
    run.decisionMs.push(performance.now() - at);
    for (const decision of decisions) {
      const { printer, job, changes } = decision;
      if (printer.state !== 'idle' || !fits(job.own, printer.own)) throw new Error('a policy broke the rules');
      world.queue.splice(world.queue.indexOf(job), 1);
      if (changes.length === 0) {
        begin(decision);
        continue;
      }
      printer.state = 'reserved';
      printer.job = job;
      const from = operate(changes.length * farm.swap_min, () => {
        for (const [k, { slot, material }] of changes.entries()) {
          printer.loaded[slot] = material;
          const start = from + k * farm.swap_min;
          log(start, 'setup', job.own, printer.own.id, material, { until_min: start + farm.swap_min, slot });
        }
        run.changes += changes.length;
        begin(decision);
      });
      printer.startedAt = from + changes.length * farm.swap_min;
      printer.report = () => null;
    }
  };
  for (const job of jobs) {
    later(job.arrive_min, () => {
      log(world.now, 'release', job, null, job.materials.join('+'));
      world.queue.push({ own: job, attempt: 0 });
    });
  }
  const last = jobs.at(-1)?.arrive_min ?? 0;
  let unchanged = 0;
  const hourly = (): void => {
    policy.observe?.(world);
    const busy = world.printers.some((printer) => printer.state !== 'idle');
    unchanged = busy || world.now <= last ? 0 : unchanged + 1;
    if ((world.queue.length > 0 || busy || world.now < last) && unchanged < 72) later(world.now + 60, hourly);
  };
  later(0, hourly);
  let wake = Number.POSITIVE_INFINITY;
  for (let item = next(); item; item = next()) {
    world.now = item.at;
    item.act();
    while (pending[0] && pending[0].at <= world.now) next()?.act();
    decide();
    const again = policy.wake?.(world) ?? Number.POSITIVE_INFINITY;
    if (again > world.now && again < Number.POSITIVE_INFINITY && again !== wake) {
      wake = again;
      later(again, () => {});
    }
  }
  events.sort((a, b) => a.time_min - b.time_min);
  return run;
}
