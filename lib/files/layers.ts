/** A file with more heights than this is no plain print. */
const mostHeights = 100_000;
/** mm */
const tallestLayer = 3;
/** µm to which the heights of a spiral without any other hint are rounded. */
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
   * How many layers there are, and how high.
   *
   * @param stated the layer height that the file states, null if none
   */
  measure(stated: number | null): { layers: number; layerHeight: number } {
    const heights = [...this.flat].sort((a, b) => a - b);
    const layerHeight = stated ?? mostFrequentDifference(heights) / 1000;
    if (this.spiralMoves <= this.flatMoves) return { layers: heights.length, layerHeight };
    // vase mode: the nozzle climbs all the time
    if (!(layerHeight > 0)) return { layers: Math.max(this.spiral.size, 1), layerHeight: 0 };
    const climbed = this.highest - (heights.at(-1) ?? 0) / 1000;
    return { layers: heights.length + Math.max(Math.round(climbed / layerHeight), 0), layerHeight };
  }
}

/** Of ascending heights the difference that occurs most; of several the largest, 0 if there is none. */
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
