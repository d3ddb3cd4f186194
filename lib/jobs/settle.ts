import { ConflictError } from '../model/errors';
import type { Job } from '../model/job';
import { isTerminal, type JobStatus } from '../model/status';
import { attemptsOf, failuresOfCopy, recentWithdrawals } from '../store/attempts';
import { databaseNow, notify } from '../store/database';
import { insertDeadLetter } from '../store/dead-letters';
import { amendJob, changeStatus, type StatusChange } from '../store/jobs';
import { emptySpool } from '../store/materials';
import { addDeadLetterMessage } from '../store/outbox';
import type { Transaction } from '../store/queryable';
import { spoolsTaken } from '../store/spool-changes';
import { type AttemptEnd, passedThrough, settlementOf } from './settlement';

/**
 * Applies to a job what follows from the end of one of its attempts (`settlementOf`). The job's row must be locked and the
 * attempt must have ended.
 */
export async function settle(tx: Transaction, job: Job, end: AttemptEnd): Promise<Job> {
  // Only an operator puts a job that is over back into the queue.
  if (isTerminal(job.status))
    throw new ConflictError(`The job is ${job.status}; no attempt changes that.`, 'Look at the job again.');
  const { attempt } = end;
  const settlement = settlementOf(job, end, {
    phases: (await attemptsOf(tx, job.id)).map(({ phase }) => phase),
    failures: await failuresOfCopy(tx, job.id, attempt.copy),
    withdrawals: end.pause ? await recentWithdrawals(tx, job.id, attempt.printerId) : 0,
    now: await databaseNow(tx),
    spoolsChanged: (await spoolsTaken(tx, attempt.id)).length > 0,
  });
  if (settlement.emptied) await emptySpool(tx, settlement.emptied);
  if (settlement.amendment) await amendJob(tx, job.id, settlement.amendment);
  const settled = await goTo(tx, job, settlement.status, settlement.change);
  if (settlement.givenUp) await addDeadLetter(tx, job, end, settlement.change.reason ?? end.reason);
  return settled;
}

/** Stores the message of a job that has failed for good as a dead letter, to be replayed. */
async function addDeadLetter(tx: Transaction, job: Job, { attempt }: AttemptEnd, reason: string): Promise<void> {
  const message = {
    job_id: job.id,
    job_name: job.jobName,
    attempt_id: attempt.id,
    printer_id: attempt.printerId,
  };
  await insertDeadLetter(tx, { jobId: job.id, attemptId: attempt.id, reason, message });
  await addDeadLetterMessage(tx, job.id, { ...message, reason });
}

/** Changes the status, or only the facts if the job has it already. A printer with one attempt fewer may have room. */
async function goTo(tx: Transaction, job: Job, to: JobStatus, change: StatusChange): Promise<Job> {
  await notify(tx, 'plan');
  const way = passedThrough(job.status, to);
  if (way.length === 0) {
    return amendJob(tx, job.id, {
      statusReason: change.reason,
      ...(change.copiesDone !== undefined && { copiesDone: change.copiesDone }),
      ...(change.retryCount !== undefined && { retryCount: change.retryCount }),
      ...(change.outcomeId !== undefined && { outcomeId: change.outcomeId }),
      ...(change.actualDurationHours != null && { actualDurationHours: change.actualDurationHours }),
      ...(change.actualCostUsd != null && { actualCostUsd: change.actualCostUsd }),
    });
  }
  let there = job;
  for (const status of way) {
    const reason = status === to ? change.reason : 'found on the printer';
    there = await changeStatus(tx, there, status, { ...change, reason });
  }
  return there;
}
