import type { Farm } from '../../farm/farm';
import { settle } from '../../jobs/settle';
import { staleDispatches, withdrawAttempt } from '../../store/attempts';
import { endPausesAhead, lockJobNow } from '../../store/jobs';
import { resendUnclaimed } from '../../store/outbox';
import { offlineAfterSeconds } from '../../store/printers';
import { type Chore, unlessLocked } from './chore';

const expiresMinutes = 10;
const resendSeconds = 30;

/** Republishes unclaimed dispatches, withdraws those that no agent will claim, and ends pauses that a clock set back has moved far ahead. */
export async function tendDispatches(farm: Farm): Promise<void> {
  await unlessLocked(farm, () => resendUnclaimed(farm.database, farm.options.dispatchResendSeconds ?? resendSeconds));
  await unlessLocked(farm, () => endPausesAhead(farm.database));
  const stale = await staleDispatches(farm.database, {
    expiresSeconds: (farm.options.dispatchExpiresMinutes ?? expiresMinutes) * 60,
    offlineAfterSeconds,
    leaseSeconds: farm.times.leaseSeconds,
  });
  for (const { attempt, offline } of stale) {
    const unclaimed = offline
      ? 'the printer went offline before it accepted the job'
      : 'no agent claimed the job in time';
    const reason = attempt.phase === 'dispatched' ? unclaimed : 'the agent of the printer is gone';
    await unlessLocked(farm, () =>
      farm.database.transaction(async (tx) => {
        const job = await lockJobNow(tx, attempt.jobId);
        const withdrawn = await withdrawAttempt(tx, attempt.id, reason, farm.times.leaseSeconds);
        if (withdrawn) await settle(tx, job, { attempt: withdrawn, outcome: 'withdrawn', reason, actor: 'scheduler' });
      }),
    );
  }
}

export const dispatches: Chore = { name: 'dispatches', everyMs: 10_000, withThePlan: true, work: tendDispatches };
