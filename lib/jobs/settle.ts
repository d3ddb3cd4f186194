import type { AttemptOutcome } from '../model/attempt';
import { ConflictError } from '../model/errors';
import type { Job } from '../model/job';
import { changedFor, type FailureKind, type RetryPolicy, retryPause } from '../model/retry-policy';
import { isTerminal, type JobStatus, openStatus, statusGraph } from '../model/status';
import type { Attempt } from '../store/attempts';
import { attemptsOf, failuresOfCopy } from '../store/attempts';
import { databaseNow, notify } from '../store/database';
import { insertDeadLetter } from '../store/dead-letters';
import { amendJob, changeStatus, type StatusChange } from '../store/jobs';
import { emptySpool } from '../store/materials';
import { addDeadLetterMessage } from '../store/outbox';
import type { Transaction } from '../store/queryable';
import { spoolsTaken } from '../store/spool-changes';

/** Whether trying again can help. */
export type FailureClass = 'transient' | 'permanent';

/** How an attempt ended, for the job that it belongs to. */
export interface AttemptEnd {
  attempt: Attempt;
  outcome: AttemptOutcome;
  reason: string;
  actor: string;
  /** Only for outcomes `failed` and `not_started`. */
  failure?: FailureClass;
  /** Of an attempt that was withdrawn: whether the job waits a little, and prefers another printer. */
  pause?: boolean;
  /** What is recorded with the job when the attempt had started. */
  outcomeId?: string;
  hours?: number | null;
  costUsd?: number;
  /** What kind of failure it was, and which kinds are tried again with other settings. */
  failureKind?: FailureKind | null;
  retryPolicy?: RetryPolicy;
}

/** Before a printer that was not ready is asked again (seconds). */
const withdrawnPause = 30;
/** What the columns DECIMAL(5,2) and DECIMAL(10,2) hold. */
const mostHours = 999.99;

/**
 * Brings a job to what follows from the end of one of its attempts: the next copy, a retry, completion, failure with
 * a dead letter, or cancellation. The job's row is locked and the attempt is ended already.
 */
export async function settle(tx: Transaction, job: Job, end: AttemptEnd): Promise<Job> {
  // What is over is put back into the queue by people only.
  if (isTerminal(job.status))
    throw new ConflictError(`The job is ${job.status}; no attempt changes that.`, 'Look at the job again.');
  const open = (await attemptsOf(tx, job.id)).filter((attempt) => attempt.phase !== 'ended');
  const openNow = openStatus(open.map((attempt) => attempt.phase));
  const facts: StatusChange = {
    reason: end.reason,
    actor: end.actor,
    ...(end.outcomeId !== undefined && { outcomeId: end.outcomeId }),
    ...(end.hours != null && { actualDurationHours: Math.min(mostHours, (job.actualDurationHours ?? 0) + end.hours) }),
    ...(end.costUsd !== undefined && { actualCostUsd: (job.actualCostUsd ?? 0) + end.costUsd }),
  };

  if (job.cancelRequestedAt !== null) {
    // Somebody wants the job to end, however this attempt did; a last copy that was finished all the same is done.
    const copiesDone = job.copiesDone + (end.outcome === 'completed' ? 1 : 0);
    if (open.length > 0) return goTo(tx, job, openNow, { ...facts, copiesDone });
    if (copiesDone === job.copies) return goTo(tx, job, 'completed', { ...facts, copiesDone });
    return goTo(tx, job, 'cancelled', { ...facts, copiesDone, reason: end.reason });
  }

  switch (end.outcome) {
    case 'completed': {
      const copiesDone = job.copiesDone + 1;
      if (copiesDone >= job.copies) return goTo(tx, job, 'completed', { ...facts, copiesDone });
      const reason = `${copiesDone} of ${job.copies} copies done`;
      if (job.givingUp !== null && open.length === 0)
        return giveUp(tx, job, end, { ...facts, copiesDone }, job.givingUp);
      return goTo(tx, job, openNow, { ...facts, copiesDone, reason });
    }
    case 'withdrawn':
      if (end.pause) {
        const retryAt = new Date((await databaseNow(tx)) + withdrawnPause * 1000).toISOString();
        await amendJob(tx, job.id, { retryAt, failedOn: end.attempt.printerId });
      }
      return goTo(tx, job, openNow, facts);
    case 'cancelled':
      // Stopped at the printer, not by us: the person there does not want it.
      if (job.copies === 1) return goTo(tx, job, 'cancelled', facts);
      return retryOrGiveUp(tx, job, { ...end, failure: 'transient' }, facts, openNow, open.length);
    case 'failed':
    case 'not_started':
      return retryOrGiveUp(tx, job, end, facts, openNow, open.length);
  }
}

async function retryOrGiveUp(
  tx: Transaction,
  job: Job,
  end: AttemptEnd,
  facts: StatusChange,
  openNow: JobStatus,
  openCount: number,
): Promise<Job> {
  const failures = await failuresOfCopy(tx, job.id, end.attempt.copy);
  const exhausted = failures > job.maxRetries;
  if (end.failure === 'permanent' || exhausted || job.givingUp !== null) {
    const why =
      end.failure === 'permanent' || !exhausted
        ? end.reason
        : `${end.reason} (given up after ${failures} ${failures === 1 ? 'try' : 'tries'} at this copy)`;
    if (openCount === 0) return giveUp(tx, job, end, facts, job.givingUp ?? why);
    await amendJob(tx, job.id, { givingUp: why });
    return goTo(tx, job, openNow, facts);
  }
  const pause = retryPause(failures);
  const retryAt = new Date((await databaseNow(tx)) + pause * 1000).toISOString();
  const changed = changedFor(end.failureKind ?? null, end.retryPolicy ?? new Set(), job.retrySettings);
  // After a change of spools nobody knows which of them it was that ran out.
  const onlySpool = (await spoolsTaken(tx, end.attempt.id)).length === 0 ? end.attempt.spoolId : null;
  if (changed && end.failureKind === 'run_out' && onlySpool) await emptySpool(tx, onlySpool);
  await amendJob(tx, job.id, {
    retryAt,
    failedOn: end.attempt.printerId,
    ...(changed && { retrySettings: changed.settings }),
  });
  return goTo(tx, job, openNow, {
    ...facts,
    retryCount: job.retryCount + 1,
    reason: `${end.reason}; tried again in ${pause} s${changed ? `, ${changed.words}` : ''}`,
  });
}

/** The job fails for good, and its message waits among the dead letters to be replayed. */
async function giveUp(tx: Transaction, job: Job, end: AttemptEnd, facts: StatusChange, why: string): Promise<Job> {
  const failed = await goTo(tx, job, 'failed', { ...facts, reason: why });
  const message = {
    job_id: job.id,
    job_name: job.jobName,
    attempt_id: end.attempt.id,
    printer_id: end.attempt.printerId,
  };
  await insertDeadLetter(tx, { jobId: job.id, attemptId: end.attempt.id, reason: why, message });
  await addDeadLetterMessage(tx, job.id, { ...message, reason: why });
  return failed;
}

/** Changes the status, or only the facts if it is that already. A printer that has an attempt less may have room. */
async function goTo(tx: Transaction, job: Job, to: JobStatus, change: StatusChange): Promise<Job> {
  await notify(tx, 'plan');
  if (job.status === to) {
    return amendJob(tx, job.id, {
      statusReason: change.reason,
      ...(change.copiesDone !== undefined && { copiesDone: change.copiesDone }),
      ...(change.retryCount !== undefined && { retryCount: change.retryCount }),
      ...(change.outcomeId !== undefined && { outcomeId: change.outcomeId }),
      ...(change.actualDurationHours != null && { actualDurationHours: change.actualDurationHours }),
      ...(change.actualCostUsd != null && { actualCostUsd: change.actualCostUsd }),
    });
  }
  if (to === 'completed' && !statusGraph[job.status].includes(to)) {
    // Found finished after nobody had watched: it did print, and its history says so.
    const printing = await changeStatus(tx, job, 'printing', {
      ...change,
      reason: 'found on the printer',
      actor: change.actor,
    });
    return changeStatus(tx, printing, to, change);
  }
  return changeStatus(tx, job, to, change);
}
