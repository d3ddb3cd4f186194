import type { Job } from '../model/job';
import { gramsOfFilament, type Material } from '../model/material';
import { roundGrams } from '../model/spool-shares';
import type { Attempt } from '../store/attempts';

/** What is known of a print at its end. */
export interface PrintSeen {
  attempt: Pick<Attempt, 'startedAt' | 'endedAt' | 'estimatedSeconds' | 'estimatedGrams' | 'filamentMm' | 'progress'>;
  outcome: 'completed' | 'failed' | 'cancelled';
  /** See `PrinterReport.timeScale`. */
  timeScale: number;
  /** Whether somebody watched it; else its duration is the estimate. */
  sawItRun: boolean;
  /** How far it was seen to have come (0..1). */
  lastProgress: number;
  /** mm of filament that the printer itself had counted at the end; null if it did not tell, or nobody saw the end. */
  filamentMm: number | null;
}

/** What a print took. */
export interface PrintTaken {
  /** Of the printer's clock; null: nobody knows. */
  hours: number | null;
  estimatedHours: number | null;
  grams: number;
  /** How far it came (0..1). */
  progress: number;
  warnings: string[];
}

/**
 * What a print took. Grams are what the printer has counted; where it counts nothing, what was sliced, and of a print that
 * did not finish the share of it that was seen, by whoever watched it.
 */
export function printTaken(
  { attempt, outcome, timeScale, sawItRun, ...seen }: PrintSeen,
  job: Pick<Job, 'estimatedGrams'>,
  material: Pick<Material, 'densityGramsPerCm3' | 'diameterMm'> | undefined,
): PrintTaken {
  const estimatedHours = attempt.estimatedSeconds === null ? null : attempt.estimatedSeconds / 3600;
  const wallHours =
    attempt.startedAt === null || attempt.endedAt === null
      ? null
      : (Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt)) / 3_600_000;
  const completed = outcome === 'completed';
  const progress = completed ? 1 : Math.max(seen.lastProgress, attempt.progress ?? 0);
  // What was counted on the way tells nothing of a whole print.
  const filamentMm = seen.filamentMm ?? (completed ? null : attempt.filamentMm);
  const counted = filamentMm !== null && material ? gramsOfFilament(filamentMm, material) : null;
  const sliced = attempt.estimatedGrams ?? job.estimatedGrams ?? 0;
  return {
    hours: sawItRun ? wallHours && wallHours * timeScale : estimatedHours,
    estimatedHours,
    grams: roundGrams(counted ?? sliced * progress),
    progress,
    warnings: sawItRun ? [] : ['It ended while nobody watched; its duration is the estimate.'],
  };
}
