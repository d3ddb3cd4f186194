/** A file with more heights than this is not a plain print. */
const mostHeights = 100_000;
/** mm */
const tallestLayer = 3;
/** µm; the heights of a spiral without any other hint are rounded to this. */
const spiralStep = 50;

/** Finds layers by the heights of the extruding moves; heights in mm. */
export class LayerHeights {
  private readonly flat = new Set<number>();
  private readonly spiral = new Set<number>();
  private last = Number.NaN;
  private flatMoves = 0;
  private spiralMoves = 0;
  private highest = 0;

  add(from: number, to: number): void {
    if (from !== to) {
      this.spiralMoves++;
      if (to > this.highest) this.highest = to;
      if (this.spiral.size < mostHeights) this.spiral.add(Math.round((to * 1000) / spiralStep));
      return;
    }
    this.flatMoves++;
    if (to === this.last) return;
    this.last = to;
    if (this.flat.size < mostHeights) this.flat.add(Math.round(to * 1000));
  }

  /**
   * The number of layers, and their height.
   *
   * @param stated the layer height that the file states, null if none
   */
  measure(stated: number | null): { layers: number; layerHeight: number } {
    const heights = [...this.flat].sort((a, b) => a - b);
    const layerHeight = stated ?? mostFrequentDifference(heights) / 1000;
    if (this.spiralMoves <= this.flatMoves) return { layers: heights.length, layerHeight };
    // Vase mode: the nozzle climbs continuously.
    if (!(layerHeight > 0)) return { layers: Math.max(this.spiral.size, 1), layerHeight: 0 };
    const climbed = this.highest - (heights.at(-1) ?? 0) / 1000;
    return { layers: heights.length + Math.max(Math.round(climbed / layerHeight), 0), layerHeight };
  }
}

/** The most frequent difference of ascending heights; of several the largest, 0 if there is none. */
function mostFrequentDifference(heights: readonly number[]): number {
  const counts = new Map<number, number>();
  let best = 0;
  for (let index = 1; index < heights.length; index++) {
    const difference = (heights[index] ?? 0) - (heights[index - 1] ?? 0);
    if (difference > tallestLayer * 1000) continue;
    const count = (counts.get(difference) ?? 0) + 1;
    counts.set(difference, count);
    const most = counts.get(best) ?? 0;
    if (count > most || (count === most && difference > best)) best = difference;
  }
  return best;
}
