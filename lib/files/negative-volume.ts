import { dimensionsOf } from './analysis';
import type { Bounds } from './bounds';
import { closeContours, type Paths64, perMm, roundedCrossing } from './contours';
import type { TriangleSink } from './triangle-batch';

type Clipper2 = typeof import('clipper2-ts', { with: { 'resolution-mode': 'import' }});

/** Vertices closer than this are merged, as in the check for closedness. */
const vertexGridPerMm = 1e5;
/** Levels closer than this (mm) are merged. */
const sameLevel = 1e-4;
/** The maximum and minimum number of cross-sections of one object. */
const mostPlanes = 800;
const leastPlanes = 16;
/** The maximum number of times that a slab between two levels is halved. */
const mostHalvings = 8;
/** The minimum number of times, if the budget allows: few cross-sections may miss a bend. */
const leastHalvings = 3;
/** The change of a slab's volume by halving, as a share of its box, above which the halves are halved too. */
const sameVolume = 1e-6;
/** And as a share of its walls, mm: the total shift of the walls by rounding to micrometres. */
const sameWalls = 1e-4;
/** The maximum number of searches for the triangles of a plane, which are slow. */
const mostLooks = 400_000_000;
/** The maximum width of rounding residue between two coincident surfaces, µm. */
const sliver = 2;
/** Sides that agree within this (µm) are the same. */
const sameSide = 2;

/** Collects the triangles of a solid, nine numbers each. */
export class TriangleList implements TriangleSink {
  private values = new Float64Array(9 * 512);
  private length = 0;

  take(coordinates: Float64Array, triangles: number): void {
    if (this.length + 9 * triangles > this.values.length) {
      const larger = new Float64Array(Math.max(2 * this.values.length, this.length + 9 * triangles));
      larger.set(this.values);
      this.values = larger;
    }
    for (let i = 0; i < 9 * triangles; i++) {
      this.values[this.length++] = Math.round((coordinates[i] ?? 0) * vertexGridPerMm) / vertexGridPerMm;
    }
  }

  get triangles(): Float64Array {
    return this.values.subarray(0, this.length);
  }
}

/** The part of an object that negative volumes remove. */
export interface Removed {
  volumeMm3: number;
  /** The box of the remainder; undefined if it is empty. */
  bounds: Bounds | undefined;
  /** Whether all contours closed: otherwise the mesh has holes, and the figures are only an indication. */
  sound: boolean;
}

/** Computes what negative volumes remove from parts.
 *
 * The common volume is the integral of the area that their cross-sections have in common, by Gauss's rule of two
 * points between every two levels at which a vertex lies; a slab is halved as long as that changes its volume by more
 * than a millionth of its box, and more than rounding does. It is exact (up to the rounding of contours to 1 µm, about
 * a hundred-thousandth) wherever that area is at most a cubic in z between two levels, which it is for all polyhedra as
 * long as no edge pierces a face there: for boxes, prisms and holes through them. Where edges do pierce faces the error
 * was below 0.01 %. Finely meshed solids are cut into at most 400 slabs, evenly; the error was below 0.001 % for a
 * sphere with a hole. The sides of the box that are cut come from the cross-sections; its height is accurate to one slab, and
 * is never too small.
 *
 * @param bounds of the parts
 * @param shareOfPlanes the share of the usual number of cross-sections that may be used, from 0 to 1
 */
export async function removedBy(
  negatives: Float64Array,
  parts: Float64Array,
  bounds: Bounds,
  shareOfPlanes = 1,
): Promise<Removed> {
  const clipper = await import('clipper2-ts');
  const looks = mostLooks / ((parts.length + negatives.length) / 9 + 1);
  const planes = Math.floor(Math.max(leastPlanes, Math.min(mostPlanes * shareOfPlanes, looks)));
  return new Integration(new CrossSections(clipper, parts, negatives), bounds, planes).removed([parts, negatives]);
}

/** A slab, integrated by two cross-sections. */
interface Slab {
  from: number;
  to: number;
  /** mm³ */
  volume: number;
  /** Whether anything remains at the lower and at the upper cross-section. */
  left: readonly [boolean, boolean];
}

class Integration {
  private lowest = Number.POSITIVE_INFINITY;
  private highest = Number.NEGATIVE_INFINITY;
  private readonly tolerance: number;
  /** Slabs that may be halved more often than this are halved. */
  private unquestioned = mostHalvings;

  constructor(
    private readonly section: CrossSections,
    private readonly bounds: Bounds,
    /** The remaining number of cross-sections. */
    private planes: number,
  ) {
    const { x, y } = dimensionsOf(bounds);
    this.tolerance = sameVolume * x * y;
  }

  removed(solids: readonly Float64Array[]): Removed {
    const { section, bounds } = this;
    const { z: bottom } = bounds.min;
    const { z: top } = bounds.max;
    // Two cross-sections at the ends of each slab, two inside it, and four inside its halves.
    const levels = levelsOf(solids, bottom, top, Math.floor(this.planes / 8));
    let volume = 0;
    if (levels) {
      const share = Math.floor(Math.log2(this.planes / (8 * levels.length)));
      this.unquestioned = mostHalvings - Math.max(0, Math.min(leastHalvings, share));
      for (let index = 0; index + 1 < levels.length; index++) {
        const [from = 0, to = 0] = levels.slice(index, index + 2);
        const aside = (to - from) * 1e-4;
        // Between two levels the sides are straight: they reach farthest at the ends.
        section.cut(from + aside);
        section.cut(to - aside);
        this.planes -= 2;
        volume += this.refined(this.slab(from, to), mostHalvings);
      }
    } else {
      const slabs = Math.max(1, Math.floor(this.planes / 2));
      const level = (index: number) => bottom + ((top - bottom) * index) / slabs;
      for (let index = 0; index < slabs; index++) volume += this.taken(this.slab(level(index), level(index + 1)));
    }
    const box = this.highest > this.lowest ? section.leftOf(bounds, this.lowest, this.highest) : undefined;
    return { volumeMm3: volume, bounds: box, sound: section.sound };
  }

  private slab(from: number, to: number): Slab {
    const aside = (to - from) / (2 * Math.sqrt(3));
    const middle = (from + to) / 2;
    const lower = this.section.cut(middle - aside);
    const upper = this.section.cut(middle + aside);
    this.planes -= 2;
    return { from, to, volume: ((lower.removed + upper.removed) / 2) * (to - from), left: [lower.left, upper.left] };
  }

  private refined(whole: Slab, halvings: number): number {
    if (halvings === 0 || this.planes < 4) return this.taken(whole);
    const { from, to } = whole;
    const middle = (from + to) / 2;
    const halves = [this.slab(from, middle), this.slab(middle, to)] as const;
    const [lower, upper] = halves;
    const flags = [...whole.left, ...lower.left, ...upper.left];
    const tolerance = this.tolerance + sameWalls * this.section.longest;
    const same = Math.abs(lower.volume + upper.volume - whole.volume) <= tolerance * (to - from);
    if (same && halvings <= this.unquestioned && flags.every((left) => left === flags[0]))
      return this.taken(lower) + this.taken(upper);
    return this.refined(lower, halvings - 1) + this.refined(upper, halvings - 1);
  }

  private taken({ from, to, volume, left }: Slab): number {
    if (left[0] || left[1]) {
      this.lowest = Math.min(this.lowest, from);
      this.highest = Math.max(this.highest, to);
    }
    return volume;
  }
}

/**
 * The heights at which a vertex lies, between and including two heights; undefined if they exceed the number of
 * slabs.
 */
function levelsOf(solids: readonly Float64Array[], from: number, to: number, slabs: number): number[] | undefined {
  const heights = new Set<number>([to]);
  for (const triangles of solids) {
    for (let i = 2; i < triangles.length; i += 3) {
      const z = triangles[i] as number;
      if (z > from && z < to) heights.add(z);
      if (heights.size > slabs) return undefined;
    }
  }
  const levels = [from];
  for (const height of [...heights].sort((a, b) => a - b)) {
    if (height - (levels.at(-1) ?? 0) >= sameLevel) levels.push(height);
    else if (height === to) levels[Math.max(1, levels.length - 1)] = to;
  }
  return levels;
}

interface Sides {
  left: number;
  right: number;
  front: number;
  back: number;
}

const nowhere = (): Sides => ({
  left: Number.POSITIVE_INFINITY,
  right: Number.NEGATIVE_INFINITY,
  front: Number.POSITIVE_INFINITY,
  back: Number.NEGATIVE_INFINITY,
});

/** Cuts both solids at one height after the other and records the extent of the remainder. */
class CrossSections {
  sound = true;
  /** mm of contours in the cross-section that has most of them. */
  longest = 0;
  private readonly whole = nowhere();
  private readonly remaining = nowhere();
  private readonly originX: number;
  private readonly originY: number;

  constructor(
    private readonly clipper: Clipper2,
    private readonly parts: Float64Array,
    private readonly negatives: Float64Array,
  ) {
    // Close to the parts, so that micrometres stay small numbers.
    this.originX = Math.round(parts[0] ?? 0);
    this.originY = Math.round(parts[1] ?? 0);
  }

  /** @returns the removed area in mm², and whether anything remains */
  cut(z: number): { removed: number; left: boolean } {
    const { clipper } = this;
    const { FillRule } = clipper;
    const part = this.contours(this.parts, z);
    if (part.length === 0) return { removed: 0, left: false };
    reach(this.whole, part);
    const negative = this.contours(this.negatives, z);
    if (negative.length === 0) {
      reach(this.remaining, part);
      return { removed: 0, left: true };
    }
    this.longest = Math.max(this.longest, lengthOf(part) + lengthOf(negative));
    const common = clipper.intersect(part, negative, FillRule.NonZero);
    const left = clipper
      .difference(part, negative, FillRule.NonZero)
      .filter((path) => Math.abs(clipper.area(path)) > (sliver / 2) * lengthOf([path]) * perMm);
    reach(this.remaining, left);
    return { removed: Math.abs(clipper.areaPaths(common)) / perMm ** 2, left: left.length > 0 };
  }

  /** The box of the remainder: the sides of the whole where nothing was cut. */
  leftOf({ min, max }: Bounds, lowest: number, highest: number): Bounds {
    const { whole, remaining, originX, originY } = this;
    const side = (exact: number, of: number, left: number, origin: number) =>
      Math.abs(of - left) <= sameSide ? exact : left / perMm + origin;
    return {
      min: {
        x: side(min.x, whole.left, remaining.left, originX),
        y: side(min.y, whole.front, remaining.front, originY),
        z: lowest,
      },
      max: {
        x: side(max.x, whole.right, remaining.right, originX),
        y: side(max.y, whole.back, remaining.back, originY),
        z: highest,
      },
    };
  }

  private contours(triangles: Float64Array, z: number): Paths64 {
    const { originX, originY } = this;
    const segments: number[] = [];
    for (let i = 0; i < triangles.length; i += 9) {
      const az = triangles[i + 2] as number;
      const bz = triangles[i + 5] as number;
      const cz = triangles[i + 8] as number;
      if (az < z === bz < z && bz < z === cz < z) continue;
      const ax = (triangles[i] as number) - originX;
      const ay = (triangles[i + 1] as number) - originY;
      const bx = (triangles[i + 3] as number) - originX;
      const by = (triangles[i + 4] as number) - originY;
      const cx = (triangles[i + 6] as number) - originX;
      const cy = (triangles[i + 7] as number) - originY;
      const at = segments.length;
      segments.length = at + 4;
      roundedCrossing(segments, at, ax, ay, az, bx, by, bz, z);
      roundedCrossing(segments, at, bx, by, bz, cx, cy, cz, z);
      roundedCrossing(segments, at, cx, cy, cz, ax, ay, az, z);
    }
    return closeContours(segments, () => {
      this.sound = false;
    });
  }
}

/** mm */
function lengthOf(paths: Paths64): number {
  let length = 0;
  for (const path of paths) {
    let from = path.at(-1);
    for (const to of path) {
      if (from) length += Math.hypot(to.x - from.x, to.y - from.y);
      from = to;
    }
  }
  return length / perMm;
}

function reach(sides: Sides, paths: Paths64): void {
  for (const path of paths) {
    for (const { x, y } of path) {
      sides.left = Math.min(sides.left, x);
      sides.right = Math.max(sides.right, x);
      sides.front = Math.min(sides.front, y);
      sides.back = Math.max(sides.back, y);
    }
  }
}

/** The smallest box around both. */
export function bothBounds(a: Bounds | undefined, b: Bounds | undefined): Bounds | undefined {
  if (!a || !b) return a ?? b;
  return {
    min: { x: Math.min(a.min.x, b.min.x), y: Math.min(a.min.y, b.min.y), z: Math.min(a.min.z, b.min.z) },
    max: { x: Math.max(a.max.x, b.max.x), y: Math.max(a.max.y, b.max.y), z: Math.max(a.max.z, b.max.z) },
  };
}

/** Whether two boxes overlap. */
export function overlap(a: Bounds, b: Bounds): boolean {
  const { x, y, z } = dimensionsOf({
    min: { x: Math.max(a.min.x, b.min.x), y: Math.max(a.min.y, b.min.y), z: Math.max(a.min.z, b.min.z) },
    max: { x: Math.min(a.max.x, b.max.x), y: Math.min(a.max.y, b.max.y), z: Math.min(a.max.z, b.max.z) },
  });
  return x > 0 && y > 0 && z > 0;
}
