import { ConflictError, NotFoundError, StaleVersionError } from '../model/errors';
import { type AttemptId, isUuid, type JobId, type PrinterId } from '../model/ids';
import type { Job } from '../model/job';
import { type JobWishes, snakeCase, wishNames } from '../model/job-wishes';
import type { RetrySettings } from '../model/settings';
import type { FileFacts } from '../model/sliced-facts';
import { isTerminal, type JobStatus, statusGraph } from '../model/status';
import { notify, RowLockedError } from './database';
import { isAhead, isoNow } from './moments';
import type { Queryable, Transaction } from './queryable';
import { camelCase } from './rows';

/** What is known of a job when it is submitted. */
export type NewJob = JobWishes &
  Pick<
    Job,
    | 'jobName'
    | 'stlPath'
    | 'gcodePath'
    | 'materialId'
    | 'printSettings'
    | 'estimatedGrams'
    | 'estimatedCostUsd'
    | 'estimatedDurationHours'
    | 'deadlineAt'
    | 'createdBy'
    | 'notBefore'
    | 'dependsOn'
    | 'plate'
    | 'fileFacts'
    | 'model'
  >;

/** A line of a job's history. */
export interface HistoryLine {
  from_status: JobStatus | null;
  to_status: JobStatus;
  reason: string | null;
  changed_at: string;
  changed_by: string | null;
}

/** One status change: why, by whom, and which columns change with it. */
export interface StatusChange {
  reason: string | null;
  actor: string;
  assignedPrinterId?: PrinterId;
  retryCount?: number;
  copiesDone?: number;
  outcomeId?: string;
  actualDurationHours?: number | null;
  actualCostUsd?: number | null;
  clearCancelRequest?: boolean;
}

type JobRow = Omit<Job, 'model'> & {
  modelSha256: string;
  modelKind: Job['model']['kind'];
  modelXMm: number;
  modelYMm: number;
  modelZMm: number;
  modelVolumeMm3: number;
};

/** Converts a row of the table to a job. */
export function jobOf(row: Record<string, unknown>): Job {
  const { modelSha256, modelKind, modelXMm, modelYMm, modelZMm, modelVolumeMm3, ...rest } = camelCase<JobRow>(row);
  return {
    ...rest,
    model: {
      sha256: modelSha256,
      kind: modelKind,
      dimensions: { x: modelXMm, y: modelYMm, z: modelZMm },
      volumeMm3: modelVolumeMm3,
    },
  };
}

const fields: readonly Exclude<keyof Job, 'model'>[] = [
  ...wishNames,
  'id',
  'jobName',
  'stlPath',
  'gcodePath',
  'materialId',
  'printSettings',
  'estimatedGrams',
  'estimatedCostUsd',
  'estimatedDurationHours',
  'deadlineAt',
  'assignedPrinterId',
  'status',
  'statusReason',
  'startedAt',
  'completedAt',
  'actualDurationHours',
  'actualCostUsd',
  'createdAt',
  'updatedAt',
  'createdBy',
  'retryCount',
  'outcomeId',
  'copiesDone',
  'notBefore',
  'dependsOn',
  'cancelRequestedAt',
  'cancelRequestedBy',
  'givingUp',
  'retriesFrom',
  'retryAt',
  'failedOn',
  'failedAt',
  'retrySettings',
  'plate',
  'fileFacts',
  'version',
];

/** The columns of a job, named and nested like a `Job`, so that thousands of rows need no conversion one by one. */
const jobColumns = [
  ...fields.map((name) => `${snakeCase(name)} AS "${name}"`),
  `jsonb_build_object('sha256', model_sha256, 'kind', model_kind, 'volumeMm3', model_volume_mm3,
     'dimensions', jsonb_build_object('x', model_x_mm, 'y', model_y_mm, 'z', model_z_mm)) AS model`,
].join(', ');

/** The message that reports a status change; `$1`… are those of the statements that use it. */
const statusBody = (columns: { from: string; to: string; reason: string; actor: string }): string => `
  jsonb_build_object(
    'event', 'job', 'job_id', j.id, 'job_seq', j.job_seq, 'job_name', j.job_name,
    'from_status', ${columns.from}, 'to_status', ${columns.to}, 'reason', ${columns.reason},
    'changed_by', ${columns.actor}, 'changed_at', ${isoNow}, 'printer_id', j.assigned_printer_id)`;

// Stores a job as queued, with the first line of its history and the message that reports it.
const insertJobSql = `
  WITH j AS (
    INSERT INTO print_jobs (
      job_name, stl_path, gcode_path, material_id, print_settings, estimated_grams, estimated_cost_usd,
      estimated_duration_hours, deadline_at, created_by, not_before, depends_on, model_sha256, model_kind, model_x_mm, model_y_mm,
      model_z_mm, model_volume_mm3, plate, file_facts, ${wishNames.map(snakeCase).join(', ')}, status, job_seq)
    VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20,
      ${wishNames.map((_name, index) => `$${21 + index}`).join(', ')}, 'queued', 1)
    RETURNING *),
  h AS (
    INSERT INTO job_status_history (job_id, from_status, to_status, reason, changed_at, changed_by)
    SELECT j.id, NULL, 'queued', 'submitted', clock_timestamp(), j.created_by FROM j),
  o AS (
    INSERT INTO outbox (kind, routing_key, job_id, body)
    SELECT 'status', '', j.id,
      ${statusBody({ from: 'NULL::text', to: "'queued'", reason: "'submitted'", actor: 'j.created_by' })} FROM j)
  SELECT * FROM j`;

/** Stores a submitted job and returns it. */
export async function insertJob(tx: Transaction, job: NewJob): Promise<Job> {
  const { rows } = await tx.query(insertJobSql, [
    job.jobName,
    job.stlPath,
    job.gcodePath,
    job.materialId,
    JSON.stringify(job.printSettings),
    job.estimatedGrams,
    job.estimatedCostUsd,
    job.estimatedDurationHours,
    job.deadlineAt,
    job.createdBy,
    job.notBefore,
    job.dependsOn,
    job.model.sha256,
    job.model.kind,
    job.model.dimensions.x,
    job.model.dimensions.y,
    job.model.dimensions.z,
    job.model.volumeMm3,
    job.plate,
    job.fileFacts === null ? null : JSON.stringify(job.fileFacts),
    ...wishNames.map((name) => job[name]),
  ]);
  const row = rows[0];
  if (!row) throw new Error('PostgreSQL stored no job.');
  await notify(tx, 'outbox');
  await notify(tx, 'plan');
  return jobOf(row);
}

// Changes a status along the graph, guarded by the expected one, with history and message.
const changeStatusSql = `
  WITH j AS (
    UPDATE print_jobs SET
      status = $3::text, status_reason = $4::text, job_seq = job_seq + 1, updated_at = now(),
      completed_at = CASE WHEN $3::text IN ('completed', 'failed', 'cancelled') THEN now() END,
      started_at = CASE WHEN $3::text = 'printing' THEN coalesce(started_at, now()) ELSE started_at END,
      assigned_printer_id = coalesce($6::text, assigned_printer_id),
      retry_count = coalesce($7, retry_count),
      copies_done = coalesce($8, copies_done),
      outcome_id = coalesce($9, outcome_id),
      actual_duration_hours = coalesce($10, actual_duration_hours),
      actual_cost_usd = coalesce($11, actual_cost_usd),
      cancel_requested_at = CASE WHEN $12 THEN NULL ELSE cancel_requested_at END
    WHERE id = $1 AND status = $2::text
    RETURNING *),
  h AS (
    INSERT INTO job_status_history (job_id, from_status, to_status, reason, changed_at, changed_by)
    SELECT j.id, $2::text, $3::text, $4::text, clock_timestamp(), $5::text FROM j),
  o AS (
    INSERT INTO outbox (kind, routing_key, job_id, body)
    SELECT 'status', '', j.id, ${statusBody({ from: '$2::text', to: '$3::text', reason: '$4::text', actor: '$5::text' })} FROM j)
  SELECT * FROM j`;

/**
 * Changes a job's status, writes its history and reports it. The job's row must be locked in this transaction.
 * @throws ConflictError the graph forbids it, or the job has another status by now
 */
export async function changeStatus(tx: Transaction, job: Job, to: JobStatus, change: StatusChange): Promise<Job> {
  if (!statusGraph[job.status].includes(to)) {
    throw new ConflictError(
      `The job is ${job.status}; it cannot become ${to}.`,
      isTerminal(job.status) ? 'Submit it again if it is needed once more.' : 'Look at the job and try again.',
    );
  }
  const { rows } = await tx.query(changeStatusSql, [
    job.id,
    job.status,
    to,
    change.reason,
    change.actor,
    change.assignedPrinterId ?? null,
    change.retryCount ?? null,
    change.copiesDone ?? null,
    change.outcomeId ?? null,
    change.actualDurationHours ?? null,
    change.actualCostUsd ?? null,
    change.clearCancelRequest ?? false,
  ]);
  const row = rows[0];
  if (!row) throw new ConflictError('The job changed in the meantime.', 'Look at the job and try again.');
  await notify(tx, 'outbox');
  await notify(tx, `job:${job.id}`);
  if (to === 'queued' || isTerminal(to)) await notify(tx, 'plan');
  return jobOf(row);
}

// Changes columns of a job without changing its status.
const amendJobSql = `
  UPDATE print_jobs SET
    updated_at = now(),
    status_reason = CASE WHEN $2 THEN $3 ELSE status_reason END,
    copies_done = coalesce($4, copies_done),
    retry_count = coalesce($5, retry_count),
    outcome_id = coalesce($6, outcome_id),
    actual_duration_hours = coalesce($7, actual_duration_hours),
    actual_cost_usd = coalesce($8, actual_cost_usd),
    retry_at = coalesce($9, retry_at),
    gcode_path = coalesce($10, gcode_path),
    estimated_grams = coalesce($11, estimated_grams),
    estimated_cost_usd = coalesce($12, estimated_cost_usd),
    estimated_duration_hours = coalesce($13, estimated_duration_hours),
    giving_up = coalesce($14, giving_up),
    failed_on = coalesce($15, failed_on),
    failed_at = CASE WHEN $15 IS NULL THEN failed_at ELSE now() END,
    retry_settings = coalesce($16, retry_settings)
  WHERE id = $1 RETURNING *`;

/** Columns that change while the status stays. */
export interface JobAmendment {
  statusReason?: string | null;
  copiesDone?: number;
  retryCount?: number;
  outcomeId?: string;
  actualDurationHours?: number;
  actualCostUsd?: number;
  /** The end of its pause before a retry. */
  retryAt?: string;
  gcodePath?: string;
  estimatedGrams?: number;
  estimatedCostUsd?: number;
  estimatedDurationHours?: number;
  givingUp?: string;
  /** The printer where it has just failed. */
  failedOn?: PrinterId;
  retrySettings?: RetrySettings;
}

/** Changes columns of a job other than its status. */
export async function amendJob(tx: Transaction, id: JobId, changes: JobAmendment): Promise<Job> {
  const { rows } = await tx.query(amendJobSql, [
    id,
    changes.statusReason !== undefined,
    changes.statusReason ?? null,
    changes.copiesDone ?? null,
    changes.retryCount ?? null,
    changes.outcomeId ?? null,
    changes.actualDurationHours ?? null,
    changes.actualCostUsd ?? null,
    changes.retryAt ?? null,
    changes.gcodePath ?? null,
    changes.estimatedGrams ?? null,
    changes.estimatedCostUsd ?? null,
    changes.estimatedDurationHours ?? null,
    changes.givingUp ?? null,
    changes.failedOn ?? null,
    changes.retrySettings === undefined ? null : JSON.stringify(changes.retrySettings),
  ]);
  const row = rows[0];
  if (!row) throw new NotFoundError('job', id);
  return jobOf(row);
}

/** Reads a job. @throws NotFoundError */
export async function findJob(db: Queryable, id: string): Promise<Job> {
  return one(db, 'SELECT * FROM print_jobs WHERE id = $1', id);
}

/** Returns a job with all its columns as stored in the database. */
export async function jobRow(db: Queryable, id: JobId): Promise<Record<string, unknown>> {
  const { rows } = await db.query<Record<string, unknown>>('SELECT * FROM print_jobs WHERE id = $1', [id]);
  return rows[0] ?? {};
}

/** Returns the names of these jobs. */
export async function jobNames(db: Queryable, ids: JobId[]): Promise<Map<JobId, string>> {
  const { rows } = await db.query<{ id: JobId; job_name: string }>(
    'SELECT id, job_name FROM print_jobs WHERE id = ANY ($1::uuid[])',
    [ids],
  );
  return new Map(rows.map((row) => [row.id, row.job_name]));
}

/**
 * Reads a job and locks its row: the first lock of every transaction that changes a job.
 * @param versions the accepted versions; undefined: any
 * @throws NotFoundError
 * @throws StaleVersionError the job has another version
 */
export async function lockJob(tx: Transaction, id: string, versions?: readonly number[]): Promise<Job> {
  const job = await one(tx, 'SELECT * FROM print_jobs WHERE id = $1 FOR UPDATE', id);
  if (versions && !versions.includes(job.version)) throw new StaleVersionError('The job');
  return job;
}

/**
 * The same without waiting for another transaction, for callers that can do without the job.
 * @throws NotFoundError
 * @throws RowLockedError another transaction is changing it
 */
export async function lockJobNow(tx: Transaction, id: string): Promise<Job> {
  const { jobName } = await findJob(tx, id);
  const { rows } = await tx.query('SELECT * FROM print_jobs WHERE id = $1 FOR UPDATE SKIP LOCKED', [id]);
  if (!rows[0]) throw new RowLockedError(`The job "${jobName}"`);
  return jobOf(rows[0]);
}

async function one(db: Queryable, sql: string, id: string): Promise<Job> {
  if (!isUuid(id)) throw new NotFoundError('job', id);
  const { rows } = await db.query(sql, [id]);
  const row = rows[0];
  if (!row) throw new NotFoundError('job', id);
  return jobOf(row);
}

/** Returns the history of a job, oldest first. */
export async function historyOf(db: Queryable, id: JobId): Promise<HistoryLine[]> {
  const { rows } = await db.query<HistoryLine & Record<string, unknown>>(
    `SELECT from_status, to_status, reason, changed_at, changed_by
     FROM job_status_history WHERE job_id = $1 ORDER BY id`,
    [id],
  );
  return rows;
}

/** Returns every job that is not over, oldest first. */
export async function unfinishedJobs(db: Queryable): Promise<Job[]> {
  const { rows } = await db.query<Job & Record<string, unknown>>(
    `SELECT ${jobColumns} FROM print_jobs WHERE status NOT IN ('completed', 'failed', 'cancelled') ORDER BY created_at, id`,
  );
  return rows;
}

/** Returns the jobs with open attempts, by id: the order in which they are locked. */
export async function jobsUnderWay(db: Queryable): Promise<JobId[]> {
  const { rows } = await db.query<{ id: JobId }>(
    `SELECT id FROM print_jobs j WHERE status IN ('scheduled', 'slicing', 'uploading', 'printing')
       OR EXISTS (SELECT 1 FROM print_attempts a WHERE a.job_id = j.id AND a.phase <> 'ended')
     ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}

/** Returns a page of jobs by status, printer and kit, newest first; the cursor is the last row of the previous page. */
export async function listJobs(
  db: Queryable,
  filter: {
    status: JobStatus[];
    printerId: string | null;
    kitId: string | null;
    limit: number;
    after: { createdAt: string; id: string } | null;
  },
): Promise<Job[]> {
  const { rows } = await db.query(
    `SELECT * FROM print_jobs
     WHERE status = ANY ($1)
       AND ($2::text IS NULL OR assigned_printer_id = $2 OR force_printer = $2)
       AND ($6::text IS NULL OR kit_id = $6)
       AND ($4::timestamptz IS NULL OR (created_at, id) < ($4, $5::uuid))
     ORDER BY created_at DESC, id DESC LIMIT $3`,
    [
      filter.status,
      filter.printerId,
      filter.limit,
      filter.after?.createdAt ?? null,
      filter.after?.id ?? null,
      filter.kitId,
    ],
  );
  return rows.map(jobOf);
}

/** Changes the priority of a job that is not over, with a line in its history. */
export async function setPriority(tx: Transaction, job: Job, priority: number, actor: string): Promise<Job> {
  const { rows } = await tx.query(
    `UPDATE print_jobs SET priority = $2, updated_at = now()
     WHERE id = $1 AND status NOT IN ('completed', 'failed', 'cancelled') RETURNING *`,
    [job.id, priority],
  );
  const row = rows[0];
  if (!row) throw new ConflictError(`The job is ${job.status}; its priority no longer matters.`, 'Choose an open job.');
  await addHistory(tx, jobOf(row), `priority ${job.priority} changed to ${priority}`, actor);
  await notify(tx, 'plan');
  return jobOf(row);
}

/** Returns the jobs that are not over and whose file facts have not been stored. */
export async function jobsWithoutFacts(db: Queryable): Promise<JobId[]> {
  const { rows } = await db.query<{ id: JobId }>(
    `SELECT id FROM print_jobs WHERE file_facts IS NULL AND status NOT IN ('completed', 'failed', 'cancelled') ORDER BY id`,
  );
  return rows.map(({ id }) => id);
}

/** Stores the requirements of a job's file. @throws NotFoundError */
export async function storeFileFacts(tx: Transaction, id: JobId, facts: FileFacts, plate: number | null): Promise<Job> {
  const { rows } = await tx.query(
    'UPDATE print_jobs SET file_facts = $2, plate = coalesce(plate, $3) WHERE id = $1 RETURNING *',
    [id, JSON.stringify(facts), plate],
  );
  if (!rows[0]) throw new NotFoundError('job', id);
  await notify(tx, 'plan');
  return jobOf(rows[0]);
}

/** Records the submitter's confirmation that a file which names no machine was made for the printers that it fits. */
export async function acceptUnknownMachine(tx: Transaction, job: Job, actor: string): Promise<Job> {
  const { rows } = await tx.query(
    `UPDATE print_jobs SET accept_unknown_machine = true, updated_at = now()
     WHERE id = $1 AND status NOT IN ('completed', 'failed', 'cancelled') RETURNING *`,
    [job.id],
  );
  if (!rows[0]) throw new ConflictError(`The job is ${job.status}.`, 'Choose an open job.');
  const accepted = jobOf(rows[0]);
  await addHistory(tx, accepted, 'its file may go to a machine that it does not name', actor);
  await notify(tx, 'plan');
  return accepted;
}

/**
 * Holds a job, or releases it; only parts that have not started are affected.
 * @param reason the reason, unless it is simply an operator's request
 */
export async function setHold(tx: Transaction, job: Job, hold: boolean, actor: string, reason?: string): Promise<Job> {
  const { rows } = await tx.query(
    `UPDATE print_jobs SET hold = $2, updated_at = now(), 
       status_reason = CASE WHEN $3::text IS NOT NULL THEN $3 WHEN NOT $2 AND status_reason LIKE 'held: %' THEN NULL ELSE status_reason END
     WHERE id = $1 AND status NOT IN ('completed', 'failed', 'cancelled') RETURNING *`,
    [job.id, hold, reason === undefined ? null : `held: ${reason}`],
  );
  const row = rows[0];
  if (!row) throw new ConflictError(`The job is ${job.status}; it cannot be held.`, 'Choose an open job.');
  await addHistory(tx, jobOf(row), hold ? `held${reason === undefined ? '' : `: ${reason}`}` : 'released', actor);
  await notify(tx, 'plan');
  return jobOf(row);
}

/** Restricts a job that is not over to one printer (null: any that can print it), with a line in its history. */
export async function setForcePrinter(
  tx: Transaction,
  job: Job,
  printerId: PrinterId | null,
  actor: string,
): Promise<Job> {
  const { rows } = await tx.query(
    `UPDATE print_jobs SET force_printer = $2, updated_at = now()
     WHERE id = $1 AND status NOT IN ('completed', 'failed', 'cancelled') RETURNING *`,
    [job.id, printerId],
  );
  const row = rows[0];
  if (!row) throw new ConflictError(`The job is ${job.status}; it cannot move.`, 'Choose an open job.');
  const reason = printerId === null ? 'any printer may print it' : `only ${printerId} may print it`;
  await addHistory(tx, jobOf(row), reason, actor);
  await notify(tx, 'plan');
  return jobOf(row);
}

/** Records that the cancellation of a job was requested; from now on none of its starts is sent. */
export async function requestCancel(tx: Transaction, job: Job, actor: string): Promise<void> {
  await tx.query(
    `UPDATE print_jobs SET cancel_requested_at = coalesce(cancel_requested_at, now()),
       cancel_requested_by = coalesce(cancel_requested_by, $2), updated_at = now() WHERE id = $1`,
    [job.id, actor],
  );
}

/** Resets the failures of a job for a replay. The job's row must be locked. */
export async function forgetFailures(tx: Transaction, id: JobId): Promise<void> {
  await tx.query(
    `UPDATE print_jobs SET retry_count = 0, retries_from = now(), giving_up = NULL, failed_on = NULL, failed_at = NULL, not_before = NULL, retry_at = NULL,
       cancel_requested_at = NULL, cancel_requested_by = NULL, retry_settings = '{}' WHERE id = $1`,
    [id],
  );
}

/** Ends retry pauses that began in the future, which means that the database's clock was set back. */
export async function endPausesAhead(db: Queryable): Promise<void> {
  await db.query(
    `UPDATE print_jobs SET retry_at = NULL, failed_at = now()
     WHERE retry_at IS NOT NULL AND completed_at IS NULL AND ${isAhead('failed_at')}`,
  );
}

/** Returns for each of these kits the number of its jobs and of the completed ones; cancelled ones do not count. */
export async function partsOfKits(
  db: Queryable,
  kits: readonly string[],
): Promise<Map<string, { parts: number; completed: number }>> {
  if (kits.length === 0) return new Map();
  const { rows } = await db.query<{ kit_id: string; parts: number; completed: number }>(
    `SELECT kit_id, count(*)::int AS parts, (count(*) FILTER (WHERE status = 'completed'))::int AS completed
     FROM print_jobs WHERE kit_id = ANY ($1::text[]) AND status <> 'cancelled' GROUP BY kit_id`,
    [kits],
  );
  return new Map(rows.map(({ kit_id, parts, completed }) => [kit_id, { parts, completed }]));
}

/** Returns the jobs among these that are not completed, with their status; null: there is no such job. */
export async function unmetDependencies(
  db: Queryable,
  ids: JobId[],
): Promise<{ id: JobId; status: JobStatus | null }[]> {
  if (ids.length === 0) return [];
  const { rows } = await db.query<{ id: JobId; status: JobStatus | null }>(
    `SELECT d.id, j.status FROM unnest($1::uuid[]) AS d (id)
     LEFT JOIN print_jobs j ON j.id = d.id WHERE j.status IS DISTINCT FROM 'completed'`,
    [ids],
  );
  return rows;
}

/** Adds a line to the history that is not a status change, and reports it like one. */
export async function addHistory(tx: Transaction, job: Job, reason: string, actor: string): Promise<void> {
  await tx.query(
    `WITH j AS (UPDATE print_jobs SET job_seq = job_seq + 1 WHERE id = $1 RETURNING *),
     h AS (INSERT INTO job_status_history (job_id, from_status, to_status, reason, changed_at, changed_by)
       SELECT j.id, j.status, j.status, $2, clock_timestamp(), $3 FROM j)
     INSERT INTO outbox (kind, routing_key, job_id, body)
     SELECT 'status', '', j.id,
       ${statusBody({ from: 'j.status', to: 'j.status', reason: '$2::text', actor: '$3::text' })} FROM j`,
    [job.id, reason, actor],
  );
  await notify(tx, 'outbox');
}

/** Returns jobs that are not over although their cancellation was requested, with their attempts. */
export async function cancelledButOpen(db: Queryable): Promise<{ jobId: JobId; attemptId: AttemptId | null }[]> {
  const { rows } = await db.query(
    `SELECT j.id AS job_id, a.id AS attempt_id FROM print_jobs j
     LEFT JOIN print_attempts a ON a.job_id = j.id AND a.phase <> 'ended'
     WHERE j.cancel_requested_at IS NOT NULL AND j.status NOT IN ('completed', 'failed', 'cancelled')`,
  );
  return rows.map((row) => camelCase<{ jobId: JobId; attemptId: AttemptId | null }>(row));
}
