import type { FileAnalysis } from '../files/analysis';
import type { Shape, ShapeIsland } from '../files/shape';

/**
 * The cross-sections of a model: as measured, else, for an analysis of an earlier version, those of a prism with its height,
 * volume and surface.
 */
export function shapeOf({ shape, dimensions, volumeMm3, surfaceMm2 }: FileAnalysis): Shape {
  if (shape && shape.slices.length > 0) return shape;
  const { x, y, z } = dimensions;
  const area = z > 0 ? Math.min(volumeMm3, x * y * z) / z : 0;
  const roundest = 2 * Math.sqrt(Math.PI * area);
  const measured = surfaceMm2 === undefined ? 0 : (surfaceMm2 - 2 * area) / z;
  const usual = 2 * (x + y) * Math.sqrt(x * y > 0 ? area / (x * y) : 0);
  const perimeter = Math.max(roundest, surfaceMm2 === undefined ? usual : measured);
  const island: ShapeIsland = { area, perimeter, outline: perimeter, holes: 0, corners: 4, count: 1 };
  const slices = ['bottom', 'middle', 'top'].map((part) => ({
    islands: area > 0 ? [island] : [],
    up: [part === 'top' ? area : 0],
    down: [part === 'bottom' ? area : 0],
    upBorder: 0,
    downBorder: 0,
  }));
  return { slices };
}

/** How an outline shrinks when lines are laid along it. */
export interface Eroded {
  /** mm² left at a distance (mm) from the outline. */
  areaAt(depth: number): number;
  /** mm of outline there. */
  perimeterAt(depth: number): number;
}

/**
 * Area and outline of an island at a distance d from its outline: A(d) = A·(1 − d/D)^m and −A'(d). m is 1 for a strip or a
 * ring, whose outline keeps its length, and 2 for a disc or a regular polygon. It follows from how A(d) begins, by
 * Steiner's formula A − P·d + κ·d², where κ is π for a round outline, the sum of the corners' half tangents for a polygon,
 * and smaller by π for each hole; then D = m·A/P.
 */
export function eroded({ area, perimeter, holes, corners }: Omit<ShapeIsland, 'outline'>): Eroded {
  if (!(area > 0 && perimeter > 0)) return { areaAt: () => 0, perimeterAt: () => 0 };
  const polygon = corners >= 3 ? Math.min(5.2, corners * Math.tan(Math.PI / corners)) : Math.PI;
  const bend = Math.min(0.5, Math.max(0, (2 * (polygon - Math.PI * holes) * area) / perimeter ** 2));
  const power = 1 / (1 - bend);
  const deepest = (power * area) / perimeter;
  const left = (depth: number) => Math.max(0, 1 - Math.max(0, depth) / deepest);
  return {
    areaAt: (depth) => area * left(depth) ** power,
    perimeterAt: (depth) => (left(depth) > 0 ? perimeter * left(depth) ** (power - 1) : 0),
  };
}
