import { EventEmitter } from 'node:events';
import type { Filament } from './filament';
import {
  type EndedRun,
  elapsedSeconds,
  type Interruption,
  nextBoundary,
  type PrintJob,
  type PrintRun,
  type Progress,
  progressAt,
  progressOf,
  type StageName,
  stageSeconds,
  stageStart,
} from './print-run';
import type { Operator } from './simulator';
import { extrudedTools } from './tool-truth';
import type { TruthEventName, TruthLog, TruthTool } from './truth-log';

/** Everything about printing that survives a restart of the simulator. */
export interface EngineState {
  run: PrintRun | null;
  last: EndedRun | null;
  /** 'clear', or the name of the file whose part lies on the plate. */
  plate: string;
}

export type EngineChange =
  | 'accepted'
  | 'started'
  | 'stage'
  | 'paused'
  | 'resumed'
  | 'ending'
  | 'ended'
  | 'plate_cleared';

export interface EngineOptions {
  /** Printer seconds for one second of wall time. */
  speed: number;
  operator: Operator;
  truth: TruthLog;
  state: EngineState | undefined;
  /** The current contents of a slot; null if it is empty. */
  filamentIn(slot: string): Filament | null;
  /** Called after every change, before it is reported. */
  persist(): void;
}

/** Stages in which nothing has moved or heated yet. */
const MOTIONLESS: ReadonlySet<StageName> = new Set(['accepted', 'parsing']);
const LONGEST_TIMER_MS = 60 * 60 * 1000;

/**
 * The mechanics of a printer: executes one job after another against the wall clock, knows what lies on the plate, and
 * records what really happens in the truth log. The make defines how clients see it.
 */
export class PrintEngine extends EventEmitter<{ change: [change: EngineChange] }> {
  readonly speed: number;
  #state: EngineState;
  #timer: NodeJS.Timeout | undefined;

  constructor(private readonly options: EngineOptions) {
    super();
    this.setMaxListeners(0);
    this.speed = options.speed;
    this.#state = options.state ?? { run: null, last: null, plate: 'clear' };
  }

  get state(): EngineState {
    return this.#state;
  }

  get run(): PrintRun | null {
    return this.#state.run;
  }

  get last(): EndedRun | null {
    return this.#state.last;
  }

  get plate(): string {
    return this.#state.plate;
  }

  /** Progress of the run, or of the last one where it ended; undefined before the first. */
  get progress(): Progress | undefined {
    const { run, last } = this.#state;
    if (run !== null) return progressOf(run, Date.now(), this.speed);
    if (last === null) return undefined;
    return progressAt(last.job, last.job.stages.length - 1, last.totalSeconds);
  }

  /** Printer seconds that have passed since a moment of the wall clock (ms). */
  secondsSince(at: number): number {
    return ((Date.now() - at) / 1000) * this.speed;
  }

  /** Wall milliseconds that a number of printer seconds takes. */
  wall(printerSeconds: number): number {
    return (printerSeconds / this.speed) * 1000;
  }

  /** Goes on where the stored state was left; what should have happened meanwhile happens now. */
  begin(): void {
    this.#advance();
  }

  /** Stops the clock of this process. The print continues by the wall clock. */
  halt(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Starts a job. The caller has ensured that none is running. */
  accept(job: PrintJob): void {
    if (this.#state.run !== null) throw new Error(`${this.#state.run.job.fileName} is being printed`);
    const now = Date.now();
    this.#state.run = {
      job,
      acceptedAt: now,
      startedAt: null,
      stage: 0,
      elapsed: 0,
      elapsedAsOf: now,
      paused: null,
      resumedAt: null,
      interrupted: 0,
      ending: null,
    };
    this.#changed('accepted');
    this.#enterStage();
    this.#advance();
  }

  /** Returns false if there is nothing to pause. */
  pause(cause: string): boolean {
    const { run } = this.#state;
    if (run === null || run.paused !== null || run.ending !== null || run.startedAt === null) return false;
    this.#holdClock(run);
    run.paused = { cause, at: Date.now() };
    this.#changed('paused');
    this.#advance();
    return true;
  }

  /** Returns false if nothing is paused. */
  resume(): boolean {
    const { run } = this.#state;
    if (run === null || run.paused === null || run.ending !== null) return false;
    run.paused = null;
    run.elapsedAsOf = Date.now();
    run.resumedAt = Date.now();
    this.#changed('resumed');
    this.#advance();
    return true;
  }

  /** Ends the run before its time, `seconds` of printer time from now. Returns false if there is none to end. */
  stop(outcome: 'stopped' | 'failed', reason: string, seconds = 0): boolean {
    const { run } = this.#state;
    if (run === null || run.ending !== null) return false;
    this.#holdClock(run);
    run.ending = { outcome, reason, at: Date.now(), seconds };
    this.#changed('ending');
    this.#advance();
    return true;
  }

  /** Adds something that will happen on the way of the present run. */
  interrupt(interruption: Interruption): void {
    const { run } = this.#state;
    if (run === null) return;
    const index = run.job.stages.findIndex(({ name }) => name === interruption.stage);
    const { stage, stageFraction } = progressOf(run, Date.now(), this.speed);
    const due =
      index > run.stage
        ? interruption
        : { ...interruption, stage, at: index < run.stage ? stageFraction : Math.max(interruption.at, stageFraction) };
    run.job.interruptions.splice(run.interrupted, run.job.interruptions.length, due);
    this.options.persist();
    this.#advance();
  }

  /** Handles a changed slot; a print that is fed from there continues with the new contents. */
  refilled(slot: string): void {
    const { run } = this.#state;
    const spans = run?.fed?.[slot];
    if (run === null || spans === undefined) return;
    const { fraction } = progressOf(run, Date.now(), this.speed);
    spans.push({ from: fraction, filament: this.options.filamentIn(slot) });
  }

  clearPlate(): void {
    const before = this.#state.plate;
    if (before === 'clear') return;
    this.#state.plate = 'clear';
    const { last } = this.#state;
    const job = last !== null && last.job.fileName === before ? last.job : undefined;
    this.options.truth.note({
      event: 'bed_cleared',
      file_name: before,
      sha256: job?.sha256 ?? '',
      size: job?.size ?? 0,
      identity: job?.identity ?? {},
      bed: 'clear',
    });
    this.#changed('plate_cleared');
  }

  /** Forgets how the last print ended, as a reboot does; the plate keeps what lies on it. */
  forgetLast(): void {
    this.#state.last = null;
    this.options.persist();
  }

  #holdClock(run: PrintRun): void {
    const now = Date.now();
    run.elapsed = elapsedSeconds(run, now, this.speed);
    run.elapsedAsOf = now;
  }

  #advance(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    for (;;) {
      const { run } = this.#state;
      if (run === null) return;
      const now = Date.now();
      if (run.ending !== null) {
        const due = run.ending.at + this.wall(run.ending.seconds);
        if (now < due) {
          this.#wakeIn(due - now);
          return;
        }
        this.#end(run, run.ending.outcome, run.ending.reason);
        continue;
      }
      if (run.paused !== null) return;
      const boundary = nextBoundary(run);
      const missing = boundary.at - elapsedSeconds(run, now, this.speed);
      if (missing > 1e-6) {
        this.#wakeIn(this.wall(missing));
        return;
      }
      if (boundary.kind === 'stage_end') {
        run.stage += 1;
        if (run.stage >= run.job.stages.length) this.#end(run, 'finished', 'completed');
        else this.#enterStage();
        continue;
      }
      run.interrupted += 1;
      run.elapsed = boundary.at;
      run.elapsedAsOf = now;
      if (boundary.interruption.kind === 'pause') {
        run.paused = { cause: boundary.interruption.cause, at: now };
        this.#changed('paused');
      } else {
        run.ending = { outcome: 'failed', reason: boundary.interruption.cause, at: now, seconds: 0 };
        this.#changed('ending');
      }
    }
  }

  #wakeIn(milliseconds: number): void {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#advance(), Math.min(LONGEST_TIMER_MS, Math.ceil(milliseconds)));
  }

  #enterStage(): void {
    const { run } = this.#state;
    const stage = run?.job.stages[run.stage];
    if (run === null || stage === undefined) return;
    if (!MOTIONLESS.has(stage.name) && run.startedAt === null) {
      run.startedAt = run.acceptedAt + this.wall(stageStart(run.job, run.stage));
      run.fed = {};
      for (const { slot } of run.job.feeds ?? []) {
        if (slot !== null) run.fed[slot] = [{ from: 0, filament: this.options.filamentIn(slot) }];
      }
      this.#log(run.job.foreign ? 'foreign_start' : 'started', run.job, { tools: extrudedTools(run, 1) });
      this.#state.plate = run.job.fileName;
      this.#changed('started');
    }
    this.#changed('stage');
  }

  #end(run: PrintRun, outcome: EndedRun['outcome'], reason: string): void {
    const elapsed = outcome === 'finished' ? stageSeconds(run.job) : elapsedSeconds(run, Date.now(), this.speed);
    const progress = progressAt(run.job, Math.min(run.stage, run.job.stages.length - 1), elapsed);
    this.#state.run = null;
    this.#state.last = {
      job: run.job,
      acceptedAt: run.acceptedAt,
      startedAt: run.startedAt,
      endedAt: Date.now(),
      outcome,
      reason,
      fraction: progress.fraction,
      printSeconds: progress.printSeconds,
      totalSeconds: elapsed,
    };
    const tools = run.startedAt === null ? [] : extrudedTools(run, outcome === 'finished' ? 1 : progress.fraction);
    this.#log(outcome === 'finished' ? 'finished' : 'stopped', run.job, { reason, tools });
    this.#changed('ended');
    if (this.options.operator === 'immediate') this.clearPlate();
  }

  #log(event: TruthEventName, job: PrintJob, more: { reason?: string; tools?: TruthTool[] }): void {
    this.options.truth.note({
      event,
      file_name: job.fileName,
      sha256: job.sha256,
      size: job.size,
      identity: job.identity,
      bed: this.#state.plate,
      ...more,
    });
  }

  #changed(change: EngineChange): void {
    this.options.persist();
    this.emit('change', change);
  }
}
