import { OperatorCalendar } from './calendar';
import type { PlanningPrinter, Snapshot } from './snapshot';

const minute = 60_000;
/** The number of closures after which a print counts as never fitting between them. */
const mostRounds = 1000;

/** The look-ahead for quiet hours (days). */
const quietDays = 60;

/**
 * The first moment from `at` at which a print of `length` may start: it lies wholly before or after each closure, and
 * starts outside quiet hours. All in minutes from one zero; Infinity: never.
 */
export function firstAllowed(
  closed: readonly { from: number; until: number }[],
  quiet: OperatorCalendar | null,
  at: number,
  length: number,
): number {
  if (closed.length === 0 && quiet === null) return at;
  let start = at;
  for (let round = 0; round < mostRounds; round++) {
    const loud = quiet?.after(start) ?? start;
    const obstacle = closed.find(({ from, until }) => from < loud + length && until > loud);
    if (!obstacle && loud === start) return start;
    start = obstacle ? obstacle.until : loud;
  }
  return Number.POSITIVE_INFINITY;
}

/** The reason why a print may not start at a time, and its end (ms since 1970). */
export interface NotAllowed {
  because: string;
  until: number;
}

/**
 * Returns the closure or quiet hours that keep a print of this length (minutes) from starting on a printer at a time
 * (ms since 1970); null: none.
 */
export function notAllowedBecause(
  printer: Pick<PlanningPrinter, 'name' | 'closed'>,
  quiet: Snapshot['quiet'],
  at: number,
  length: number,
): NotAllowed | null {
  const closures = printer.closed ?? [];
  if (closures.length === 0 && !quiet) return null;
  const closed = closures.map(({ from, until }) => ({ from: (from - at) / minute, until: (until - at) / minute }));
  const calendar = quiet ? new OperatorCalendar(quiet, at, quietDays) : null;
  const start = firstAllowed(closed, calendar, 0, length);
  if (start <= 0) return null;
  const until = at + start * minute;
  const closure = closures.find(({ from, until: end }) => from < at + length * minute && end > at);
  if (!closure) return { because: `no print starts in quiet hours, until ${iso(until)}`, until };
  const when = closure.from > at ? `from ${iso(closure.from)} ` : '';
  return { because: `${printer.name} may not print ${when}until ${iso(closure.until)}: ${closure.reason}`, until };
}

const iso = (at: number): string => (Number.isFinite(at) ? new Date(at).toISOString() : 'further notice');
