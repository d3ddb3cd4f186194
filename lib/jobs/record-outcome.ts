import { costOf } from '../model/cost';
import type { Job } from '../model/job';
import { gramsOfFilament } from '../model/material';
import { type FailureKind, failureKindOf } from '../model/retry-policy';
import { roundGrams, splitGrams } from '../model/spool-shares';
import type { Tariff } from '../model/tariff';
import type { Attempt } from '../store/attempts';
import { deductGrams, findMaterial } from '../store/materials';
import { insertOutcome } from '../store/outcomes';
import { countBed, lockPrinter } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { spoolsTaken } from '../store/spool-changes';

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
  /** mm of filament that the printer itself had counted at the end; null if it did not tell, or nobody saw the end. */
  filamentMm: number | null;
  tariff: Tariff | undefined;
  lowStockGrams: number;
  /** Who says that it has ended. */
  actor: string;
}

/**
 * Records what a print took: printer hours, grams, which are taken off the spools that gave them, and their price. Grams are what the
 * printer has counted; where it counts nothing, what was sliced, and of a print that did not finish the share of it that
 * was seen, by whoever watched it.
 */
export async function recordOutcome(
  tx: Transaction,
  job: Job,
  ended: EndedPrint,
): Promise<{ outcomeId: string; hours: number | null; costUsd: number; failureKind: FailureKind | null }> {
  const { attempt, outcome, reason, timeScale, sawItRun, actor } = ended;
  const material = await findMaterial(tx, job.materialId);
  const printer = await lockPrinter(tx, attempt.printerId);
  // The end of this print may be all that the farm ever sees of it: no report needs to have shown it running.
  await countBed(tx, printer, actor);
  const estimatedHours = attempt.estimatedSeconds === null ? null : attempt.estimatedSeconds / 3600;
  const wallHours =
    attempt.startedAt === null || attempt.endedAt === null
      ? null
      : (Date.parse(attempt.endedAt) - Date.parse(attempt.startedAt)) / 3_600_000;
  const hours = sawItRun ? wallHours && wallHours * timeScale : estimatedHours;
  const warnings = sawItRun ? [] : ['It ended while nobody watched; its duration is the estimate.'];
  const completed = outcome === 'completed';
  const filamentMm = ended.filamentMm ?? (completed ? null : attempt.filamentMm);
  const counted = filamentMm !== null && material ? gramsOfFilament(filamentMm, material) : null;
  const sliced = attempt.estimatedGrams ?? job.estimatedGrams ?? 0;
  const progress = completed ? 1 : Math.max(ended.lastProgress, attempt.progress ?? 0);
  const grams = roundGrams(counted ?? sliced * progress);
  const cost = costOf({
    grams,
    material,
    hours: hours ?? 0,
    printer: printer.capabilities,
    startedAt: Date.parse(attempt.startedAt ?? attempt.dispatchedAt),
    tariff: ended.tariff,
  });
  const taken = await spoolsTaken(tx, attempt.id);
  for (const share of splitGrams({ grams, progress, material }, taken, attempt.spoolId)) {
    await deductGrams(tx, { attemptId: attempt.id, ...share, lowGrams: ended.lowStockGrams });
  }
  const failureKind = outcome === 'failed' ? failureKindOf(reason) : null;
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
    cost,
    layers: attempt.layers,
    warnings,
    failureKind,
  });
  return { outcomeId, hours, costUsd: cost.totalUsd, failureKind };
}
