import { type BedView, bedView } from '../beds/bed-view';
import type { DeadLetter, ReplayedDeadLetter } from '../contracts/farm';
import type { Held } from '../contracts/jobs';
import { parseBedClear, parsePriorityChange, parseRelease } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { mayHaveStarted } from '../model/attempt';
import { ConflictError, UnacceptableInputError } from '../model/errors';
import type { JobId, PrinterId } from '../model/ids';
import { isActive } from '../model/printer';
import { openAttemptOf } from '../store/attempts';
import { lockDeadLetter, resolveDeadLetter, unresolvedDeadLetters } from '../store/dead-letters';
import { acceptUnknownMachine, changeStatus, forgetFailures, lockJob, setHold, setPriority } from '../store/jobs';
import { clearBed, lockPrinter } from '../store/printers';

/**
 * Changes the priority of an open job: {priority} from 1 (highest) to 10.
 * @param versions the accepted versions of the job; undefined: any
 * @throws StaleVersionError the job has another version
 */
export async function reprioritise(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
  versions?: readonly number[],
): Promise<{ job_id: JobId; priority: number }> {
  const { priority } = parsePriorityChange(input);
  const job = await farm.database.transaction(async (tx) =>
    setPriority(tx, await lockJob(tx, id, versions), priority, actor),
  );
  return { job_id: job.id, priority: job.priority };
}

/**
 * Holds a job, or releases it; prints under way go on. A release may confirm that a file which names no machine was made for the
 * printers that it fits: {accept_unknown_machine}.
 * @param versions the accepted versions of the job; undefined: any
 * @throws StaleVersionError the job has another version
 */
export async function hold(
  farm: Farm,
  id: string,
  held: boolean,
  actor: string,
  versions?: readonly number[],
  input?: unknown,
): Promise<Held> {
  const { accept_unknown_machine: accepted = false } = held ? {} : parseRelease(input ?? {});
  const job = await farm.database.transaction(async (tx) => {
    const found = await lockJob(tx, id, versions);
    const locked = accepted ? await acceptUnknownMachine(tx, found, actor) : found;
    return locked.hold === held ? locked : setHold(tx, locked, held, actor);
  });
  return { job_id: job.id, hold: job.hold, status: job.status };
}

/**
 * Confirms for an operator that a bed is clear: {bed_version} as last seen; where it is optional, a missing one means the current version.
 * @param versionRequired whether the version is required, as over HTTP
 * @throws UnacceptableInputError the version is missing
 * @throws ConflictError the printer is printing, a start may be under way, or the version is stale
 */
export async function clearBedOf(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
  versionRequired = false,
): Promise<{ printer_id: PrinterId; bed: BedView }> {
  const { bed_version } = parseBedClear(input ?? {});
  if (versionRequired && bed_version === undefined) {
    const remedy = 'Send the bed.version that GET printers shows for this printer, as {"bed_version": 7}.';
    throw new UnacceptableInputError('The request does not state the version of the bed.', [
      { field: 'bed_version', value: null, remedy },
    ]);
  }
  const printer = await farm.database.transaction(async (tx) => {
    // The intent to start is written under this lock; an attempt read before it could miss a start under way.
    const locked = await lockPrinter(tx, id);
    const attempt = await openAttemptOf(tx, locked.id);
    if (attempt?.phase === 'outcome_unknown') {
      throw new ConflictError(
        `It is unknown whether ${locked.name} printed attempt ${attempt.id}.`,
        'First report whether it printed (POST attempts/{id}/outcome).',
        'outcome_unknown',
      );
    }
    const printing = locked.online && locked.report !== null && isActive(locked.report.state);
    if (printing || (attempt && mayHaveStarted(attempt.phase))) {
      throw new ConflictError(
        `${locked.name} is printing.`,
        'Wait for the print to end, or cancel it.',
        'printer_is_printing',
      );
    }
    if (bed_version === undefined && locked.bedState === 'clear') return locked;
    return clearBed(tx, locked, bed_version, actor);
  });
  return { printer_id: printer.id, bed: bedView(printer) };
}

/** A dead letter in the form of the API. */
export type DeadLetterView = DeadLetter;

const mostDeadLetters = 10_000;

/** Returns the open dead letters, newest first. */
export async function deadLetters(farm: Farm): Promise<{ dead_letters: DeadLetterView[] }> {
  const letters = await unresolvedDeadLetters(farm.database, mostDeadLetters);
  return {
    dead_letters: letters.map((letter) => ({
      id: letter.id,
      job_id: letter.jobId,
      attempt_id: letter.attemptId,
      reason: letter.reason,
      message: letter.message,
      created_at: letter.createdAt,
    })),
  };
}

/** Puts a failed job back into the queue as if it were new. Idempotent. */
export async function replay(farm: Farm, id: string, actor: string): Promise<ReplayedDeadLetter> {
  return farm.database.transaction(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (letter.resolution === 'discarded')
      throw new ConflictError('This dead letter was discarded.', 'Submit the job again.');
    if (letter.jobId === null) throw new ConflictError('This dead letter belongs to no job.', 'Discard it.');
    let job = await lockJob(tx, letter.jobId);
    if (letter.resolution === null) {
      if (job.status === 'failed') {
        await forgetFailures(tx, job.id);
        job = await changeStatus(tx, job, 'queued', { reason: 'replayed', actor });
      }
      await resolveDeadLetter(tx, id, 'replayed');
    }
    return { id, job_id: job.id, status: job.status };
  });
}

/** Discards a dead letter for good; its job stays failed. Idempotent. */
export async function discard(farm: Farm, id: string): Promise<{ id: string; resolution: 'discarded' }> {
  return farm.database.transaction(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (letter.resolution === 'replayed')
      throw new ConflictError('This dead letter was replayed.', 'Cancel its job instead.');
    await resolveDeadLetter(tx, id, 'discarded');
    return { id, resolution: 'discarded' as const };
  });
}
