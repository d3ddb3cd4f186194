// The largest figures that the database stores. A file, a slicer or a printer may report any number, and one beyond the range of its
// column would prevent its job from ever ending.

/** The longest print: a hundred days (seconds). An estimate beyond it is not plausible. */
export const longestPrintSeconds = 8_640_000;
/** Of one print, by the printer's clock. */
export const mostPrintHours = 9999;
/** Of all prints of a job. */
export const mostJobHours = 999.99;
/** Of filament, for one print. */
export const mostGrams = 999_999;
/** USD. */
export const mostUsd = 99_999_999;

/** Returns the figure, or the largest one that is stored. */
export const atMost = (limit: number, figure: number): number =>
  Number.isNaN(figure) ? limit : Math.min(limit, figure);
