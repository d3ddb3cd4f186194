/** The usual error of an estimate of a whole print, as a share of it. */
const priorSpread = 0.06;
/** A printer that reports 30 % may mean 30.9 %. */
const progressSpread = 0.005;

/**
 * The remaining time of a running print: combines the estimate and the printer's own report, which weighs the more
 * the further the print has advanced. Any unit of time, the same for all.
 *
 * @param expected the estimate for the whole print
 * @param progress 0..1 as reported by the printer, with its reported remaining time
 */
export function remainingTime(
  expected: number,
  elapsed: number,
  reported: { progress: number; remaining: number } | null,
): number {
  const byEstimate = expected - elapsed;
  // A print that runs longer than estimated needs a little longer still.
  const least = 0.02 * Math.max(expected, elapsed);
  if (reported === null || reported.progress <= 0) return Math.max(least, byEstimate);
  const own = (progressSpread / reported.progress) ** 2;
  const share = priorSpread ** 2 / (priorSpread ** 2 + own);
  const blend = share * reported.remaining + (1 - share) * Math.max(least, byEstimate);
  return Math.max(0, blend);
}
