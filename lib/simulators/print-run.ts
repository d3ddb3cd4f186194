import type { Filament } from './filament';
import type { GcodeFacts } from './gcode-duration';
import { type Extrusion, extrudedBy } from './tool-use';

/**
 * What a print goes through, in this order; a make leaves out what it does not have. accepted: taken, nothing moves
 * yet. parsing: shown as the job, still nothing moves. preparing: homing, levelling. finishing: material is laid, the
 * bed moves away.
 */
export type StageName = 'accepted' | 'parsing' | 'preparing' | 'heating' | 'printing' | 'finishing';

export interface Stage {
  name: StageName;
  /** Printer seconds. */
  seconds: number;
}

/** Something that happens by itself on the way. */
export interface Interruption {
  stage: StageName;
  /** How far into the stage, 0..1. */
  at: number;
  kind: 'fail' | 'pause';
  /** A short name, for example runout; makes translate it into their codes. */
  cause: string;
}

/** The extrusion of one tool of the machine in a print, and its slot. */
export interface Feed extends Extrusion {
  /** The slot that feeds the tool in this print, null if none does. */
  slot: string | null;
}

/** The contents of a slot from a share of the printing time (0..1) on; null: empty. */
export interface Span {
  from: number;
  filament: Filament | null;
}

export interface PrintJob {
  fileName: string;
  sha256: string;
  /** Bytes. */
  size: number;
  identity: Record<string, string>;
  /** Began at the printer's own screen. */
  foreign: boolean;
  facts: GcodeFacts;
  /** Missing in what earlier versions have stored. */
  feeds?: Feed[];
  /** The highest target of each tool in degrees Celsius. */
  toolTargets?: number[];
  stages: Stage[];
  interruptions: Interruption[];
}

/** A print that is under way. Times ending in At are wall clock milliseconds, the others printer seconds. */
export interface PrintRun {
  job: PrintJob;
  acceptedAt: number;
  /** When something first moved or heated; null before that. */
  startedAt: number | null;
  stage: number;
  /** The contents of the slots that feed it since it began, by slot. */
  fed?: Record<string, Span[]>;
  /** Seconds of all stages done at `elapsedAsOf`, where the clock of a run that is not paused started last. */
  elapsed: number;
  elapsedAsOf: number;
  paused: { cause: string; at: number } | null;
  resumedAt: number | null;
  /** Interruptions that have already happened. */
  interrupted: number;
  /** Set once the print has been ordered to end early; it ends `seconds` of printer time after `at`. */
  ending: { outcome: 'stopped' | 'failed'; reason: string; at: number; seconds: number } | null;
}

export interface EndedRun {
  job: PrintJob;
  acceptedAt: number;
  startedAt: number | null;
  endedAt: number;
  outcome: 'finished' | 'stopped' | 'failed';
  /** completed, client, screen, power_loss, or the cause of the failure. */
  reason: string;
  /** Progress of the printing stage when it ended. */
  fraction: number;
  /** Printer seconds spent in the printing stage and since the acceptance. */
  printSeconds: number;
  totalSeconds: number;
}

/** How far a run is. */
export interface Progress {
  stage: StageName;
  /** 0..1 of the present stage. */
  stageFraction: number;
  /** 0..1 of the printing stage. */
  fraction: number;
  /** Printer seconds in the printing stage, and of all stages. */
  printSeconds: number;
  totalSeconds: number;
  /** Printer seconds until the end of all stages. */
  remainingSeconds: number;
  /** 1-based while material is laid down, 0 before. */
  layer: number;
  line: number;
}

/** The tool that extrudes at a share of the printing time: the one that has begun last, or the first. */
export function toolAt(job: PrintJob, fraction: number): number {
  const feeds = [...(job.feeds ?? [])].sort((a, b) => a.from - b.from);
  return (feeds.findLast(({ from, to }) => from <= fraction && fraction <= to) ?? feeds[0])?.tool ?? 0;
}

/** mm of filament that the print has used at a share of its printing time. */
export function filamentUsed({ facts }: PrintJob, fraction: number): number {
  // Of a job that an earlier version has stored only the sum is known.
  if (facts.extrusions === undefined) return facts.filamentMillimetres * fraction;
  return facts.extrusions.reduce((sum, extrusion) => sum + extrudedBy(extrusion, fraction), 0);
}

export function stageSeconds(job: PrintJob): number {
  return job.stages.reduce((sum, stage) => sum + stage.seconds, 0);
}

/** Printer seconds at which a stage begins, counted from the acceptance. */
export function stageStart(job: PrintJob, index: number): number {
  return job.stages.slice(0, index).reduce((sum, stage) => sum + stage.seconds, 0);
}

/** Printer seconds that a run has done at a moment of the wall clock. */
export function elapsedSeconds(run: PrintRun, now: number, speed: number): number {
  const until = run.ending === null ? now : Math.min(now, run.ending.at);
  const running = run.paused === null ? (Math.max(0, until - run.elapsedAsOf) / 1000) * speed : 0;
  return Math.min(stageSeconds(run.job), run.elapsed + running);
}

export function progressOf(run: PrintRun, now: number, speed: number): Progress {
  return progressAt(run.job, run.stage, elapsedSeconds(run, now, speed));
}

export function progressAt(job: PrintJob, stageIndex: number, elapsed: number): Progress {
  const stage = job.stages[stageIndex] ?? { name: 'finishing' as const, seconds: 0 };
  const intoStage = Math.max(0, elapsed - stageStart(job, stageIndex));
  const printingIndex = job.stages.findIndex(({ name }) => name === 'printing');
  const printing = job.stages[printingIndex];
  const printingStart = stageStart(job, printingIndex);
  const printSeconds = printing === undefined ? 0 : Math.min(printing.seconds, Math.max(0, elapsed - printingStart));
  const fraction = printing === undefined || printing.seconds === 0 ? 0 : printSeconds / printing.seconds;
  const begun = stageIndex >= printingIndex && printingIndex >= 0;
  return {
    stage: stage.name,
    stageFraction: stage.seconds === 0 ? 1 : Math.min(1, intoStage / stage.seconds),
    fraction,
    printSeconds,
    totalSeconds: elapsed,
    remainingSeconds: Math.max(0, stageSeconds(job) - elapsed),
    layer: begun ? Math.min(job.facts.layers, 1 + Math.floor(fraction * job.facts.layers)) : 0,
    line: begun ? Math.floor(fraction * job.facts.lines) : 0,
  };
}

/** The next thing that happens by itself: when (printer seconds) and what. */
export type Boundary =
  | { at: number; kind: 'stage_end' }
  | { at: number; kind: 'interruption'; interruption: Interruption };

export function nextBoundary(run: PrintRun): Boundary {
  const { job } = run;
  const stageEnd: Boundary = { at: stageStart(job, run.stage + 1), kind: 'stage_end' };
  const interruption = job.interruptions[run.interrupted];
  if (interruption === undefined) return stageEnd;
  const index = job.stages.findIndex(({ name }) => name === interruption.stage);
  const stage = job.stages[index];
  if (stage === undefined || index !== run.stage) return stageEnd;
  return { at: stageStart(job, index) + stage.seconds * interruption.at, kind: 'interruption', interruption };
}
