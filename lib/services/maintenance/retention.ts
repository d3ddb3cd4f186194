import type { Farm } from '../../farm/farm';
import { filesInUse, forgetOldPhotos, forgetUnusedPrints, lockFiles } from '../../store/file-use';
import { forgetEndedJobs, forgetOldKeys } from '../../store/pruning';
import type { Chore } from './chore';

/** How long files that no job ever named are kept, like those that a job did name (days). */
const defaultDays = 30;
const batchSize = 200;
const dayMs = 86_400_000;
/** An upload that has received nothing for this long was interrupted (ms). */
const incomingMs = dayMs;

/**
 * Removes stored files that are older than `keepFilesDays` and no longer needed: by no job or attempt that is
 * unfinished or ended recently, no print file that was used recently, no outcome that is younger. A file in use is
 * never removed: while files are being removed, no job is accepted, and a job whose file is gone is refused.
 *
 * @returns how many were removed
 */
export async function removeOldFiles(farm: Farm, now = Date.now()): Promise<number> {
  const days = farm.options.keepFilesDays ?? defaultDays;
  const swept = await farm.files.sweepIncoming(now - incomingMs);
  if (swept > 0) farm.log('info', `${swept} interrupted uploads were removed.`);
  await forgetUnusedPrints(farm.database, days);
  await forgetOldPhotos(farm.database, days);
  const old: { sha256: string; path: string }[] = [];
  for await (const file of farm.files.list()) if (now - file.modifiedAt > days * dayMs) old.push(file);
  let removed = 0;
  for (let at = 0; at < old.length; at += batchSize) {
    const batch = old.slice(at, at + batchSize);
    await farm.database.transaction(async (tx) => {
      await lockFiles(tx);
      const hashes = [...new Set(batch.map((file) => file.sha256))];
      const needed = await filesInUse(tx, hashes, days);
      for (const file of batch.filter(({ sha256 }) => !needed.has(sha256))) {
        await farm.files.remove(file.path);
        removed++;
      }
    });
  }
  if (removed > 0) farm.log('info', `${removed} files that were no longer needed were removed.`);
  return removed;
}

/** Rows deleted per statement, and the maximum number of statements in a row. */
const rowsAtOnce = 500;
const mostRounds = 20;

/**
 * Deletes ended jobs and idempotency keys that are older than the owner keeps them (`keepJobsDays`, `keepKeysDays`;
 * without these settings, none). The remainder is deleted in the next hours. The outcome of each print is kept forever.
 */
export async function forgetHistory(farm: Farm): Promise<{ jobs: number; keys: number }> {
  const { keepJobsDays, keepKeysDays } = farm.options;
  const keys =
    keepKeysDays === undefined ? 0 : await inRounds(() => forgetOldKeys(farm.database, keepKeysDays, rowsAtOnce));
  const jobs =
    keepJobsDays === undefined ? 0 : await inRounds(() => forgetEndedJobs(farm.database, keepJobsDays, rowsAtOnce));
  if (jobs > 0) farm.log('info', `${jobs} jobs that ended long ago were deleted.`);
  return { jobs, keys };
}

async function inRounds(forget: () => Promise<number>): Promise<number> {
  let all = 0;
  for (let round = 0; round < mostRounds; round++) {
    const gone = await forget();
    all += gone;
    if (gone < rowsAtOnce) break;
  }
  return all;
}

const hourly = 3_600_000;

export const oldFiles: Chore = { name: 'old files', everyMs: hourly, work: (farm) => removeOldFiles(farm) };
export const history: Chore = { name: 'history', everyMs: hourly, work: forgetHistory };
