import type { Figures, Sample } from './samples';
import { growthOf, type Slope, slopeOf } from './slopes';

/** A figure with its mean and its slope. */
export interface JudgedFigure extends Slope {
  mean: number;
}

export interface Judged {
  /** Jobs that ended during sampling. */
  ended: number;
  failed: number;
  figures: Record<string, JudgedFigure>;
}

/**
 * The slopes of all sampled figures. History grows by design with every job that ends: for tables and files the
 * bytes per ended job must not grow.
 *
 * @param samples those after the warm-up
 */
export function judge(samples: readonly Sample[]): Judged {
  const figures: Record<string, JudgedFigure> = {};
  const names = new Set(samples.flatMap((sample) => Object.keys(sample.figures) as (keyof Figures)[]));
  for (const name of names) {
    const points = samples.flatMap(({ at, figures: { [name]: value } }) =>
      value === undefined ? [] : [{ at, value }],
    );
    figures[name] = {
      mean: points.reduce((sum, { value }) => sum + value, 0) / points.length,
      ...slopeOf(points),
    };
  }
  for (const name of ['table_bytes', 'file_bytes'] as const) {
    const { per_job, ...slope } = growthOf(
      samples.map(({ at, kept }) => ({ at, ended: kept.ended, value: kept[name] })),
    );
    figures[`${name}_per_ended_job`] = { mean: per_job, ...slope };
  }
  const [first, last] = [samples[0]?.kept, samples.at(-1)?.kept];
  return {
    ended: (last?.ended ?? 0) - (first?.ended ?? 0),
    failed: (last?.failed ?? 0) - (first?.failed ?? 0),
    figures,
  };
}
