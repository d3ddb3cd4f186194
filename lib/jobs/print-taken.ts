import type { Job } from '../model/job';
import { atMost, mostGrams, mostPrintHours } from '../model/limits';
import { gramsOfFilament, type Material } from '../model/material';
import { roundGrams } from '../model/spool-shares';
import type { Attempt } from '../store/attempts';

/** The facts known about a print at its end. */
export interface PrintSeen {
  attempt: Pick<Attempt, 'startedAt' | 'endedAt' | 'estimatedSeconds' | 'estimatedGrams' | 'filamentMm' | 'progress'>;
  outcome: 'completed' | 'failed' | 'cancelled';
  /** See `PrinterReport.timeScale`. */
  timeScale: number;
  /** Whether the print was observed; if not, its duration is the estimate. */
  sawItRun: boolean;
  /** The last observed progress (0..1). */
  lastProgress: number;
  /** mm of filament counted by the printer itself at the end; null if it reported none, or if the end was not observed. */
  filamentMm: number | null;
}

/** The consumption of a print. */
export interface PrintTaken {
  /** By the printer's clock; null: unknown. */
  hours: number | null;
  estimatedHours: number | null;
  grams: number;
  /** The progress that it reached (0..1). */
  progress: number;
  warnings: string[];
}

/**
 * Returns the consumption of a print. The grams are those counted by the printer; if it counts none, those of the slicer, and
 * for an unfinished print the observed share of them.
 */
export function printTaken(
  { attempt, outcome, timeScale, sawItRun, ...seen }: PrintSeen,
  job: Pick<Job, 'estimatedGrams'>,
  material: Pick<Material, 'densityGramsPerCm3' | 'diameterMm'> | undefined,
): PrintTaken {
  const estimatedHours =
    attempt.estimatedSeconds === null ? null : atMost(mostPrintHours, attempt.estimatedSeconds / 3600);
  const wallHours = hoursBetween(attempt.startedAt, attempt.endedAt);
  const completed = outcome === 'completed';
  const progress = completed ? 1 : Math.max(seen.lastProgress, attempt.progress ?? 0);
  // A count taken on the way is no measure of a complete print.
  const filamentMm = seen.filamentMm ?? (completed ? null : attempt.filamentMm);
  const counted = filamentMm !== null && material ? gramsOfFilament(filamentMm, material) : null;
  const sliced = attempt.estimatedGrams ?? job.estimatedGrams ?? 0;
  return {
    hours: sawItRun ? wallHours && atMost(mostPrintHours, wallHours * timeScale) : estimatedHours,
    estimatedHours,
    grams: atMost(mostGrams, roundGrams(counted ?? sliced * progress)),
    progress,
    warnings: sawItRun ? [] : ['The farm did not observe the end of the print; its duration is the estimate.'],
  };
}

/** Null if either is unknown, or the clock was set back in between. */
function hoursBetween(startedAt: string | null, endedAt: string | null): number | null {
  if (startedAt === null || endedAt === null) return null;
  const hours = (Date.parse(endedAt) - Date.parse(startedAt)) / 3_600_000;
  return hours >= 0 ? hours : null;
}
