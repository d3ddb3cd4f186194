import type { FailureClass } from '../../jobs/settlement';
import { isSameJob, type JobIdentity } from '../../makes/driver';
import { type Ending, isActive, type PrinterReport } from '../../model/printer';
import type { Attempt } from '../../store/attempts';

/** Whether a report shows an attempt's print running or ended; `absent`: the report does not mention it. */
export function recognise(
  identity: Pick<JobIdentity, 'fileName' | 'taskId'>,
  report: Pick<PrinterReport, 'job' | 'state' | 'ending'>,
): 'active' | 'ended' | 'absent' {
  if (!isSameJob(identity, report.job)) return 'absent';
  if (isActive(report.state)) return 'active';
  return report.ending === null || report.ending === 'unknown' ? 'absent' : 'ended';
}

/** The outcome of an attempt according to the ending that the printer reports. */
export interface AttemptVerdict {
  /** `unknown`: an operator must be asked. */
  outcome: 'completed' | 'cancelled' | 'failed' | 'unknown';
  reason: string;
  failure?: FailureClass;
}

/** @param cancelAsked whether a cancel was requested */
export function verdictOf(ending: Ending | null, message: string | undefined, cancelAsked: boolean): AttemptVerdict {
  const detail = message ? `: ${message}` : '';
  switch (ending) {
    case 'finished':
      return { outcome: 'completed', reason: 'the printer finished the print' };
    case 'cancelled':
      return { outcome: 'cancelled', reason: cancelAsked ? 'stopped as asked' : `stopped at the printer${detail}` };
    case 'failed':
      return { outcome: 'failed', reason: `the print failed${detail}`, failure: 'transient' };
    default:
      return { outcome: 'unknown', reason: `the printer does not report how the print ended${detail}` };
  }
}

/** The smallest progress worth recording. */
const progressStep = 0.02;

/** Whether a report shows noticeably more progress than was recorded last. */
export const hasCome = (
  { phase, progress }: Pick<Attempt, 'phase' | 'progress'>,
  report: Pick<PrinterReport, 'ending' | 'progress'>,
): boolean =>
  phase === 'printing' &&
  report.ending === null &&
  report.progress !== null &&
  report.progress >= (progress ?? 0) + progressStep;

/**
 * How long a printer was out of sight, in seconds of its own clock; the longer one of two measurements.
 * @param byDatabase seconds since its last report; null: it has never sent one, negative: the clock was set back
 * @param byProcess the same by the monotonic clock of this process, 0 if it has seen none
 */
export function gapSeconds(byDatabase: number | null, byProcess: number, timeScale: number): number {
  // A clock that was set back measures nothing.
  if (byDatabase === null || byDatabase < 0) return Number.POSITIVE_INFINITY;
  return Math.max(byDatabase, byProcess) * timeScale;
}
