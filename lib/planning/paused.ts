import type { Plan } from './plan-shape';
import type { FarmPause, Snapshot } from './snapshot';

/** The text for: the farm is paused. */
export const pausedBecause = ({ reason }: FarmPause): string =>
  `the farm is paused${reason === null ? '' : ` (${reason})`}: nothing new starts until it is resumed`;

/** The remedy: resume the farm. */
export const resumeIt = 'resume the farm (POST farm/resume)';

/** The plan of a paused farm: every job has a place, but none is ready or has a time. */
export function standingStill(plan: Plan, { paused }: Snapshot): Plan {
  if (!paused) return plan;
  const waiting = { ...plan.waiting };
  const because = pausedBecause(paused);
  for (const { jobId, start } of plan.lines) {
    const own = plan.waiting[jobId];
    // Other reasons to wait are listed too, unless it is only the job's turn.
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
