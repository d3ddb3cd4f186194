import type { Plan } from './plan-shape';
import type { FarmPause, Snapshot } from './snapshot';

/** In words: the farm is paused. */
export const pausedBecause = ({ reason }: FarmPause): string =>
  `the farm is paused${reason === null ? '' : ` (${reason})`}: nothing new starts until it is resumed`;

/** What ends a pause. */
export const resumeIt = 'resume the farm (POST farm/resume)';

/** A plan of a farm that is paused: where everything would go, nothing ready, and nobody can say when. */
export function standingStill(plan: Plan, { paused }: Snapshot): Plan {
  if (!paused) return plan;
  const waiting = { ...plan.waiting };
  const because = pausedBecause(paused);
  for (const { jobId, start } of plan.lines) {
    const own = plan.waiting[jobId];
    // What it waits for besides is told as well, unless that is only its turn.
    waiting[jobId] = start !== null || own === undefined ? because : `${own}; besides, ${because}`;
  }
  const lines = plan.lines.map((line) => ({
    ...line,
    start: null,
    end: null,
    ready: false,
    ...(line.slackMinutes !== undefined && { slackMinutes: null }),
  }));
  return { ...plan, lines, waiting };
}
