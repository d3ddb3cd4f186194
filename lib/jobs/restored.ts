import type { Restored } from '../farm/epoch';
import type { Job } from '../model/job';
import { isTerminal, type JobStatus } from '../model/status';
import { lockUntilEnd } from '../store/advisory-locks';
import { attemptsOf, loseTrackOf, withdrawAttempt } from '../store/attempts';
import { type Database, notify } from '../store/database';
import { beginEpoch, lockFarm, skipNumbers } from '../store/farm-epoch';
import { addHistory, amendJob, changeStatus, jobsUnderWay, lockJob, setHold } from '../store/jobs';
import { dropOvertakenDispatches } from '../store/outbox';
import { allPrinters, occupyBedByOther } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { settle } from './settle';

const reason = 'the database was restored from a backup';

/** Treats the database as restored from a backup, in one transaction; see `afterRestore`. */
export function restored(database: Database, actor: string): Promise<Restored> {
  return database.transaction(async (tx) => {
    await lockFarm(tx);
    return afterRestore(tx, actor);
  });
}

/**
 * Makes a database restored from a backup safe to continue with. It lacks everything that happened after the backup, so its state of
 * prints and beds is not trusted: unclaimed attempts are withdrawn; claimed ones, in any phase, may have started
 * since and become `outcome_unknown`; their jobs are held; all beds are occupied. The farm's row must be locked.
 *
 * @param beyond an epoch known from another source; the new epoch is greater
 */
export async function afterRestore(tx: Transaction, actor: string, beyond = 0): Promise<Restored> {
  const done: Restored = { withdrawn: 0, outcomeUnknown: 0, held: 0, beds: 0 };
  await lockUntilEnd(tx, 'tick');
  await beginEpoch(tx, beyond, actor);
  await skipNumbers(tx);
  for (const id of await jobsUnderWay(tx)) await holdWhatIsUnderWay(tx, await lockJob(tx, id), actor, done);
  await dropOvertakenDispatches(tx);
  for (const { id } of await allPrinters(tx)) {
    await occupyBedByOther(tx, id, 'unknown', actor, reason);
    done.beds++;
  }
  await notify(tx, 'plan');
  return done;
}

async function holdWhatIsUnderWay(tx: Transaction, found: Job, actor: string, done: Restored): Promise<void> {
  let job = found;
  let unknown = 0;
  const open = (await attemptsOf(tx, job.id)).filter(({ phase }) => phase !== 'ended');
  // First the attempts that stay open: the status of the job follows from them.
  for (const attempt of open.filter(({ phase }) => phase !== 'dispatched')) {
    if (await loseTrackOf(tx, attempt.id, reason)) unknown++;
    await notify(tx, `attempt:${attempt.id}`);
  }
  const question = `outcome_unknown: ${reason}. Look at the printer and answer whether it printed.`;
  if (unknown > 0) job = await showQuestion(tx, job, question, actor);
  for (const { id, phase } of open) {
    // No agent has claimed it, so there is no lease.
    const attempt = phase === 'dispatched' ? await withdrawAttempt(tx, id, reason, 0) : undefined;
    if (!attempt) continue;
    job = await settle(tx, job, { attempt, outcome: 'withdrawn', reason: `withdrawn: ${reason}`, actor });
    done.withdrawn++;
  }
  done.outcomeUnknown += unknown;
  // Its cancellation was requested, and no attempt of it is open any more.
  if (isTerminal(job.status)) return;
  await setHold(tx, job, true, actor, `${reason}; prints since then are unknown`);
  if (unknown > 0) await amendJob(tx, job.id, { statusReason: question });
  done.held++;
}

const shownInTurn: readonly JobStatus[] = ['queued', 'scheduled', 'slicing', 'uploading'];

/** Shows that a start of the job may have been sent, with the question for an operator. */
async function showQuestion(tx: Transaction, job: Job, question: string, actor: string): Promise<Job> {
  const present = shownInTurn.indexOf(job.status);
  const next = present === -1 ? [] : shownInTurn.slice(present + 1);
  if (next.length === 0) await addHistory(tx, job, question, actor);
  let shown = job;
  for (const status of next) shown = await changeStatus(tx, shown, status, { reason: question, actor });
  return amendJob(tx, shown.id, { statusReason: question });
}
