import type { AttemptOutcome, AttemptPhase } from '../model/attempt';
import type { AttemptId, JobId, PrinterId, SpoolId } from '../model/ids';
import { isAhead, leaseExpired, longAgo } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** One try at printing one copy on one printer, as stored in the database; times are ISO 8601 UTC. */
export interface Attempt {
  id: AttemptId;
  jobId: JobId;
  copy: number;
  printerId: PrinterId;
  phase: AttemptPhase;
  fence: number | null;
  leaseOwner: string | null;
  leaseUntil: string | null;
  fileName: string;
  taskId: number;
  slot: string;
  /** The tool that the slot feeds, from 0. */
  tool: number;
  /** The plate of its file, from 1. */
  plate: number;
  /** The current spool; earlier ones are in `spool_changes`. */
  spoolId: SpoolId | null;
  /** Grams that it still needs from that spool. */
  reservedGrams: number;
  gcodeSha256: string | null;
  gcodeMd5: string | null;
  gcodeSize: number | null;
  gcodeLines: number | null;
  estimatedSeconds: number | null;
  estimatedGrams: number | null;
  layers: number | null;
  messageId: string;
  dispatchedAt: string;
  claimedAt: string | null;
  startIntentAt: string | null;
  startedAt: string | null;
  endedAt: string | null;
  cancelRequestedAt: string | null;
  /** The observed progress (0..1), and the filament that the printer had counted by then (mm); null: unknown. */
  progress: number | null;
  filamentMm: number | null;
  outcome: AttemptOutcome | null;
  reason: string | null;
}

const toAttempt = (row: Record<string, unknown>): Attempt => camelCase<Attempt>(row);

/** Creates an attempt; the unique indexes refuse a second open one for the printer or the copy. */
export async function insertAttempt(
  tx: Transaction,
  attempt: Pick<
    Attempt,
    'id' | 'jobId' | 'copy' | 'printerId' | 'fileName' | 'slot' | 'tool' | 'plate' | 'spoolId' | 'reservedGrams'
  >,
): Promise<Attempt> {
  const { rows } = await tx.query(
    `INSERT INTO print_attempts (id, job_id, copy, printer_id, file_name, slot, tool, plate, spool_id, reserved_grams)
     VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10) RETURNING *`,
    [
      attempt.id,
      attempt.jobId,
      attempt.copy,
      attempt.printerId,
      attempt.fileName,
      attempt.slot,
      attempt.tool,
      attempt.plate,
      attempt.spoolId,
      attempt.reservedGrams,
    ],
  );
  const row = rows[0];
  if (!row) throw new Error('PostgreSQL stored no attempt.');
  return toAttempt(row);
}

// Claims a dispatched attempt, or one whose holder's lease has expired, under the next fencing number of the printer. A lease
// further ahead than any lease lasts was written before the database's clock was set back, and has expired too.
// SKIP LOCKED: another agent is already handling it.
const claimSql = `
  WITH wanted AS MATERIALIZED (
    SELECT a.id FROM print_attempts a
    WHERE a.id = $1 AND a.printer_id = $2
      AND (a.phase = 'dispatched' OR (a.phase <> 'ended'
        AND ${leaseExpired('a.lease_until', '$4')}))
    FOR UPDATE SKIP LOCKED),
  printer AS (
    UPDATE printers p SET fence = p.fence + 1 FROM wanted WHERE p.id = $2 RETURNING p.fence)
  UPDATE print_attempts a SET
    phase = CASE WHEN a.phase = 'dispatched' THEN 'claimed' ELSE a.phase END,
    claimed_at = coalesce(a.claimed_at, now()),
    fence = printer.fence, lease_owner = $3, lease_until = now() + make_interval(secs => $4)
  FROM printer, wanted
  WHERE a.id = wanted.id
  RETURNING a.*`;

/**
 * Claims an attempt for an agent. The job's row must be locked.
 * @returns the attempt with its new fencing number, or undefined if it is not available (claimed by another agent, ended)
 */
export async function claimAttempt(
  tx: Transaction,
  claim: { attemptId: string; printerId: string; owner: string; leaseSeconds: number },
): Promise<Attempt | undefined> {
  const { rows } = await tx.query(claimSql, [claim.attemptId, claim.printerId, claim.owner, claim.leaseSeconds]);
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/** The identity of a writer: an older fencing number, or an expired lease, can write nothing. */
export interface Claim {
  attemptId: AttemptId;
  fence: number;
  owner: string;
}

/** Extends the lease; false if it was lost. */
export async function renewLease(db: Queryable, claim: Claim, leaseSeconds: number): Promise<boolean> {
  const { rowCount } = await db.query(
    `UPDATE print_attempts SET lease_until = now() + make_interval(secs => $4)
     WHERE id = $1 AND fence = $2 AND lease_owner = $3 AND lease_until >= now() AND phase <> 'ended'`,
    [claim.attemptId, claim.fence, claim.owner, leaseSeconds],
  );
  return rowCount === 1;
}

/** Releases a claim immediately, so that another agent need not wait for the lease to expire. */
export async function releaseLease(db: Queryable, claim: Claim): Promise<void> {
  await db.query(
    `UPDATE print_attempts SET lease_until = now() - interval '1 second'
     WHERE id = $1 AND fence = $2 AND lease_owner = $3 AND phase <> 'ended'`,
    [claim.attemptId, claim.fence, claim.owner],
  );
}

/** The facts stored with a change of phase. */
export interface PhaseFacts {
  gcodeSha256?: string;
  gcodeMd5?: string;
  gcodeSize?: number;
  gcodeLines?: number;
  estimatedSeconds?: number | null;
  estimatedGrams?: number | null;
  layers?: number | null;
  reason?: string;
}

// Advances an attempt if the writer still holds it and it is in the expected phase.
const advanceSql = `
  UPDATE print_attempts SET
    phase = $5::text,
    start_intent_at = CASE WHEN $5::text = 'starting' THEN now() ELSE start_intent_at END,
    started_at = CASE WHEN $5::text = 'printing' THEN coalesce(started_at, now()) ELSE started_at END,
    gcode_sha256 = coalesce($6, gcode_sha256), gcode_md5 = coalesce($7, gcode_md5),
    gcode_size = coalesce($8, gcode_size), gcode_lines = coalesce($9, gcode_lines),
    estimated_seconds = coalesce($10, estimated_seconds), estimated_grams = coalesce($11, estimated_grams),
    reserved_grams = coalesce($11, reserved_grams),
    layers = coalesce($12, layers), reason = coalesce($13, reason)
  WHERE id = $1 AND fence = $2 AND lease_owner = $3 AND lease_until >= now() AND phase = ANY ($4)
    AND ($5::text <> 'starting' OR cancel_requested_at IS NULL)
  RETURNING *`;

/** Changes the phase of a claimed attempt. The job's row must be locked. Undefined: the claim was lost, or the phase is another. */
export async function advanceAttempt(
  tx: Transaction,
  claim: Claim,
  from: readonly AttemptPhase[],
  to: Exclude<AttemptPhase, 'ended' | 'dispatched'>,
  facts: PhaseFacts = {},
): Promise<Attempt | undefined> {
  const { rows } = await tx.query(advanceSql, [
    claim.attemptId,
    claim.fence,
    claim.owner,
    from,
    to,
    facts.gcodeSha256 ?? null,
    facts.gcodeMd5 ?? null,
    facts.gcodeSize ?? null,
    facts.gcodeLines ?? null,
    facts.estimatedSeconds ?? null,
    facts.estimatedGrams ?? null,
    facts.layers ?? null,
    facts.reason ?? null,
  ]);
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/** Ends a claimed attempt. The job's row must be locked. Undefined: the claim was lost. */
export async function endAttempt(
  tx: Transaction,
  claim: Claim,
  outcome: AttemptOutcome,
  reason: string | null,
): Promise<Attempt | undefined> {
  const { rows } = await tx.query(
    `UPDATE print_attempts SET phase = 'ended', outcome = $4, reason = $5, ended_at = now(), lease_until = NULL
     WHERE id = $1 AND fence = $2 AND lease_owner = $3 AND lease_until >= now() AND phase <> 'ended' RETURNING *`,
    [claim.attemptId, claim.fence, claim.owner, outcome, reason],
  );
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/**
 * Withdraws an attempt of which nothing was sent and that no agent holds. The job's row must be locked. Undefined: an agent holds it.
 * @param leaseSeconds how long a lease lasts
 */
export async function withdrawAttempt(
  tx: Transaction,
  id: AttemptId,
  reason: string,
  leaseSeconds: number,
): Promise<Attempt | undefined> {
  const { rows } = await tx.query(
    `UPDATE print_attempts SET phase = 'ended', outcome = 'withdrawn', reason = $2, ended_at = now(), lease_until = NULL
     WHERE id = $1 AND (phase = 'dispatched'
       OR (phase IN ('claimed', 'preparing', 'uploading') AND ${leaseExpired('lease_until', '$3')})) RETURNING *`,
    [id, reason, leaseSeconds],
  );
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/**
 * Ends an attempt by an operator's answer, regardless of its lease, in one of these phases. The job's row must be locked.
 * @returns undefined: it is in another phase
 */
export async function endByWord(
  tx: Transaction,
  id: AttemptId,
  phases: readonly AttemptPhase[],
  outcome: 'completed' | 'failed' | 'not_started',
  reason: string,
): Promise<Attempt | undefined> {
  const { rows } = await tx.query(
    `UPDATE print_attempts SET phase = 'ended', outcome = $2, reason = $3, ended_at = now(), lease_until = NULL
     WHERE id = $1 AND phase = ANY ($4) RETURNING *`,
    [id, outcome, reason, phases],
  );
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

// Numbers that are neither done nor under way, for the open attempts beyond the last one.
const renumberCopiesSql = `
  WITH stray AS (
    SELECT id, row_number() OVER (ORDER BY dispatched_at, id) AS place FROM print_attempts
    WHERE job_id = $1 AND phase <> 'ended' AND copy > $2),
  free AS (
    SELECT copy, row_number() OVER (ORDER BY copy) AS place FROM generate_series(1, $2::int) AS copy
    WHERE NOT EXISTS (SELECT 1 FROM print_attempts a
      WHERE a.job_id = $1 AND a.copy = copy.copy AND (a.phase <> 'ended' OR a.outcome = 'completed')))
  UPDATE print_attempts a SET copy = free.copy FROM stray JOIN free USING (place) WHERE a.id = stray.id`;

/** Renumbers the open attempts to fit within the number of copies, which may have been reduced. The job's row must be locked. */
export async function renumberCopies(tx: Transaction, jobId: JobId, copies: number): Promise<void> {
  await tx.query(renumberCopiesSql, [jobId, copies]);
}

/** Requests the cancellation of every open attempt of a job, and returns them. The job's row must be locked. */
export async function requestCancelOfAttempts(tx: Transaction, jobId: JobId): Promise<Attempt[]> {
  const { rows } = await tx.query(
    `UPDATE print_attempts SET cancel_requested_at = coalesce(cancel_requested_at, now())
     WHERE job_id = $1 AND phase <> 'ended' RETURNING *`,
    [jobId],
  );
  return rows.map(toAttempt);
}

/** Returns all attempts of a job, oldest first. */
export async function attemptsOf(db: Queryable, jobId: JobId): Promise<Attempt[]> {
  const { rows } = await db.query('SELECT * FROM print_attempts WHERE job_id = $1 ORDER BY dispatched_at, id', [jobId]);
  return rows.map(toAttempt);
}

/** Returns every open attempt. */
export async function openAttempts(db: Queryable): Promise<Attempt[]> {
  const { rows } = await db.query(`SELECT * FROM print_attempts WHERE phase <> 'ended'`);
  return rows.map(toAttempt);
}

/** Returns the open attempt of a printer. */
export async function openAttemptOf(db: Queryable, printerId: string): Promise<Attempt | undefined> {
  const { rows } = await db.query(`SELECT * FROM print_attempts WHERE printer_id = $1 AND phase <> 'ended'`, [
    printerId,
  ]);
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/** Returns the open attempts that draw or will draw from a spool, or have drawn from it and will be charged at their end. */
export async function openAttemptsOfSpool(db: Queryable, spoolId: SpoolId): Promise<Attempt[]> {
  const { rows } = await db.query(
    `SELECT * FROM print_attempts WHERE phase <> 'ended'
       AND (spool_id = $1 OR id IN (SELECT attempt_id FROM spool_changes WHERE spool_id = $1))`,
    [spoolId],
  );
  return rows.map(toAttempt);
}

/** Returns an attempt by its id. */
export async function findAttempt(db: Queryable, id: string): Promise<Attempt | undefined> {
  const { rows } = await db.query('SELECT * FROM print_attempts WHERE id = $1', [id]);
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/** Returns the claimed attempt of a printer if its holder is gone: its lease has expired, or cannot be genuine. */
export async function orphanOf(db: Queryable, printerId: string, leaseSeconds: number): Promise<Attempt | undefined> {
  const { rows } = await db.query(
    `SELECT * FROM print_attempts
     WHERE printer_id = $1 AND phase NOT IN ('dispatched', 'ended')
       AND ${leaseExpired('lease_until', '$2')}`,
    [printerId, leaseSeconds],
  );
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

// Whether a printer is unreachable: its agent reports so, or has been silent for too long.
const offlineSql = `NOT (p.connected AND NOT ${longAgo('p.seen_at', '$2')})`;

/** How long after its creation a printer that has just gone offline may accept a dispatch (seconds). */
const offlineGraceSeconds = 5;

// Claimed, nothing sent, and its holder is gone with the printer's node: no agent will take it over.
const abandonedSql = `
  a.phase IN ('claimed', 'preparing', 'uploading') AND ${leaseExpired('a.lease_until', '$3', '$2')}
  AND coalesce(${longAgo('p.seen_at', '$2')}, true)`;

/**
 * Returns the attempts to withdraw: unclaimed dispatches that are too old or whose printer is offline, and claimed attempts
 * that no agent holds or will take over.
 */
export async function staleDispatches(
  db: Queryable,
  limits: { expiresSeconds: number; offlineAfterSeconds: number; leaseSeconds: number },
): Promise<{ attempt: Attempt; offline: boolean }[]> {
  const { rows } = await db.query(
    `SELECT a.*, ${offlineSql} AS offline
     FROM print_attempts a JOIN printers p ON p.id = a.printer_id
     WHERE a.phase <> 'ended' AND ((a.phase = 'dispatched'
       AND (${longAgo('a.dispatched_at', '$1')}
         OR (${offlineSql} AND ${longAgo('a.dispatched_at', String(offlineGraceSeconds))})))
       OR (${abandonedSql}))`,
    [limits.expiresSeconds, limits.offlineAfterSeconds, limits.leaseSeconds],
  );
  return rows.map((row) => ({ attempt: toAttempt(row), offline: row['offline'] === true }));
}

/**
 * Counts the failures of a copy since the job was submitted or replayed. If that moment lies ahead, because the database's clock was
 * set back, all its failures count: one retry too few is better than retries without end.
 */
export async function failuresOfCopy(db: Queryable, jobId: JobId, copy: number): Promise<number> {
  const { rows } = await db.query<{ failures: number }>(
    `SELECT count(*) AS failures FROM print_attempts a JOIN print_jobs j ON j.id = a.job_id
     WHERE a.job_id = $1 AND a.copy = $2 AND a.outcome IN ('failed', 'not_started') AND (a.ended_at >= j.retries_from OR ${isAhead('j.retries_from')})`,
    [jobId, copy],
  );
  return rows[0]?.failures ?? 0;
}

/**
 * Counts how often a claimed attempt of a job was withdrawn on a printer within the last six hours: each time something about the printer or
 * the moment prevented the start.
 */
export async function recentWithdrawals(db: Queryable, jobId: JobId, printerId: PrinterId): Promise<number> {
  const { rows } = await db.query<{ withdrawals: number }>(
    `SELECT count(*) AS withdrawals FROM print_attempts
     WHERE job_id = $1 AND printer_id = $2 AND outcome = 'withdrawn' AND claimed_at IS NOT NULL AND NOT ${longAgo('ended_at', '21600')}`,
    [jobId, printerId],
  );
  return rows[0]?.withdrawals ?? 0;
}

/**
 * Reverts the intent to start, by the process that wrote it and knows that nothing was sent. It is not guarded by the lease:
 * while there is no newer fencing number, no other process has acted on the attempt. The job's row must be locked.
 */
export async function undoIntent(tx: Transaction, claim: Claim): Promise<Attempt | undefined> {
  const { rows } = await tx.query(
    `UPDATE print_attempts SET phase = 'uploading', start_intent_at = NULL
     WHERE id = $1 AND fence = $2 AND lease_owner = $3 AND phase = 'starting' RETURNING *`,
    [claim.attemptId, claim.fence, claim.owner],
  );
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

/** Locks an attempt until the transaction ends. A transaction that also needs the printer's row locks it afterwards, as a claim does. */
export async function lockAttempt(tx: Transaction, id: AttemptId): Promise<void> {
  await tx.query('SELECT 1 FROM print_attempts WHERE id = $1 FOR UPDATE', [id]);
}

/** Records the progress of a print, which never decreases. */
export async function noteProgress(
  db: Queryable,
  id: AttemptId,
  progress: number | null,
  filamentMm: number | null,
): Promise<void> {
  await db.query(
    `UPDATE print_attempts SET progress = greatest(progress, least($2::float8, 1)),
       filament_mm = greatest(filament_mm, $3::float8)
     WHERE id = $1 AND phase = 'printing'`,
    [id, progress, filamentMm],
  );
}

/**
 * Ends an attempt whose start has certainly not been sent, regardless of its holder. The job's row must be locked.
 * @returns undefined: it is too late
 */
export async function endBeforeStart(
  tx: Transaction,
  id: AttemptId,
  outcome: 'cancelled' | 'not_started' | 'withdrawn',
  reason: string,
): Promise<Attempt | undefined> {
  const { rows } = await tx.query(
    `UPDATE print_attempts SET phase = 'ended', outcome = $2, reason = $3, ended_at = now(), lease_until = NULL
     WHERE id = $1 AND phase IN ('dispatched', 'claimed', 'preparing', 'uploading') RETURNING *`,
    [id, outcome, reason],
  );
  return rows[0] ? toAttempt(rows[0]) : undefined;
}

// The state of a claimed attempt in a restored database may be older than its start. Its former holder must not write it any more. The
// start may have been sent at any time until now, and an operator's answer is judged by that time.
const loseTrackSql = `
  UPDATE print_attempts SET phase = 'outcome_unknown', reason = $2, lease_owner = NULL, lease_until = now() - interval '1 second',
    start_intent_at = CASE WHEN started_at IS NULL THEN now() ELSE start_intent_at END
  WHERE id = $1 AND phase NOT IN ('dispatched', 'ended') RETURNING *`;

/** Marks the outcome of a claimed attempt as unknown, regardless of its holder. The job's row must be locked. */
export async function loseTrackOf(tx: Transaction, id: AttemptId, reason: string): Promise<Attempt | undefined> {
  const { rows } = await tx.query(loseTrackSql, [id, reason]);
  return rows[0] ? toAttempt(rows[0]) : undefined;
}
