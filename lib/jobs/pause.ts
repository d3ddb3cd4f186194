import type { PauseAnswer as ContractPauseAnswer } from '../contracts/printers';
import type { Farm } from '../farm/farm';
import { ConflictError } from '../model/errors';
import { isActive, type PrinterState } from '../model/printer';
import { openAttemptOf } from '../store/attempts';
import { notify } from '../store/database';
import { dropWish, storeWish, wishFor } from '../store/printer-wishes';
import { findPrinter, lockPrinter, type Printer } from '../store/printers';

/** The state of the printer after the request. */
export type PauseAnswer = ContractPauseAnswer & {
  /** Whether the printer shows the requested state. */
  done: boolean;
};

/** How long to wait for the printer's confirmation (ms). */
const confirmLimit = 20_000;
const lookInterval = 500;

/** Whether a state is the requested one. */
export const showsWish = (state: PrinterState, wanted: 'pause' | 'resume'): boolean =>
  (state === 'paused') === (wanted === 'pause');

/**
 * Requests that a printer pause or resume its print, and waits up to 20 s until the printer shows it. The request is stored: the agent that
 * serves the printer, in any process, carries it out, even after a restart, as long as the same print runs. `done` is false if the printer
 * has not shown it in time; it may still follow.
 * @throws ConflictError the printer is offline, prints nothing, or refuses
 */
export async function pauseOrResume(
  farm: Farm,
  id: string,
  wanted: 'pause' | 'resume',
  actor: string,
  waitMs = confirmLimit,
): Promise<PauseAnswer> {
  const printer = await farm.database.transaction(async (tx) => {
    const { id: known } = await findPrinter(tx, id);
    const attempt = await openAttemptOf(tx, known);
    const locked = await lockPrinter(tx, known);
    if (showsWish(activeStateOf(locked), wanted)) {
      // The opposite may have been requested and not carried out yet.
      await dropWish(tx, known);
      return locked;
    }
    await storeWish(tx, known, { wanted, attemptId: attempt?.id ?? null, wishedBy: actor });
    await notify(tx, `wish:${known}`);
    return locked;
  });
  for (const end = performance.now() + waitMs; ; ) {
    const now = await findPrinter(farm.database, id);
    const done = now.report !== null && showsWish(now.report.state, wanted);
    const wish = done ? undefined : await wishFor(farm.database, printer.id);
    if (wish?.wanted === wanted && wish.problem !== null) {
      throw new ConflictError(
        `${now.name} did not ${wanted}: ${wish.problem}`,
        'Look at the printer, and try again.',
        'printer_refused',
      );
    }
    if (done || performance.now() > end) return answer(now, done);
    await new Promise((resolve) => setTimeout(resolve, lookInterval));
  }
}

/** @throws ConflictError the printer is offline or prints nothing */
function activeStateOf({ name, online, report }: Printer): PrinterState {
  if (!online || report === null) {
    throw new ConflictError(`${name} is offline.`, 'Switch it on and try again.', 'printer_offline');
  }
  if (isActive(report.state)) return report.state;
  throw new ConflictError(`${name} prints nothing.`, 'There is nothing to pause or resume.', 'nothing_prints');
}

function answer(printer: Printer, done: boolean): PauseAnswer {
  return { printer_id: printer.id, state: printer.online ? (printer.report?.state ?? 'offline') : 'offline', done };
}
