import { channel } from 'node:diagnostics_channel';

/** The moments on the way of an attempt at which a process may die and promises must hold. */
export type Moment =
  | `${'assign' | 'publish' | 'claim' | 'preparing' | 'uploading' | 'upload' | 'starting' | 'start' | 'undo' | 'printing' | 'outcome_unknown' | 'ended'}:${'before' | 'after'}`
  | 'start:written';

const attempts = channel('platewise:attempt');

/**
 * Tells whoever listens on the diagnostics channel `platewise:attempt` (tracing, the fault campaign) that this process
 * is about to write or send something for an attempt, or just did. Without a listener it costs nothing.
 */
export function passing(moment: Moment, attemptId: string): void {
  if (attempts.hasSubscribers) attempts.publish({ moment, attemptId });
}
