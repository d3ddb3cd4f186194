import { basename } from 'node:path';
import type { Job } from '../model/job';
import { openStatus } from '../model/status';
import type { Attempt } from '../store/attempts';
import { changeStatus } from '../store/jobs';
import type { Transaction } from '../store/queryable';

/** Sets a job's status to that of its most advanced open attempt. The job's row must be locked. */
export async function showPhase(tx: Transaction, job: Job, attempt: Attempt, actor: string): Promise<Job> {
  const to = openStatus([attempt.phase]);
  if (job.status === to || attempt.phase === 'outcome_unknown') return job;
  const order = ['queued', 'scheduled', 'slicing', 'uploading', 'printing'];
  if (order.indexOf(to) < order.indexOf(job.status)) return job;
  let current = job;
  for (const status of order.slice(order.indexOf(job.status) + 1, order.indexOf(to) + 1)) {
    current = await changeStatus(tx, current, status as typeof job.status, {
      reason: reasonOf(status, attempt),
      actor,
      assignedPrinterId: attempt.printerId,
    });
  }
  return current;
}

function reasonOf(status: string, attempt: Attempt): string {
  switch (status) {
    case 'slicing':
      return `claimed for ${attempt.printerId}`;
    case 'uploading':
      return `sent to ${attempt.printerId} as ${basename(attempt.fileName)}`;
    case 'printing':
      return `${attempt.printerId} prints ${attempt.fileName}`;
    default:
      return `planned for ${attempt.printerId}`;
  }
}
