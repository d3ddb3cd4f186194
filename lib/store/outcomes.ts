import type { Cost } from '../model/cost';
import type { AttemptId, JobId, MaterialId, PrinterId } from '../model/ids';
import type { FailureKind } from '../model/retry-policy';
import type { Transaction } from './database';

/** What became of an attempt that had started. Hours are printer time, money is USD. */
export interface NewOutcome {
  jobId: JobId;
  attemptId: AttemptId;
  printerId: PrinterId;
  materialId: MaterialId;
  outcome: 'completed' | 'failed' | 'cancelled';
  reason: string | null;
  durationHours: number | null;
  estimatedHours: number | null;
  grams: number;
  cost: Cost;
  /** What kind of failure the reason tells of. */
  failureKind: FailureKind | null;
  photoReference: string | null;
  layers: number | null;
  warnings: string[];
}

/** Stores an outcome and returns its id. */
export async function insertOutcome(tx: Transaction, outcome: NewOutcome): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, reason, duration_hours,
       estimated_hours, grams, cost_usd, layers, warnings, filament_usd, machine_usd,
       electricity_usd, failure_kind, photo_reference)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17) RETURNING id`,
    [
      outcome.jobId,
      outcome.attemptId,
      outcome.printerId,
      outcome.materialId,
      outcome.outcome,
      outcome.reason,
      outcome.durationHours,
      outcome.estimatedHours,
      outcome.grams,
      outcome.cost.totalUsd,
      outcome.layers,
      JSON.stringify(outcome.warnings),
      outcome.cost.filamentUsd,
      outcome.cost.machineUsd,
      outcome.cost.electricityUsd,
      outcome.failureKind,
      outcome.photoReference,
    ],
  );
  const id = rows[0]?.id;
  if (!id) throw new Error('PostgreSQL stored no outcome.');
  return id;
}
