import { quantile } from '../planning/paired';

/** A measured value at a time (hours since the start). */
export interface Point {
  at: number;
  value: number;
}

/** A measured sum at a time (hours since the start), and the number of jobs that had ended by then. */
export interface SumPoint extends Point {
  ended: number;
}

/** A slope per hour with its 95 % interval. */
export interface Slope {
  slope_per_hour: number;
  low: number;
  high: number;
  /**
   * The interval includes 0. It means that no slope was detected, not that there is none: the interval shows how large a slope the run
   * could not have distinguished from 0. Of figures that are truly flat one in twenty is judged otherwise.
   */
  flat: boolean;
}

/** The growth of a figure with each job that ends: its mean, and its change per hour. */
export interface Growth extends Slope {
  per_job: number;
}

/**
 * The number of blocks into which a series is divided. Neighbouring samples are correlated: a heap fills up until it is collected, dead rows
 * accumulate until a vacuum. Means of long blocks hardly are, so that an interval over them is not too narrow. In an hour
 * a block lasts five minutes, several turns of a saw-tooth.
 */
export const blockCount = 10;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The least-squares line through the means of blocks of equal length, and the interval of Student's t around its slope. */
export function slopeOf(points: readonly Point[], blocks = blockCount): Slope {
  return lineThrough(blocksOf(points, blocks).map((block) => centreOf(block)));
}

/**
 * The growth in units per ended job, block by block, and the slope of that: flat if a late job costs what an
 * early one did. For tables and directories that hold a history, which grow by design.
 */
export function growthOf(points: readonly SumPoint[], blocks = blockCount): Growth {
  // The last point of a block is the first of the next one, so that nothing is left out between them.
  const ends = blocksOf(points, blocks).flatMap((block) => block.slice(-1));
  const corners = [...points.slice(0, 1), ...ends];
  const steps = corners.slice(1).flatMap((to, index) => {
    const from = corners[index];
    if (!from || to.ended === from.ended) return [];
    return [{ at: (from.at + to.at) / 2, value: (to.value - from.value) / (to.ended - from.ended) }];
  });
  const [first, last] = [points[0], points.at(-1)];
  const per_job = first && last ? (last.value - first.value) / (last.ended - first.ended) : Number.NaN;
  return { per_job, ...lineThrough(steps) };
}

function blocksOf<P extends Point>(points: readonly P[], count: number): P[][] {
  const [first, last] = [points[0], points.at(-1)];
  if (!first || !last) return [];
  const blocks = Array.from({ length: count }, (): P[] => []);
  for (const point of points) {
    const share = (point.at - first.at) / (last.at - first.at);
    blocks[Math.min(count - 1, Math.floor(share * count))]?.push(point);
  }
  return blocks.filter((block) => block.length > 0);
}

function centreOf(block: readonly Point[]): Point {
  return { at: mean(block.map(({ at }) => at)), value: mean(block.map(({ value }) => value)) };
}

/** @throws RangeError with fewer than three points, whose spread is undefined */
function lineThrough(points: readonly Point[]): Slope {
  if (points.length < 3) throw new RangeError(`A slope needs at least 3 blocks with samples, not ${points.length}.`);
  const centre = centreOf(points);
  const width = points.reduce((sum, { at }) => sum + (at - centre.at) ** 2, 0);
  const slope = points.reduce((sum, { at, value }) => sum + (at - centre.at) * (value - centre.value), 0) / width;
  const rest = points.reduce((sum, { at, value }) => sum + (value - centre.value - slope * (at - centre.at)) ** 2, 0);
  const freedom = points.length - 2;
  const half = quantile(freedom) * Math.sqrt(rest / freedom / width);
  const [low, high] = [slope - half, slope + half];
  return { slope_per_hour: slope, low, high, flat: low <= 0 && high >= 0 };
}
