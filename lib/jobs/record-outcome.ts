import { costOf } from '../model/cost';
import type { Job } from '../model/job';
import { type FailureKind, failureKindOf } from '../model/retry-policy';
import { splitGrams } from '../model/spool-shares';
import type { Tariff } from '../model/tariff';
import type { Attempt } from '../store/attempts';
import { deductGrams, findMaterial } from '../store/materials';
import { insertOutcome } from '../store/outcomes';
import { countBed, lockPrinter } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { spoolsTaken } from '../store/spool-changes';
import { type PrintSeen, printTaken } from './print-taken';

/** The facts known about an attempt that has started and ended. */
export interface EndedPrint extends PrintSeen {
  attempt: Attempt;
  reason: string;
  tariff: Tariff | undefined;
  lowStockGrams: number;
  /** The source of the report that it has ended. */
  actor: string;
}

/** Records the consumption of a print: its printer hours, its grams, which are deducted from their spools, and its price. */
export async function recordOutcome(
  tx: Transaction,
  job: Job,
  ended: EndedPrint,
): Promise<{ outcomeId: string; hours: number | null; costUsd: number; failureKind: FailureKind | null }> {
  const { attempt, outcome, reason, actor } = ended;
  const material = await findMaterial(tx, job.materialId);
  const printer = await lockPrinter(tx, attempt.printerId);
  // No report may have shown this print running, so its end must count the bed as well.
  await countBed(tx, printer, actor);
  const { hours, estimatedHours, grams, progress, warnings } = printTaken(ended, job, material);
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
