import { channel } from 'node:diagnostics_channel';

/** The moments in the life of an attempt at which a process may die and guarantees must hold. */
export type Moment =
  | `${'assign' | 'publish' | 'claim' | 'preparing' | 'uploading' | 'upload' | 'starting' | 'start' | 'undo' | 'printing' | 'outcome_unknown' | 'ended'}:${'before' | 'after'}`
  | 'start:written';

/** Reports that this process is about to write or send something for an attempt, or has just done so. */
export type Passing = (moment: Moment, attemptId: string) => void;

const attempts = channel('platewise:attempt');

/**
 * Publishes a moment on the diagnostics channel `platewise:attempt` (for tracing and the fault campaign), for any farm of
 * the process. Without a subscriber it costs nothing.
 */
export const passing: Passing = (moment, attemptId) => {
  if (attempts.hasSubscribers) attempts.publish({ moment, attemptId });
};
