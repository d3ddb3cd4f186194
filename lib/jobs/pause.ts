import type { PauseAnswer as ContractPauseAnswer } from '../contracts/printers';
import type { Farm } from '../farm/farm';
import { ConflictError } from '../model/errors';
import { isActive } from '../model/printer';
import { notify } from '../store/database';
import { findPrinter, type Printer } from '../store/printers';

/** What the printer shows after it was asked. */
export type PauseAnswer = ContractPauseAnswer & {
  /** Whether the printer shows what was asked for. */
  done: boolean;
};

/** How long the printer's own word is waited for (ms). */
const confirmLimit = 20_000;
const lookInterval = 500;

/**
 * Asks the agent that serves a printer, in whatever process, to pause or resume its print, and waits up to 20 s until the
 * printer shows it. `done` is false if it has not by then; it may still.
 * @throws ConflictError the printer is offline or prints nothing
 */
export async function pauseOrResume(
  farm: Farm,
  id: string,
  wanted: 'pause' | 'resume',
  waitMs = confirmLimit,
): Promise<PauseAnswer> {
  const printer = await findPrinter(farm.database, id);
  if (!printer.online || printer.report === null) {
    throw new ConflictError(`${printer.name} is offline.`, 'Switch it on and try again.', 'printer_offline');
  }
  if (!isActive(printer.report.state)) {
    throw new ConflictError(
      `${printer.name} prints nothing.`,
      'There is nothing to pause or resume.',
      'nothing_prints',
    );
  }
  const shows = (state: string): boolean => (state === 'paused') === (wanted === 'pause');
  if (shows(printer.report.state)) return answer(printer, true);
  await notify(farm.database, `${wanted}:${printer.id}`);
  const end = performance.now() + waitMs;
  for (;;) {
    const now = await findPrinter(farm.database, id);
    const done = now.report !== null && shows(now.report.state);
    if (done || performance.now() > end) return answer(now, done);
    await new Promise((resolve) => setTimeout(resolve, lookInterval));
  }
}

function answer(printer: Printer, done: boolean): PauseAnswer {
  return { printer_id: printer.id, state: printer.online ? (printer.report?.state ?? 'offline') : 'offline', done };
}
