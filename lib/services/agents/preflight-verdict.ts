import type { PreflightFailure } from '../../makes/driver';

/**
 * The consequence of a printer that is not ready for a print: it is closed, because it would refuse any job; the attempt is
 * withdrawn, because another slot or a later moment may fit; or the attempt was not started, for a reason of its own.
 */
export type PreflightVerdict = { what: 'close'; because: PreflightFailure[] } | { what: 'withdraw' | 'not_started' };

/** Returns null if nothing prevents the print. */
export function preflightVerdict(failures: readonly PreflightFailure[]): PreflightVerdict | null {
  if (failures.length === 0) return null;
  const ofPrinter = failures.filter(({ whose }) => whose === 'printer');
  const because = ofPrinter.filter(({ only }) => only === undefined);
  if (because.length > 0) return { what: 'close', because };
  return { what: ofPrinter.length === failures.length ? 'withdraw' : 'not_started' };
}

/** The failures in words, with their remedies. */
export const notReady = (failures: readonly PreflightFailure[]): string =>
  `the printer is not ready: ${failures.map(({ message, remedy }) => `${message} ${remedy}`).join(' ')}`;
