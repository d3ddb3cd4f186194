import { parseFarmPause } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { asError } from '../model/errors';
import type { AttemptId, JobId } from '../model/ids';
import { type FarmPauseView, pauseView } from '../schedule/pause-view';
import { lockUntilEnd } from '../store/advisory-locks';
import { endBeforeStart, openAttempts } from '../store/attempts';
import { notify } from '../store/database';
import { endFarmPause, storeFarmPause } from '../store/farm-pause';
import { lockJobNow } from '../store/jobs';
import { settle } from './settle';

/**
 * Starts nothing new until the farm is resumed: {reason}. Running prints go on; attempts that have certainly not been started
 * return to the queue. Calling it again changes the reason.
 */
export async function pauseFarm(
  farm: Farm,
  input: unknown,
  actor: string,
): Promise<{ paused: FarmPauseView; taken_back: string[] }> {
  const { reason } = parseFarmPause(input);
  const paused = await farm.database.transaction(async (tx) => {
    // The lock waits for a running tick; every later tick sees the pause.
    await lockUntilEnd(tx, 'tick');
    return storeFarmPause(tx, reason ?? null, actor);
  });
  const takenBack: string[] = [];
  for (const { id, jobId } of await openAttempts(farm.database)) {
    // An attempt that is locked or unreachable now ends on its own, just before its start.
    await takeBack(farm, id, jobId, actor).then(
      (taken) => taken && takenBack.push(jobId),
      (error: unknown) => farm.log('warn', asError(error).message),
    );
  }
  return { paused: pauseView(paused), taken_back: takenBack };
}

/** Puts an attempt back into the queue if it has certainly not been started. */
function takeBack(farm: Farm, id: AttemptId, jobId: JobId, actor: string): Promise<boolean> {
  return farm.database.transaction(async (tx) => {
    const job = await lockJobNow(tx, jobId);
    const why = `the farm was paused by ${actor}`;
    const ended = await endBeforeStart(tx, id, 'withdrawn', why);
    if (!ended) return false;
    await settle(tx, job, { attempt: ended, outcome: 'withdrawn', reason: why, actor });
    await notify(tx, `attempt:${id}`);
    return true;
  });
}

/** Resumes the farm: new prints start again. Idempotent. */
export async function resumeFarm(farm: Farm, input: unknown): Promise<{ paused: null }> {
  parseFarmPause(input);
  await farm.database.transaction(endFarmPause);
  return { paused: null };
}
