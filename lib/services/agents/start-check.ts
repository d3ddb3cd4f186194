import { compareRecords } from '../../beds/bed-judgement';
import { isSameJob, type JobIdentity } from '../../makes/driver';
import { contradictionOf, type PrinterJob, type PrinterReport } from '../../model/printer';

/** What a printer has shown so far: its job, and the number of reports of a running print. */
export interface Sight {
  job: PrinterJob | null | undefined;
  active: number;
}

/** The facts known in the turn of the event loop in which a start would be written. */
export interface StartSight {
  report: Pick<PrinterReport, 'receivedAt' | 'state' | 'job' | 'slots'>;
  /** When the intent was committed (monotonic, ms). */
  intendedAt: number;
  identity: Pick<JobIdentity, 'fileName' | 'taskId'>;
  /** The slot to print from, and the material type booked there; undefined: unknown. */
  slot: string;
  materialType: string | undefined;
  /** What the printer had shown before the intent, and what it has shown up to now. */
  before: Sight;
  now: Sight;
  /** Whether the claim certainly still holds. */
  leaseHeld: boolean;
  /** The job is being cancelled, or the process is shutting down. */
  cancelled: boolean;
}

/** Why a start must not be written on this observation; null if it may. */
export function startRefusal(sight: StartSight): string | null {
  const { report, before, materialType } = sight;
  if (report.receivedAt < sight.intendedAt) return 'The observation is older than the intent.';
  if (report.state !== 'idle') return `The printer is ${report.state}.`;
  if (isSameJob(sight.identity, report.job)) return 'The printer already names this job.';
  const slot = report.slots.find((one) => one.slot === sight.slot);
  const other = slot && materialType !== undefined ? contradictionOf(slot, materialType) : null;
  if (other) return `The printer reports ${other} in slot ${sight.slot}, not ${materialType}.`;
  // Another client's print may have begun and even ended since: its part would lie on the bed.
  const others = compareRecords(report.job, before.job ?? null) === 'different';
  if (sight.now.active !== before.active || others) return 'The printer shows another job than before.';
  if (!sight.leaseHeld) return 'The claim is no longer certain.';
  if (sight.cancelled) return 'The job is being cancelled.';
  return null;
}
