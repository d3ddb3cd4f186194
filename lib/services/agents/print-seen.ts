import type { FailureClass } from '../../jobs/settlement';
import { isSameJob, type JobIdentity } from '../../makes/driver';
import { type Ending, isActive, type PrinterReport } from '../../model/printer';
import type { Attempt } from '../../store/attempts';

/** Whether a report shows a print of ours that runs or has ended; `absent`: it tells nothing of it. */
export function recognise(
  identity: Pick<JobIdentity, 'fileName' | 'taskId'>,
  report: Pick<PrinterReport, 'job' | 'state' | 'ending'>,
): 'active' | 'ended' | 'absent' {
  if (!isSameJob(identity, report.job)) return 'absent';
  if (isActive(report.state)) return 'active';
  return report.ending === null || report.ending === 'unknown' ? 'absent' : 'ended';
}

/** What a printer's word of an ending says of the attempt. */
export interface AttemptVerdict {
  /** `unknown`: an operator must be asked. */
  outcome: 'completed' | 'cancelled' | 'failed' | 'unknown';
  reason: string;
  failure?: FailureClass;
}

/** @param cancelAsked whether somebody wanted it to be stopped */
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
      return { outcome: 'unknown', reason: `the printer does not tell how the print ended${detail}` };
  }
}

/** How much further a print must have come for that to be noted. */
const progressStep = 0.02;

/** Whether a report shows a print noticeably further than was noted last. */
export const hasCome = (
  { phase, progress }: Pick<Attempt, 'phase' | 'progress'>,
  report: Pick<PrinterReport, 'ending' | 'progress'>,
): boolean =>
  phase === 'printing' &&
  report.ending === null &&
  report.progress !== null &&
  report.progress >= (progress ?? 0) + progressStep;

/**
 * For how long a printer was out of sight, in seconds of its own clock; of two clocks the one that says longer.
 * @param byDatabase seconds since its last report; null: it has never sent one, negative: the clock was set back
 * @param byProcess the same by the monotonic clock of this process, 0 if it has seen none
 */
export function gapSeconds(byDatabase: number | null, byProcess: number, timeScale: number): number {
  // A clock that was set back tells nothing.
  if (byDatabase === null || byDatabase < 0) return Number.POSITIVE_INFINITY;
  return Math.max(byDatabase, byProcess) * timeScale;
}
