import { channel } from 'node:diagnostics_channel';

/** The moments on the way of an attempt at which a process may die and promises must hold. */
export type Moment =
  | `${'assign' | 'publish' | 'claim' | 'preparing' | 'uploading' | 'upload' | 'starting' | 'start' | 'undo' | 'printing' | 'outcome_unknown' | 'ended'}:${'before' | 'after'}`
  | 'start:written';

/** Tells that this process is about to write or send something for an attempt, or just did. */
export type Passing = (moment: Moment, attemptId: string) => void;

const attempts = channel('platewise:attempt');

/**
 * Tells whoever listens on the diagnostics channel `platewise:attempt` (tracing, the fault campaign), whichever farm of
 * the process it is about. Without a listener it costs nothing.
 */
export const passing: Passing = (moment, attemptId) => {
  if (attempts.hasSubscribers) attempts.publish({ moment, attemptId });
};
