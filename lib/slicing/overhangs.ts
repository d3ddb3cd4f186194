import type { Clipper2 } from './clipper';
import { type Paths64, type Point, perMm } from './layers';
import { SlicingError } from './slicer';

/** The maximum reach of a part over air beyond its supports, mm. */
const longestReach = 3;
/** Half of the longest bridge, mm. */
const halfLongestBridge = 12.5;
/** mm² of a layer that may break these limits: crumbs. */
const tolerated = 2;

/**
 * Refuses a layer that filament cannot be laid in without supports: an island in the air, what reaches out too far
 * beyond its anchors, and a bridge that is too long. What lies between anchors counts as a bridge: the hull of the
 * anchors is where lines can be drawn from one side to another.
 *
 * @param region the layer, `below` the one under it, `overAir` what lies more than a line's width outside of that (µm)
 * @param height mm, for the message
 * @throws SlicingError
 */
export function refuseUnsupported(
  clipper: Clipper2,
  region: Paths64,
  below: Paths64,
  overAir: Paths64,
  height: number,
): void {
  const { FillRule, JoinType, EndType } = clipper;
  const grow = (paths: Paths64, mm: number) =>
    clipper.inflatePaths(paths, mm * perMm, JoinType.Round, EndType.Polygon, 2);
  const cut = (a: Paths64, b: Paths64) => clipper.intersect(a, b, FillRule.NonZero);
  const without = (a: Paths64, b: Paths64) => clipper.difference(a, b, FillRule.NonZero);
  const squareMm = (paths: Paths64) => Math.abs(clipper.areaPaths(paths)) / perMm ** 2;
  const refuse = (what: string) => {
    throw new SlicingError(
      `At a height of ${height.toFixed(1)} mm the part ${what}; the built-in slicer prints no supports.`,
      'Turn the part, or slice with PrusaSlicer and a profile with supports.',
    );
  };
  const outlines = (paths: Paths64) => paths.filter((path) => clipper.area(path) > 0);

  for (const island of outlines(region)) {
    if (squareMm([island]) > tolerated && squareMm(cut([island], below)) === 0) refuse('begins in mid-air');
  }
  for (const piece of outlines(overAir)) {
    if (squareMm([piece]) <= tolerated) continue;
    const anchors = cut(grow([piece], 1), below);
    const held = grow([hullOf(anchors.flat())], longestReach);
    if (squareMm(without([piece], held)) > tolerated) refuse(`reaches out more than ${longestReach} mm over air`);
  }
  if (squareMm(without(overAir, grow(below, halfLongestBridge))) > tolerated) {
    refuse(`bridges more than ${2 * halfLongestBridge} mm of air`);
  }
}

/** The convex hull of points (Andrew's monotone chain), counter-clockwise. */
function hullOf(points: Point[]): Point[] {
  const sorted = [...points].sort((a, b) => a.x - b.x || a.y - b.y);
  const half = (order: Point[]) => {
    const chain: Point[] = [];
    for (const point of order) {
      while (chain.length >= 2 && !turnsLeft(chain.at(-2) as Point, chain.at(-1) as Point, point)) chain.pop();
      chain.push(point);
    }
    return chain.slice(0, -1);
  };
  return [...half(sorted), ...half(sorted.reverse())];
}

const turnsLeft = (a: Point, b: Point, c: Point) => (b.x - a.x) * (c.y - a.y) - (b.y - a.y) * (c.x - a.x) > 0;
