/** An estimate with its 95 % interval. */
export interface Interval {
  value: number;
  low: number;
  high: number;
}

/** 97.5 % quantiles of Student's t, by degrees of freedom from 1. */
const student = [
  12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228, 2.201, 2.179, 2.16, 2.145, 2.131, 2.12, 2.11,
  2.101, 2.093, 2.086, 2.08, 2.074, 2.069, 2.064, 2.06, 2.056, 2.052, 2.048, 2.045, 2.042,
];
export const quantile = (freedom: number): number => student[freedom - 1] ?? 1.96;

const mean = (values: readonly number[]): number => values.reduce((sum, value) => sum + value, 0) / values.length;
const spread = (values: readonly number[]): number => {
  const middle = mean(values);
  return Math.sqrt(values.reduce((sum, value) => sum + (value - middle) ** 2, 0) / (values.length - 1));
};

/** The mean of a − b over pairs with the same luck. */
export function differenceOf(a: readonly number[], b: readonly number[]): Interval {
  const differences = a.map((value, index) => value - (b[index] ?? 0));
  const value = mean(differences);
  const half = (quantile(a.length - 1) * spread(differences)) / Math.sqrt(a.length);
  return { value, low: value - half, high: value + half };
}

/** The ratio of the means of pairs, with the interval of the jackknife over its logarithm. */
export function ratioOf(a: readonly number[], b: readonly number[]): Interval {
  const value = mean(a) / mean(b);
  const without = a.map((_, left) => {
    const rest = (values: readonly number[]): number => mean(values.filter((__, index) => index !== left));
    return Math.log(rest(a) / rest(b));
  });
  const n = a.length;
  const half = (quantile(n - 1) * spread(without) * (n - 1)) / Math.sqrt(n);
  return { value, low: value * Math.exp(-half), high: value * Math.exp(half) };
}
