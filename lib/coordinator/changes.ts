import { recordOutcome } from '../agent/record-outcome';
import { settle } from '../agent/settle';
import { mayHaveStarted } from '../model/attempt';
import { ConflictError, NotFoundError } from '../model/errors';
import { isUuid, type JobId, type PrinterId } from '../model/ids';
import { parseBedClear, parseOutcomeAnswer, parsePriorityChange, parseRelease } from '../model/messages';
import { isActive } from '../model/printer';
import { answerUnknown, findAttempt, openAttemptOf } from '../store/attempts';
import { databaseNow, notify } from '../store/database';
import { lockDeadLetter, resolveDeadLetter, unresolvedDeadLetters } from '../store/dead-letters';
import { acceptUnknownMachine, changeStatus, forgetFailures, lockJob, setHold, setPriority } from '../store/jobs';
import { clearBed, findPrinter, lockPrinter } from '../store/printers';
import type { Farm } from './farm';
import { type BedView, bedView } from './views';

/**
 * Changes the priority of an open job: {priority} from 1 (highest) to 10.
 * @param versions of the job that the change was decided upon; undefined: any
 * @throws StaleVersionError the job has another version by now
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
 * Holds a job back (or lets it go); what is under way goes on. Letting go may bring the word that a file which names no
 * machine was made for the printers that it fits: {accept_unknown_machine}.
 * @param versions of the job that the change was decided upon; undefined: any
 * @throws StaleVersionError the job has another version by now
 */
export async function hold(
  farm: Farm,
  id: string,
  held: boolean,
  actor: string,
  versions?: readonly number[],
  input?: unknown,
): Promise<{ job_id: JobId; hold: boolean; status: string }> {
  const { accept_unknown_machine: accepted = false } = held ? {} : parseRelease(input ?? {});
  const job = await farm.database.transaction(async (tx) => {
    const found = await lockJob(tx, id, versions);
    const locked = accepted ? await acceptUnknownMachine(tx, found, actor) : found;
    return locked.hold === held ? locked : setHold(tx, locked, held, actor);
  });
  return { job_id: job.id, hold: job.hold, status: job.status };
}

/**
 * An operator says that a bed is clear: {bed_version} as last seen, or nothing for the present one.
 * @throws ConflictError the printer is printing, a start may be under way, or the version is stale
 */
export async function clearBedOf(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
): Promise<{ printer_id: PrinterId; bed: BedView }> {
  const { bed_version } = parseBedClear(input ?? {});
  const printer = await farm.database.transaction(async (tx) => {
    const known = await findPrinter(tx, id);
    const attempt = await openAttemptOf(tx, known.id);
    if (attempt?.phase === 'outcome_unknown') {
      throw new ConflictError(
        `Nobody knows yet whether ${known.name} printed attempt ${attempt.id}.`,
        'Answer first whether it printed (POST attempts/{id}/outcome).',
        'outcome_unknown',
      );
    }
    const locked = await lockPrinter(tx, id);
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

/**
 * An operator says what became of an attempt that nobody could follow: {printed}.
 * "It did not" is believed only after the longest life of a start command and with the printer idle and connected anew.
 */
export async function answerOutcome(
  farm: Farm,
  id: string,
  input: unknown,
  actor: string,
): Promise<{ attempt_id: string; job_id: JobId; status: string }> {
  const { printed } = parseOutcomeAnswer(input);
  const attempt = isUuid(id) ? await findAttempt(farm.database, id) : undefined;
  if (!attempt) throw new NotFoundError('attempt', id);
  const job = await farm.database.transaction(async (tx) => {
    const locked = await lockJob(tx, attempt.jobId);
    const printer = await findPrinter(tx, attempt.printerId);
    if (!printed) {
      const since = attempt.startIntentAt === null ? 0 : (await databaseNow(tx)) - Date.parse(attempt.startIntentAt);
      if (since < farm.times.startCommandSeconds * 1000) {
        throw new ConflictError(
          'The start may still reach the printer.',
          `Answer again ${farm.times.startCommandSeconds} s after the start.`,
        );
      }
      if (!printer.online || printer.report === null || printer.report.state !== 'idle') {
        throw new ConflictError(
          `${printer.name} does not report itself as idle.`,
          'Switch it on and let it become idle, then answer again.',
        );
      }
    }
    const reason = printed ? `${actor} says that it printed` : `${actor} says that it did not print`;
    const ended = await answerUnknown(tx, attempt.id, printed ? 'completed' : 'not_started', reason);
    if (!ended) throw new ConflictError('This attempt asks nothing.', 'Look at the job again.');
    await notify(tx, `attempt:${attempt.id}`);
    const record = printed
      ? await recordOutcome(tx, locked, {
          attempt: ended,
          outcome: 'completed',
          reason,
          timeScale: printer.report?.timeScale ?? 1,
          sawItRun: false,
          lastProgress: 1,
          filamentMm: null,
          tariff: farm.agentOptions.tariff,
          lowStockGrams: farm.agentOptions.lowStockGrams,
        })
      : {};
    return settle(tx, locked, {
      attempt: ended,
      outcome: printed ? 'completed' : 'not_started',
      reason,
      actor,
      ...record,
      ...(!printed && { failure: 'transient' as const }),
    });
  });
  return { attempt_id: attempt.id, job_id: job.id, status: job.status };
}

/** A dead letter as the API shows it. */
export interface DeadLetterView {
  id: string;
  job_id: string | null;
  attempt_id: string | null;
  reason: string;
  message: unknown;
  created_at: string;
}

const mostDeadLetters = 10_000;

/** What was given up and waits to be dealt with, newest first. */
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

/** Puts a failed job back into the queue as if it were new. Doing it again changes nothing. */
export async function replay(
  farm: Farm,
  id: string,
  actor: string,
): Promise<{ id: string; job_id: JobId | null; status: string }> {
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

/** Puts a dead letter away for good; its job stays failed. Doing it again changes nothing. */
export async function discard(farm: Farm, id: string): Promise<{ id: string; resolution: 'discarded' }> {
  return farm.database.transaction(async (tx) => {
    const letter = await lockDeadLetter(tx, id);
    if (letter.resolution === 'replayed')
      throw new ConflictError('This dead letter was replayed.', 'Cancel its job instead.');
    await resolveDeadLetter(tx, id, 'discarded');
    return { id, resolution: 'discarded' as const };
  });
}
