import type { FitJob, FitPrinter } from '../fit/subject';
import type { JobId, MaterialId, PrinterId } from '../model/ids';
import type { JobWishes } from '../model/job-wishes';
import type { OperatorHours } from './calendar';
import type { Weights } from './objective';

/** A job that another waits for and that is not going to be completed. */
export interface DeadEnd {
  id: JobId;
  status: 'failed' | 'cancelled' | 'gone';
}

/** A job as the planner sees it. Times are ms since 1970, durations hours of the reference machine. */
export interface PlanningJob extends FitJob {
  id: JobId;
  name: string;
  hours: number;
  priority: number;
  /** Everything that was asked of it besides; absent: nothing. */
  wishes?: JobWishes;
  deadline: number | null;
  createdAt: number;
  notBefore: number | null;
  held: boolean;
  /** Jobs that must be completed first and are not. */
  waitsFor: JobId[];
  /** Those of them that never will be, as things are: they failed, were cancelled, or nobody knows them. Absent: none. */
  deadEnds?: DeadEnd[];
  /** The copies that are neither done nor under way. */
  copiesToStart: number;
  /** The printer on which it failed last; another is preferred for a few hours. */
  failedOn: PrinterId | null;
  /** When that was (ms since 1970); absent: long ago. */
  failedAt?: number;
  /** Wall-clock hours learned for a printer, setups not counted; absent: the reference hours × its speed factor. */
  hoursOn?: Record<PrinterId, number>;
  /** The start (ms) that was promised and should be kept. */
  promisedStart?: number;
  /** What should be complete together with it, and how many jobs of that are completed; absent: it stands alone. */
  kit?: { id: string; partsDone: number };
}

/** A printer as the planner sees it. */
export interface PlanningPrinter extends FitPrinter {
  /** What is under way on it, ours or foreign, and when it is expected to end. */
  busy: { with: string; until: number; jobId?: JobId; kit?: string } | null;
  /** How many times faster than real its clock runs; durations are divided by it. */
  timeScale: number;
  /** Counts the changes of its bed. */
  bedVersion?: number;
  /** When it may not print, ms since 1970: maintenance, somebody else's hour. */
  closed?: { from: number; until: number; reason: string }[];
  /** How many dispatches it has had since one served the oldest owed job. */
  dispatchesSinceOwed?: number;
}

/** That nothing new starts, by an operator's word. */
export interface FarmPause {
  /** ISO 8601 */
  since: string;
  by: string;
  reason: string | null;
}

/** Everything that a plan depends on. */
export interface Snapshot {
  /** ms since 1970 */
  now: number;
  jobs: PlanningJob[];
  printers: PlanningPrinter[];
  /** How long an operator takes to clear a bed, minutes. */
  clearMinutes: number;
  /** How long an operator takes to change a filament, minutes. */
  changeMinutes: number;
  /**
   * When somebody is there. Given, the whole farm is planned ahead, setups included; absent, an operator may come at any
   * time or never, and what needs one takes nobody's place.
   */
  operator?: OperatorHours;
  /** The earliest moment (ms) for which operator work may be planned: later than `now` if work that was asked for is not done. */
  operatorFrom?: number;
  /** When no print may start; absent: never. */
  quiet?: OperatorHours;
  /** The spools that lie on the shelf, with what is left on them; absent: there is enough of everything. */
  shelf?: { spoolId: string; materialId: MaterialId; grams: number }[];
  /** The farm is paused; absent: it is not. */
  paused?: FarmPause;
  /** What a plan is worth; absent: the defaults. */
  weights?: Partial<Weights>;
}
