import { compareRecords } from '../../beds/bed-judgement';
import { isSameJob, type JobIdentity } from '../../makes/driver';
import { contradictionOf, type PrinterJob, type PrinterReport } from '../../model/printer';

/** What a printer has shown so far: its job, and how many reports of a running print there were. */
export interface Sight {
  job: PrinterJob | null | undefined;
  active: number;
}

/** All that is known in the turn of the event loop in which a start would be written. */
export interface StartSight {
  report: Pick<PrinterReport, 'receivedAt' | 'state' | 'job' | 'slots'>;
  /** When the intent was committed (monotonic, ms). */
  intendedAt: number;
  identity: Pick<JobIdentity, 'fileName' | 'taskId'>;
  /** The slot that it is to be printed from, and the type of what is booked there; undefined: it is not known. */
  slot: string;
  materialType: string | undefined;
  /** What the printer had shown before the intent, which knew no more, and what it has shown by now. */
  before: Sight;
  now: Sight;
  /** Whether the claim certainly still holds. */
  leaseHeld: boolean;
  /** The job is being cancelled, or the process ends. */
  cancelled: boolean;
}

/** Why a start must not be written on this observation; null: nothing speaks against it. */
export function startRefusal(sight: StartSight): string | null {
  const { report, before, materialType } = sight;
  if (report.receivedAt < sight.intendedAt) return 'The observation is older than the intent.';
  if (report.state !== 'idle') return `The printer is ${report.state}.`;
  if (isSameJob(sight.identity, report.job)) return 'The printer names this very job already.';
  const slot = report.slots.find((one) => one.slot === sight.slot);
  const other = slot && materialType !== undefined ? contradictionOf(slot, materialType) : null;
  if (other) return `The printer reports ${other} in slot ${sight.slot}, not ${materialType}.`;
  // Somebody may have printed since, and even have ended by now: its part would lie on the bed.
  const others = compareRecords(report.job, before.job ?? null) === 'different';
  if (sight.now.active !== before.active || others) return 'The printer shows another job than before.';
  if (!sight.leaseHeld) return 'The claim is no longer certain.';
  if (sight.cancelled) return 'The job is being cancelled.';
  return null;
}
