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
 * Records an operator's answer for an attempt with an unknown outcome: {printed}. "Not printed" is accepted only after the start command
 * has expired, and only if the printer has reconnected and is idle, or, for an unreachable printer, if the operator confirms
 * that it is switched off: {printed: false, machine_off: true}. The content of its bed is unknown then.
 * @throws NotFoundError there is no such attempt
 * @throws ConflictError the attempt needs no answer, or the answer cannot be accepted yet
 */
export async function answerOutcome(farm: Farm, id: string, input: unknown, actor: string): Promise<AnsweredOutcome> {
  const { printed, machine_off: machineOff = false } = parseOutcomeAnswer(input);
  const attempt = isUuid(id) ? await findAttempt(farm.database, id) : undefined;
  if (!attempt) throw new NotFoundError('attempt', id);
  const job = await farm.database.transaction(async (tx) => {
    const locked = await lockJob(tx, attempt.jobId);
    const printer = await findPrinter(tx, attempt.printerId);
    const nothingAsked = new ConflictError('This attempt needs no answer.', 'Look at the job again.');
    if (!phasesToAnswer(printer).includes(attempt.phase)) throw nothingAsked;
    if (!printed) await refuseTooEarly(farm, tx, attempt, printer, machineOff);
    const off = !printed && machineOff ? ' and is switched off' : '';
    const reason = printed ? `${actor} reports that it printed` : `${actor} reports that it did not print${off}`;
    // A print that was seen running has used filament, whatever its outcome.
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
  // An operator must not have to wait because a clock was set back.
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
