import type { Job } from '../model/job';
import type { Attempt } from '../store/attempts';
import type { Transaction } from '../store/database';
import { deductGrams, findMaterial } from '../store/materials';
import { insertOutcome } from '../store/outcomes';
import { findPrinter } from '../store/printers';

/** What is known of an attempt that had started and has ended. */
export interface EndedPrint {
  attempt: Attempt;
  outcome: 'completed' | 'failed' | 'cancelled';
  reason: string;
  /** See `PrinterReport.timeScale`. */
  timeScale: number;
  /** Whether somebody watched it; else its duration is the estimate. */
  sawItRun: boolean;
  /** How far it was seen to have come (0..1). */
  lastProgress: number;
}

/**
 * Records what a print took: printer hours, grams, which are taken off the spool, and their price. Of a print that did not
 * finish, the grams of the share that was seen.
 */
export async function recordOutcome(
  tx: Transaction,
  job: Job,
  { attempt, outcome, reason, timeScale, sawItRun, lastProgress }: EndedPrint,
): Promise<{ outcomeId: string; hours: number | null; costUsd: number }> {
  const material = await findMaterial(tx, job.materialId);
  const printer = await findPrinter(tx, attempt.printerId);
  const estimatedHours = attempt.estimatedSeconds === null ? null : attempt.estimatedSeconds / 3600;
  const wallHours =
    attempt.startedAt === null || attempt.endedAt === null
      ? null
      : (Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt)) / 3_600_000;
  const hours = sawItRun ? wallHours && wallHours * timeScale : estimatedHours;
  const warnings = sawItRun ? [] : ['It ended while nobody watched; its duration is the estimate.'];
  const share = outcome === 'completed' ? 1 : lastProgress;
  const grams = (attempt.estimatedGrams ?? job.estimatedGrams ?? 0) * share;
  const costUsd = (grams / 1000) * (material?.usdPerKg ?? 0) + (hours ?? 0) * printer.capabilities.usdPerHour;
  if (attempt.spoolId) await deductGrams(tx, attempt.spoolId, grams);
  const outcomeId = await insertOutcome(tx, {
    jobId: job.id,
    attemptId: attempt.id,
    printerId: printer.id,
    materialId: job.materialId,
    outcome,
    reason: outcome === 'completed' ? null : reason,
    durationHours: hours,
    estimatedHours,
    grams,
    costUsd,
    layers: attempt.layers,
    warnings,
  });
  return { outcomeId, hours, costUsd };
}
