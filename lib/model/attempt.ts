/**
 * The phases of an attempt. Each phase is stored before the action that it names: an attempt in a phase before
 * `starting` has certainly sent no start.
 */
export const attemptPhases = [
  'dispatched',
  'claimed',
  'preparing',
  'uploading',
  'starting',
  'outcome_unknown',
  'printing',
  'ended',
] as const;
export type AttemptPhase = (typeof attemptPhases)[number];

/**
 * The graph of phases: from each, the ones that may follow. An intent that was certainly not sent is reverted (starting to
 * uploading), a print whose file is lost is prepared again, and after a restore the progress of every claimed attempt is unknown.
 * The database holds the same table (`attempt_phase_transitions`) and rejects everything else.
 */
export const phaseGraph: Readonly<Record<AttemptPhase, readonly AttemptPhase[]>> = {
  dispatched: ['claimed', 'ended'],
  claimed: ['preparing', 'outcome_unknown', 'ended'],
  preparing: ['uploading', 'outcome_unknown', 'ended'],
  uploading: ['preparing', 'starting', 'outcome_unknown', 'ended'],
  starting: ['uploading', 'printing', 'outcome_unknown', 'ended'],
  outcome_unknown: ['printing', 'ended'],
  printing: ['outcome_unknown', 'ended'],
  ended: [],
};

/**
 * - `not_started`: it certainly never reached the bed, because of the file or the printer's answer to it (rejected, could not be prepared)
 * - `withdrawn`: it certainly never reached the bed, and the job is not the cause (printer offline or busy, bed occupied, reassigned)
 */
export type AttemptOutcome = 'completed' | 'failed' | 'cancelled' | 'not_started' | 'withdrawn';

/** Whether a start may have been sent. */
export function mayHaveStarted(phase: AttemptPhase): boolean {
  return phase === 'starting' || phase === 'outcome_unknown' || phase === 'printing';
}

/**
 * The phases in which an operator's answer is accepted. While the printer is online, its agent follows the print and asks only
 * if it cannot; an offline printer reports on none of them.
 */
export function phasesToAnswer(printer: { online: boolean }): readonly AttemptPhase[] {
  return printer.online ? ['outcome_unknown'] : ['outcome_unknown', 'starting', 'printing'];
}
