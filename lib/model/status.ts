import type { AttemptPhase } from './attempt';

/** The eight statuses of a job. */
export const jobStatuses = [
  'queued',
  'scheduled',
  'slicing',
  'uploading',
  'printing',
  'completed',
  'failed',
  'cancelled',
] as const;
export type JobStatus = (typeof jobStatuses)[number];

/**
 * The status graph: from each status, the ones that may follow. Open statuses may fall back, because a job of several
 * copies shows its most advanced open copy. A terminal status is left only by a replay (failed to queued) and by a part
 * that is rejected (completed to queued).
 * The database holds the same table (`job_status_transitions`) and rejects everything else.
 */
export const statusGraph: Readonly<Record<JobStatus, readonly JobStatus[]>> = {
  queued: ['scheduled', 'failed', 'cancelled'],
  scheduled: ['slicing', 'queued', 'failed', 'cancelled'],
  slicing: ['uploading', 'queued', 'scheduled', 'failed', 'cancelled'],
  uploading: ['printing', 'queued', 'scheduled', 'slicing', 'failed', 'cancelled'],
  printing: ['completed', 'queued', 'scheduled', 'slicing', 'uploading', 'failed', 'cancelled'],
  completed: ['queued'],
  failed: ['queued'],
  cancelled: [],
};

const terminalStatuses = ['completed', 'failed', 'cancelled'] as const satisfies readonly JobStatus[];

/** Whether a job with this status is over, so that nothing more happens to it without a request. */
export function isTerminal(status: JobStatus): boolean {
  return (terminalStatuses as readonly JobStatus[]).includes(status);
}

/** The status of a job while its attempt is in this phase. */
const statusOfPhase: Readonly<Record<Exclude<AttemptPhase, 'ended'>, JobStatus>> = {
  dispatched: 'scheduled',
  claimed: 'slicing',
  preparing: 'slicing',
  uploading: 'uploading',
  starting: 'uploading',
  outcome_unknown: 'uploading',
  printing: 'printing',
};

const openOrder: readonly JobStatus[] = ['queued', 'scheduled', 'slicing', 'uploading', 'printing'];

/** Returns the status of a job that is not over: that of its most advanced open attempt, or `queued`. */
export function openStatus(phases: readonly AttemptPhase[]): JobStatus {
  let best: JobStatus = 'queued';
  for (const phase of phases) {
    if (phase === 'ended') continue;
    const status = statusOfPhase[phase];
    if (openOrder.indexOf(status) > openOrder.indexOf(best)) best = status;
  }
  return best;
}
