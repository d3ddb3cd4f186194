import type { Cost } from '../model/cost';
import type { AttemptId, JobId, MaterialId, PrinterId } from '../model/ids';
import type { FailureKind } from '../model/retry-policy';
import type { Claim } from './attempts';
import { notify } from './database';
import type { Queryable, Transaction } from './queryable';

/** The outcome of an attempt that had started. Hours are printer time, money is USD. */
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
  /** The kind of failure that the reason describes. */
  failureKind: FailureKind | null;
  layers: number | null;
  warnings: string[];
}

/** Stores an outcome and returns its id. */
export async function insertOutcome(tx: Transaction, outcome: NewOutcome): Promise<string> {
  const { rows } = await tx.query<{ id: string }>(
    `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, reason, duration_hours,
       estimated_hours, grams, cost_usd, layers, warnings, filament_usd, machine_usd,
       electricity_usd, failure_kind)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16) RETURNING id`,
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
    ],
  );
  const id = rows[0]?.id;
  if (!id) throw new Error('PostgreSQL stored no outcome.');
  return id;
}

/**
 * Names the photo of an ended attempt: a stored file, `<sha256>.<ending>`. Only the process that ended the attempt may do so, once;
 * calls of other processes have no effect.
 */
export async function namePhoto(tx: Transaction, claim: Claim, reference: string): Promise<void> {
  const { rows } = await tx.query<{ job_id: JobId }>(
    `UPDATE print_outcomes o SET photo_reference = $4 FROM print_attempts a
     WHERE o.attempt_id = $1 AND a.id = o.attempt_id AND a.fence = $2 AND a.lease_owner = $3 AND o.photo_reference IS NULL
     RETURNING o.job_id`,
    [claim.attemptId, claim.fence, claim.owner, reference],
  );
  for (const { job_id } of rows) await notify(tx, `job:${job_id}`);
}

/** Returns the photos of a job's attempts, oldest first. */
export async function photosOf(db: Queryable, jobId: JobId): Promise<{ attemptId: AttemptId; reference: string }[]> {
  const { rows } = await db.query<{ attempt_id: AttemptId; photo_reference: string }>(
    `SELECT attempt_id, photo_reference FROM print_outcomes
     WHERE job_id = $1 AND photo_reference IS NOT NULL ORDER BY created_at, id`,
    [jobId],
  );
  return rows.map((row) => ({ attemptId: row.attempt_id, reference: row.photo_reference }));
}
