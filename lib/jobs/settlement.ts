import type { AttemptOutcome, AttemptPhase } from '../model/attempt';
import type { SpoolId } from '../model/ids';
import type { Job } from '../model/job';
import { atMost, mostJobHours, mostUsd } from '../model/limits';
import { changedFor, type FailureKind, type RetryPolicy, retryPause } from '../model/retry-policy';
import { type JobStatus, openStatus, statusGraph } from '../model/status';
import type { Attempt } from '../store/attempts';
import type { JobAmendment, StatusChange } from '../store/jobs';

/** Whether a retry can help. */
export type FailureClass = 'transient' | 'permanent';

/** How an attempt ended, as its job sees it. */
export interface AttemptEnd {
  attempt: Attempt;
  outcome: AttemptOutcome;
  reason: string;
  actor: string;
  /** Only for outcomes `failed` and `not_started`. */
  failure?: FailureClass;
  /** For a withdrawn attempt: whether the job waits briefly and prefers another printer. */
  pause?: boolean;
  /** The outcome recorded with the job if the attempt had started. */
  outcomeId?: string;
  hours?: number | null;
  costUsd?: number;
  /** The kind of the failure, which decides whether the retry uses other settings. */
  failureKind?: FailureKind | null;
  retryPolicy?: RetryPolicy;
}

/** Facts about the job beyond its row at the end of one of its attempts. */
export interface SettlingFacts {
  /** The phases of its attempts, including ended ones. */
  phases: readonly AttemptPhase[];
  /** How often this copy has failed, including this time. */
  failures: number;
  /** How often its attempts were withdrawn on this printer within the last six hours, including this time; 0 without a pause. */
  withdrawals: number;
  /** By the database's clock (ms since 1970). */
  now: number;
  /** Whether spools were changed during the attempt. */
  spoolsChanged: boolean;
}

/** The consequences for a job of the end of one of its attempts. */
export interface Settlement {
  status: JobStatus;
  change: StatusChange;
  /** Further changes of the job. */
  amendment?: JobAmendment;
  /** A spool that counts as empty from now on. */
  emptied?: SpoolId;
  /** The job is given up, and its message becomes a dead letter. */
  givenUp?: true;
}

type Shown = Pick<
  Job,
  | 'actualCostUsd'
  | 'actualDurationHours'
  | 'cancelRequestedAt'
  | 'copies'
  | 'copiesDone'
  | 'givingUp'
  | 'maxRetries'
  | 'retryCount'
  | 'retrySettings'
>;

/** Delay before a printer that was not ready is tried again (seconds); it doubles each time. */
const withdrawnPause = 30;
/**
 * A printer that is not ready costs the job no retry. After so many withdrawals within six hours, although the printer seemed ready each
 * time, the job itself may be the cause, and each further one counts as a failure.
 */
const mostWithdrawals = 5;

/** Returns what follows for a job from the end of one of its attempts: the next copy, a retry, completion, failure, or cancellation. */
export function settlementOf(job: Shown, end: AttemptEnd, facts: SettlingFacts): Settlement {
  const open = facts.phases.filter((phase) => phase !== 'ended').length;
  const shown = openStatus(facts.phases);
  const change: StatusChange = {
    reason: end.reason,
    actor: end.actor,
    ...(end.outcomeId !== undefined && { outcomeId: end.outcomeId }),
    ...(end.hours != null && { actualDurationHours: atMost(mostJobHours, (job.actualDurationHours ?? 0) + end.hours) }),
    ...(end.costUsd !== undefined && { actualCostUsd: atMost(mostUsd, (job.actualCostUsd ?? 0) + end.costUsd) }),
  };

  if (job.cancelRequestedAt !== null) {
    // The job is being cancelled, whatever the outcome of this attempt; a last copy that still finished completes it.
    const copiesDone = job.copiesDone + (end.outcome === 'completed' ? 1 : 0);
    if (open > 0) return { status: shown, change: { ...change, copiesDone } };
    return { status: copiesDone === job.copies ? 'completed' : 'cancelled', change: { ...change, copiesDone } };
  }

  switch (end.outcome) {
    case 'completed': {
      const copiesDone = job.copiesDone + 1;
      if (copiesDone >= job.copies) return { status: 'completed', change: { ...change, copiesDone } };
      if (job.givingUp !== null && open === 0) return givenUp({ ...change, copiesDone }, job.givingUp);
      return { status: shown, change: { ...change, copiesDone, reason: `${copiesDone} of ${job.copies} copies done` } };
    }
    case 'withdrawn': {
      if (!end.pause) return { status: shown, change };
      if (facts.withdrawals > mostWithdrawals)
        return retryOrGiveUp(job, { ...end, failure: 'transient' }, change, {
          ...facts,
          failures: facts.failures + facts.withdrawals - mostWithdrawals,
        });
      const pause = withdrawnPause * 2 ** Math.max(0, facts.withdrawals - 1);
      const retryAt = new Date(facts.now + pause * 1000).toISOString();
      return { status: shown, change, amendment: { retryAt, failedOn: end.attempt.printerId } };
    }
    case 'cancelled':
      // Stopped at the printer, not by the farm: the operator there does not want it.
      if (job.copies === 1) return { status: 'cancelled', change };
      return retryOrGiveUp(job, { ...end, failure: 'transient' }, change, facts);
    case 'failed':
    case 'not_started':
      return retryOrGiveUp(job, end, change, facts);
  }
}

function retryOrGiveUp(job: Shown, end: AttemptEnd, change: StatusChange, facts: SettlingFacts): Settlement {
  const { failures, phases } = facts;
  const shown = openStatus(phases);
  const exhausted = failures > job.maxRetries;
  if (end.failure === 'permanent' || exhausted || job.givingUp !== null) {
    const why =
      end.failure === 'permanent' || !exhausted
        ? end.reason
        : `${end.reason} (given up after ${failures} ${failures === 1 ? 'try' : 'tries'} at this copy)`;
    if (phases.every((phase) => phase === 'ended')) return givenUp(change, job.givingUp ?? why);
    return { status: shown, change, amendment: { givingUp: why } };
  }
  const pause = retryPause(failures);
  const changed = changedFor(end.failureKind ?? null, end.retryPolicy ?? new Set(), job.retrySettings);
  // After a change of spools it is unknown which of them ran out.
  const onlySpool = facts.spoolsChanged ? null : end.attempt.spoolId;
  return {
    status: shown,
    change: {
      ...change,
      retryCount: job.retryCount + 1,
      reason: `${end.reason}; tried again in ${pause} s${changed ? `, ${changed.words}` : ''}`,
    },
    amendment: {
      retryAt: new Date(facts.now + pause * 1000).toISOString(),
      failedOn: end.attempt.printerId,
      ...(changed && { retrySettings: changed.settings }),
    },
    ...(changed && end.failureKind === 'run_out' && onlySpool && { emptied: onlySpool }),
  };
}

const givenUp = (change: StatusChange, why: string): Settlement => ({
  status: 'failed',
  change: { ...change, reason: why },
  givenUp: true,
});

/** The statuses that a job passes through on its way to another; none if it has that status already. */
export function passedThrough(from: JobStatus, to: JobStatus): JobStatus[] {
  if (from === to) return [];
  // It finished unobserved: it did print, and its history records that.
  if (to === 'completed' && !statusGraph[from].includes(to)) return ['printing', to];
  return [to];
}
