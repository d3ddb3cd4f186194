import type { JobId, MaterialId, PrinterId } from '../model/ids';
import type { FarmPause } from './snapshot';

/** One print of the plan. Times are ISO 8601 UTC; null where they depend on an operator. */
export interface PlanLine {
  jobId: JobId;
  printerId: PrinterId;
  /** The slot to print from; null until the right filament is loaded. */
  slot: string | null;
  start: string | null;
  end: string | null;
  /** The setups that an operator must do first. */
  setups: string[];
  /** Whether it can be started now. */
  ready: boolean;
  /** When the operator should begin to change the filament; absent or null: not planned. */
  setupAt?: string | null;
  /** The filament change for it. */
  changes?: {
    slot: string;
    from: MaterialId | null;
    to: MaterialId;
    /** The grams that the print needs of it. */
    gramsNeeded: number;
    /** The spool to load from the shelf; null if no known spool has enough. */
    spoolId: string | null;
  }[];
  /** Minutes between its end and the deadline. */
  slackMinutes?: number | null;
}

/** The plan: which job prints where and when, and why others wait. The same snapshot gives the same plan. */
export interface Plan {
  /** When the snapshot was taken, ms since 1970; a later plan has a higher version. */
  version: number;
  lines: PlanLine[];
  /** The place of each waiting job in the order of the plan, from 1. */
  positions: Record<JobId, number>;
  /** Why each waiting job has not started. */
  waiting: Record<JobId, string>;
  /** The cost of the plan in weighted hours, and its lower bound; only if operator hours are known. */
  value?: { cost: number; lowerBound: number; gap: number; ruleCost: number };
  /** The farm is paused: no line is ready or has a time; absent: it is not. */
  paused?: FarmPause;
}

/** Why a held job waits. */
export const heldReason = 'the job is held; release it';

/** Options of the search for a plan. */
export interface PlanningBudget {
  /** The previous plan, to start from. */
  previous?: Pick<Plan, 'lines'>;
  seed?: number;
  /** Moves of the search; the same number gives the same plan on every machine. */
  moves?: number;
  /** Wall time (ms by `clock`) after which the search stops short. */
  milliseconds?: number;
  clock?: () => number;
}
