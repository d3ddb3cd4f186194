import type { AnsweredOutcome } from '../contracts/jobs';
import { parseOutcomeAnswer } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { phasesToAnswer } from '../model/attempt';
import { ConflictError, NotFoundError } from '../model/errors';
import { isUuid } from '../model/ids';
import { type Attempt, endByWord, findAttempt } from '../store/attempts';
import { databaseNow, notify } from '../store/database';
import { lockJob } from '../store/jobs';
import { findPrinter, lockPrinter, occupyBedByOther, type Printer } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { recordOutcome } from './record-outcome';
import { settle } from './settle';

/**
 * An operator says what became of an attempt that nobody can follow: {printed}. "It did not" is believed only after the
 * longest life of a start command, and with the printer idle and connected anew, or, of a printer that is gone, with the
 * word that it is off: {printed: false, machine_off: true}. Nobody knows what lies on its bed then.
 * @throws NotFoundError there is no such attempt
 * @throws ConflictError nothing is asked, or the word cannot be taken yet
 */
export async function answerOutcome(farm: Farm, id: string, input: unknown, actor: string): Promise<AnsweredOutcome> {
  const { printed, machine_off: machineOff = false } = parseOutcomeAnswer(input);
  const attempt = isUuid(id) ? await findAttempt(farm.database, id) : undefined;
  if (!attempt) throw new NotFoundError('attempt', id);
  const job = await farm.database.transaction(async (tx) => {
    const locked = await lockJob(tx, attempt.jobId);
    const printer = await findPrinter(tx, attempt.printerId);
    const nothingAsked = new ConflictError('This attempt asks nothing.', 'Look at the job again.');
    if (!phasesToAnswer(printer).includes(attempt.phase)) throw nothingAsked;
    if (!printed) await refuseTooEarly(farm, tx, attempt, printer, machineOff);
    const off = !printed && machineOff ? ' and is switched off' : '';
    const reason = printed ? `${actor} says that it printed` : `${actor} says that it did not print${off}`;
    // What was seen to run has used filament, whatever became of it.
    const unfinished = attempt.startedAt === null ? 'not_started' : 'failed';
    const outcome = printed ? 'completed' : unfinished;
    const ended = await endByWord(tx, attempt.id, phasesToAnswer(printer), outcome, reason);
    if (!ended) throw nothingAsked;
    await notify(tx, `attempt:${attempt.id}`);
    if (!printed && !printer.online) {
      await lockPrinter(tx, printer.id);
      await occupyBedByOther(tx, printer.id, 'unknown', actor);
    }
    const record =
      outcome !== 'not_started'
        ? await recordOutcome(tx, locked, {
            attempt: ended,
            outcome,
            reason,
            timeScale: printer.report?.timeScale ?? 1,
            sawItRun: false,
            lastProgress: 0,
            filamentMm: null,
            tariff: farm.agentOptions.tariff,
            lowStockGrams: farm.agentOptions.lowStockGrams,
            actor,
          })
        : {};
    return settle(tx, locked, {
      attempt: ended,
      outcome,
      reason,
      actor,
      ...record,
      ...(!printed && { failure: 'transient' as const }),
    });
  });
  return { attempt_id: attempt.id, job_id: job.id, status: job.status };
}

async function refuseTooEarly(
  farm: Farm,
  tx: Transaction,
  attempt: Attempt,
  printer: Printer,
  machineOff: boolean,
): Promise<void> {
  const { startCommandSeconds } = farm.times;
  const since = attempt.startIntentAt === null ? 0 : (await databaseNow(tx)) - Date.parse(attempt.startIntentAt);
  // A clock that was set back must not make an operator wait for it.
  if (since >= 0 && since < startCommandSeconds * 1000) {
    throw new ConflictError(
      'The start may still reach the printer.',
      `Answer again ${startCommandSeconds} s after the start.`,
    );
  }
  if (!printer.online && machineOff) return;
  if (!printer.online) {
    throw new ConflictError(
      `${printer.name} cannot be reached, so it may still print.`,
      'Switch it on and let it become idle, or switch it off and answer {"printed": false, "machine_off": true}.',
      'printer_unreachable',
    );
  }
  if (printer.report?.state !== 'idle') {
    throw new ConflictError(
      `${printer.name} does not report itself as idle.`,
      'Let it become idle, then answer again.',
      'printer_not_idle',
    );
  }
}
