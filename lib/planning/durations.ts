/** How one printer's prints really took against what the slicer said, as a mean log ratio with forgetting. */
export interface DurationRecord {
  weight: number;
  sum: number;
}

const prior = 5;
const forget = 0.98;

/** Takes one completed, never paused print into account; failed and paused ones are censored by not being passed. */
export function learn(
  record: DurationRecord | undefined,
  slicerMinutes: number,
  actualMinutes: number,
): DurationRecord {
  const before = record ?? { weight: 0, sum: 0 };
  return {
    weight: before.weight * forget + 1,
    sum: before.sum * forget + Math.log(actualMinutes / slicerMinutes),
  };
}

/** What to multiply the slicer's estimate with: shrunk towards 1 as if by five prints that took exactly as estimated. */
export function durationFactor(record: DurationRecord | undefined): number {
  return record ? Math.exp(record.sum / (record.weight + prior)) : 1;
}
