import type { Cancelled as ContractCancelled, CancelRequested as ContractCancelRequested } from '../contracts/jobs';
import type { Farm } from '../farm/farm';
import { mayHaveStarted } from '../model/attempt';
import { ConflictError } from '../model/errors';
import { isTerminal } from '../model/status';
import { endBeforeStart, requestCancelOfAttempts } from '../store/attempts';
import { notify } from '../store/database';
import { changeStatus, findJob, lockJob, requestCancel } from '../store/jobs';

/** The job will certainly neither start nor continue printing. */
export type Cancelled = ContractCancelled & { done: true };

/** The printer has not confirmed the stop yet; the request is stored and no start is sent. */
export type CancelRequested = ContractCancelRequested & { done: false };

const confirmLimit = 30_000;

/**
 * Cancels a job in any open status. Attempts that have not started end immediately; those that may be running are stopped, and
 * the call waits up to 30 s for the confirmation. Cancelling a cancelled job again returns the same answer.
 * @param versions the accepted versions of the job; undefined: any
 * @throws StaleVersionError the job has another version
 * @throws ConflictError the job is completed or failed
 */
export async function cancelJob(
  farm: Farm,
  id: string,
  actor: string,
  { versions, waitMs = confirmLimit }: { versions?: readonly number[] | undefined; waitMs?: number } = {},
): Promise<Cancelled | CancelRequested> {
  let over: () => void = () => undefined;
  const settled = new Promise<void>((resolve) => {
    over = resolve;
  });
  const unlisten = await farm.database.listenFor(`job:${id}`, () => over());
  try {
    const end = performance.now() + waitMs;
    const open = await farm.database.transaction(async (tx) => {
      const job = await lockJob(tx, id, versions);
      if (job.status === 'cancelled') return false;
      if (isTerminal(job.status)) {
        throw new ConflictError(`The job is ${job.status}; there is nothing to cancel.`, 'No action is needed.');
      }
      await requestCancel(tx, job, actor);
      const attempts = await requestCancelOfAttempts(tx, job.id);
      let started = 0;
      for (const attempt of attempts) {
        if (
          mayHaveStarted(attempt.phase) ||
          !(await endBeforeStart(tx, attempt.id, 'cancelled', `cancelled by ${actor}`))
        )
          started++;
        await notify(tx, `attempt:${attempt.id}`);
      }
      if (started > 0) return true;
      await changeStatus(tx, job, 'cancelled', { reason: `cancelled by ${actor}`, actor });
      return false;
    });
    // Notifications wake this loop; it also checks every second, in case one was missed.
    while (open && performance.now() < end) {
      const job = await findJob(farm.database, id);
      if (isTerminal(job.status)) break;
      await Promise.race([settled, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
    }
    const job = await findJob(farm.database, id);
    if (job.status === 'completed' || job.status === 'failed') {
      throw new ConflictError(
        `The job ${job.status === 'completed' ? 'was finished' : 'failed'} before it could be stopped.`,
        'No action is needed.',
      );
    }
    return job.status === 'cancelled'
      ? { done: true, job_id: job.id, status: job.status, cancellation_time: job.completedAt ?? '' }
      : { done: false, job_id: job.id, status: job.status, cancel_requested: true };
  } finally {
    unlisten();
  }
}
