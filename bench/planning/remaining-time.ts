/** How far an estimate of a whole print is usually off, as a share of it. */
const priorSpread = 0.06;
/** A printer that says 30 % may mean 30.9 %. */
const progressSpread = 0.005;

/**
 * What is left of a print that runs: what was expected of it, and what the printer itself says, which counts the more
 * the further it has come. Any unit of time, the same for all.
 *
 * @param expected the whole print as it was estimated
 * @param progress 0..1 as the printer tells it, with the time that it says is left
 */
export function remainingTime(
  expected: number,
  elapsed: number,
  reported: { progress: number; remaining: number } | null,
): number {
  const byEstimate = expected - elapsed;
  // What runs longer than expected needs a little longer still.
  const least = 0.02 * Math.max(expected, elapsed);
  if (reported === null || reported.progress <= 0) return Math.max(least, byEstimate);
  const own = (progressSpread / reported.progress) ** 2;
  const share = priorSpread ** 2 / (priorSpread ** 2 + own);
  const blend = share * reported.remaining + (1 - share) * Math.max(least, byEstimate);
  return Math.max(0, blend);
}
