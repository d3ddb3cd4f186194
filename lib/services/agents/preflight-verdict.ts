import type { PreflightFailure } from '../../makes/driver';

/**
 * What follows when a printer is not ready for a print: it is closed, because it would refuse any job; the attempt is
 * withdrawn, because another slot or another moment may do; or it was not started, for a reason of its own.
 */
export type PreflightVerdict = { what: 'close'; because: PreflightFailure[] } | { what: 'withdraw' | 'not_started' };

/** Null: nothing stands in the way. */
export function preflightVerdict(failures: readonly PreflightFailure[]): PreflightVerdict | null {
  if (failures.length === 0) return null;
  const ofPrinter = failures.filter(({ whose }) => whose === 'printer');
  const because = ofPrinter.filter(({ only }) => only === undefined);
  if (because.length > 0) return { what: 'close', because };
  return { what: ofPrinter.length === failures.length ? 'withdraw' : 'not_started' };
}

/** In words, with what is to be done. */
export const notReady = (failures: readonly PreflightFailure[]): string =>
  `the printer is not ready: ${failures.map(({ message, remedy }) => `${message} ${remedy}`).join(' ')}`;
