import type { FitJob, FitPrinter } from '../fit/subject';
import type { JobId, MaterialId, PrinterId } from '../model/ids';
import type { JobWishes } from '../model/job-wishes';
import type { OperatorHours } from './calendar';
import type { Weights } from './objective';

/** A dependency that will not be completed. */
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
  /** Its other wishes; absent: the defaults. */
  wishes?: JobWishes;
  deadline: number | null;
  createdAt: number;
  notBefore: number | null;
  held: boolean;
  /** Jobs that must be completed first and are not. */
  waitsFor: JobId[];
  /** Those of them that will never be completed as things stand: failed, cancelled, or unknown. Absent: none. */
  deadEnds?: DeadEnd[];
  /** The copies that are neither done nor active. */
  copiesToStart: number;
  /** The printer on which it failed last; another is preferred for a few hours. */
  failedOn: PrinterId | null;
  /** When it failed (ms since 1970); absent: long ago. */
  failedAt?: number;
  /** Wall-clock hours learned for a printer, setups not counted; absent: the reference hours × its speed factor. */
  hoursOn?: Record<PrinterId, number>;
  /** The start (ms) that was promised and should be kept. */
  promisedStart?: number;
  /** Its kit, and how many jobs of the kit are completed; absent: it has none. */
  kit?: { id: string; partsDone: number };
}

/** A printer as the planner sees it. */
export interface PlanningPrinter extends FitPrinter {
  /** The print that runs on it, ours or foreign, and its expected end. */
  busy: { with: string; until: number; jobId?: JobId; kit?: string } | null;
  /** How many times faster than real time its clock runs; durations are divided by it. */
  timeScale: number;
  /** Counts the changes of its bed. */
  bedVersion?: number;
  /** Its closures, ms since 1970: maintenance, or other use. */
  closed?: { from: number; until: number; reason: string }[];
  /** The number of its dispatches since one served the oldest owed job. */
  dispatchesSinceOwed?: number;
}

/** An operator's pause of the farm: no new print starts. */
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
   * The operator hours. If given, the whole farm is planned ahead, including setups; if absent, an operator may come at
   * any time or never, and a job that needs one does not delay others.
   */
  operator?: OperatorHours;
  /** The earliest time (ms) for which operator work may be planned: later than `now` if due work is not done. */
  operatorFrom?: number;
  /** The quiet hours, in which no print may start; absent: none. */
  quiet?: OperatorHours;
  /** The spools that lie on the shelf, with what is left on them; absent: there is enough of everything. */
  shelf?: { spoolId: string; materialId: MaterialId; grams: number }[];
  /** The farm is paused; absent: it is not. */
  paused?: FarmPause;
  /** The weights of the plan's cost; absent: the defaults. */
  weights?: Partial<Weights>;
}
