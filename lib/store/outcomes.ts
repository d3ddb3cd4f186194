import type { AttemptId, JobId, MaterialId, PrinterId } from '../model/ids';
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
  costUsd: number;
  layers: number | null;
  warnings: string[];
}

/** Stores an outcome and returns its id. */
export async function insertOutcome(tx: Transaction, outcome: NewOutcome): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, reason, duration_hours,
       estimated_hours, grams, cost_usd, layers, warnings)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12) RETURNING id`,
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
      outcome.costUsd,
      outcome.layers,
      JSON.stringify(outcome.warnings),
    ],
  );
  const id = rows[0]?.id;
  if (!id) throw new Error('PostgreSQL stored no outcome.');
  return id;
}
