/**
 * The way of an attempt. Each phase is written before the act that it names: an attempt whose phase is before
 * `starting` has certainly sent no start.
 */
const attemptPhases = [
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
 * - `not_started`: it certainly never reached the bed (file refused, printer offline, start rejected)
 * - `withdrawn`: taken back before an agent had claimed it
 */
export type AttemptOutcome = 'completed' | 'failed' | 'cancelled' | 'not_started' | 'withdrawn';

/** Whether a start may have been sent. */
export function mayHaveStarted(phase: AttemptPhase): boolean {
  return phase === 'starting' || phase === 'outcome_unknown' || phase === 'printing';
}
