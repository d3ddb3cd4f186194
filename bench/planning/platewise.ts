import { jobId, materialId, printerId } from '../../lib/model/ids';
import { OperatorCalendar, type OperatorHours } from '../../lib/planning/calendar';
import { type DurationRecord, durationFactor, learn } from '../../lib/planning/durations';
import { Forecast, type Situation, situationOf } from '../../lib/planning/forecast';
import type { Weights } from '../../lib/planning/objective';
import { makePlan } from '../../lib/planning/plan';
import type { Plan, PlanLine } from '../../lib/planning/plan-shape';
import { owedAt } from '../../lib/planning/priority';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';
import { plainChanges } from './baselines';
import { bestFor } from './best-for';
import { remainingTime } from './remaining-time';
import type { Decision, Policy, QueuedJob, SimulatedPrinter, World } from './simulation';

const minute = 60_000;
/** For longer queues the rule serves each printer as it becomes ready. */
const plannedUpTo = 1000;
/** Day 0 of a stream, 00:00. Streams have no time zone. */
const dayZero = Date.UTC(2026, 0, 5);
const ms = (minutes: number): number => dayZero + minutes * minute;

/** A predicted start, and the actual one. */
export interface Prediction {
  situation: Situation;
  lead: number;
  error: number;
  covered: boolean;
}

/** The farm's planner, called with a snapshot as the farm calls it. */
export class Platewise implements Policy {
  readonly name = 'platewise';
  readonly predictions: Prediction[] = [];
  readonly #records = new Map<string, DurationRecord>();
  readonly #forecast = new Forecast();
  readonly #promises = new Map<number, number>();
  readonly #foretold = new Map<
    number,
    { at: number; situation: Situation; start: number; low: number; high: number }[]
  >();
  readonly #jobs = new WeakMap<QueuedJob, PlanningJob>();
  readonly #sinceOwed = new Map<string, number>();
  #previous: Plan | undefined;
  #wake = Number.POSITIVE_INFINITY;

  constructor(
    readonly hours: OperatorHours,
    readonly options: { seed: number; moves: number; weights: Partial<Weights> },
  ) {}

  decide(world: World): Decision[] {
    if (world.queue.length > plannedUpTo) return this.#byRule(world);
    const plan = this.#plan(world);
    const decisions: Decision[] = [];
    this.#wake = Number.POSITIVE_INFINITY;
    const seen = new Set<string>();
    for (const line of plan.lines) {
      const printer = world.printers.find((one) => one.own.id === line.printerId);
      if (!printer || seen.has(line.printerId)) continue;
      seen.add(line.printerId);
      if (printer.state !== 'idle') continue;
      const job = world.queue.find((one) => String(one.own.id) === line.jobId);
      const due = line.setupAt ?? line.start;
      const at = (Date.parse(due ?? '') - dayZero) / minute;
      if (!job) continue;
      if (at <= world.now + 0.01) decisions.push({ printer, job, changes: this.#changes(line) });
      else this.#wake = Math.min(this.#wake, at);
    }
    return decisions;
  }

  /** A queue that is too long to be planned at every event is served by the rule, one printer after the other. */
  #byRule(world: World): Decision[] {
    this.#wake = Number.POSITIVE_INFINITY;
    const decisions: Decision[] = [];
    const given = new Set<QueuedJob>();
    for (const printer of world.printers) {
      if (printer.state !== 'idle') continue;
      const jobs: PlanningJob[] = [];
      for (const job of world.queue) if (!given.has(job)) jobs.push(this.#known(world, job));
      const mayChange = world.couldChange(1);
      const best = bestFor(jobs, this.#planningPrinter(world, printer), dayZero + world.now * minute, mayChange);
      const job = best && world.queue.find((one) => String(one.own.id) === best.id);
      if (!job) continue;
      given.add(job);
      decisions.push({ printer, job, changes: plainChanges(printer, job) });
    }
    return decisions;
  }

  /** A job in the planner's form, created once. */
  #known(world: World, job: QueuedJob): PlanningJob {
    let known = this.#jobs.get(job);
    if (!known) {
      known = this.#planningJob(world, job);
      this.#jobs.set(job, known);
    }
    return known;
  }

  wake(): number {
    return this.#wake;
  }

  observe(world: World): void {
    if (world.queue.length === 0 || world.queue.length > plannedUpTo) return;
    const plan = this.#plan(world);
    const calendar = new OperatorCalendar(this.hours, dayZero + world.now * minute, 30);
    for (const line of plan.lines) {
      const start = (Date.parse(line.start ?? '') - dayZero) / minute;
      const lead = start - world.now;
      const situation = situationOf(calendar, lead);
      const band = this.#forecast.band(situation, lead);
      const id = Number(line.jobId);
      const own = this.#foretold.get(id) ?? [];
      own.push({ at: world.now, situation, start, low: start + band.p5, high: start + band.p95 });
      this.#foretold.set(id, own);
      if (lead <= 240) {
        if (!this.#promises.has(id)) this.#promises.set(id, start);
      } else this.#promises.delete(id);
    }
  }

  started(world: World, { job, printer }: Decision): void {
    const owed = owedAt({ createdAt: ms(job.own.arrive_min), priority: job.own.priority }) <= ms(world.now);
    this.#sinceOwed.set(printer.own.id, owed ? 0 : (this.#sinceOwed.get(printer.own.id) ?? 0) + 1);
    this.#promises.delete(job.own.id);
    for (const { at, situation, start, low, high } of this.#foretold.get(job.own.id) ?? []) {
      const error = world.now - start;
      this.predictions.push({
        situation,
        lead: start - at,
        error,
        covered: world.now >= low - 1e-6 && world.now <= high + 1e-6,
      });
      this.#forecast.record(situation, start - at, error);
    }
    this.#foretold.delete(job.own.id);
  }

  finished(_world: World, printer: SimulatedPrinter, job: QueuedJob, minutes: number, failed: boolean): void {
    if (failed) return;
    const slicer = job.own.slicer_minutes_h2d * printer.own.speed_factor;
    this.#records.set(printer.own.id, learn(this.#records.get(printer.own.id), slicer, minutes));
  }

  #plan(world: World): Plan {
    const plan = makePlan(this.#snapshot(world), {
      seed: this.options.seed,
      moves: this.options.moves,
      ...(this.#previous && { previous: this.#previous }),
    });
    this.#previous = plan;
    return plan;
  }

  #changes(line: PlanLine): Decision['changes'] {
    return (line.changes ?? []).map(({ slot, to }) => ({ slot: Number(slot), material: String(to) }));
  }

  #expected(job: QueuedJob, printer: SimulatedPrinter): number {
    const factor = durationFactor(this.#records.get(printer.own.id));
    return job.own.slicer_minutes_h2d * printer.own.speed_factor * factor;
  }

  #snapshot(world: World): Snapshot {
    return {
      now: ms(world.now),
      clearMinutes: world.farm.clear_min,
      changeMinutes: world.farm.swap_min,
      operator: this.hours,
      weights: this.options.weights,
      printers: world.printers.map((printer) => this.#planningPrinter(world, printer)),
      jobs: world.queue.map((job) => this.#planningJob(world, job)),
    };
  }

  #planningPrinter(world: World, printer: SimulatedPrinter): PlanningPrinter {
    const [x, y, z] = printer.own.volume_mm;
    const { job } = printer;
    const until = (): number => {
      if (!job) return world.now;
      const elapsed = Math.max(0, world.now - printer.startedAt);
      return printer.startedAt + elapsed + remainingTime(this.#expected(job, printer), elapsed, printer.report());
    };
    return {
      id: printerId(printer.own.id),
      name: printer.own.id,
      make: 'moonraker',
      capabilities: {
        buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: x + 1, y: y + 1, z } },
        nozzleDiameters: [0.4],
        maxNozzleTemperature: 400,
        maxBedTemperature: 200,
        materialTypes: printer.own.materials,
        speedFactor: printer.own.speed_factor,
        usdPerHour: 1,
      },
      slots: printer.loaded.map((material, slot) => ({
        slot: String(slot),
        materialId: material === '' ? null : materialId(material),
        tool: 0,
        gramsFree: 1e9,
      })),
      online: true,
      state: 'idle',
      bed: printer.state === 'full' ? 'occupied' : 'clear',
      bedCause: printer.state === 'full' ? 'attempt' : null,
      busy: job ? { with: String(job.own.id), until: ms(until()) } : null,
      timeScale: 1,
      dispatchesSinceOwed: this.#sinceOwed.get(printer.own.id) ?? 0,
    };
  }

  #planningJob(world: World, job: QueuedJob): PlanningJob {
    const promised = this.#promises.get(job.own.id);
    const { dim_mm: dimensions, materials } = job.own;
    return {
      id: jobId(String(job.own.id)),
      name: String(job.own.id),
      materialId: materialId(materials[0] ?? ''),
      materialType: materials[0] ?? '',
      alsoMaterials: materials.slice(1).map((material) => ({ id: materialId(material), type: material })),
      nozzleTemperature: 200,
      bedTemperature: 50,
      modelKind: 'stl',
      dimensions: { x: dimensions[0], y: dimensions[1], z: dimensions[2] },
      hours: job.own.slicer_minutes_h2d / 60,
      hoursOn: Object.fromEntries(world.printers.map((one) => [one.own.id, this.#expected(job, one) / 60])),
      grams: 0,
      priority: job.own.priority,
      deadline: job.own.due_min === null ? null : ms(job.own.due_min),
      createdAt: ms(job.own.arrive_min),
      notBefore: null,
      forcePrinter: null,
      held: false,
      waitsFor: [],
      copiesToStart: 1,
      failedOn: null,
      ...(promised !== undefined && { promisedStart: ms(promised) }),
    };
  }
}
