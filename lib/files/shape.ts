import type { Bounds } from './bounds';
import { crossing } from './crossing';
import type { TriangleSink } from './triangle-batch';
import { independentHash, onGrid, vertexHash } from './vertex-hash';

/** The cross-sections of a model, from bottom to top, each for an equal part of the height. */
export interface Shape {
  slices: ShapeSlice[];
}

/** One part of a model's height. */
export interface ShapeSlice {
  /** The pieces of the cross-section in its middle; if there are many, the smallest are one entry, with their mean. */
  islands: ShapeIsland[];
  /** The area in mm², seen from above, of the upward-facing faces here, by steepness (`slopeCotangents`). */
  up: number[];
  /** The same for the downward-facing faces. */
  down: number[];
  /**
   * mm along which something rises from a level upward-facing face, so that the face continues inside the part.
   */
  upBorder: number;
  /** mm along which something goes down from a level downward-facing face. */
  downBorder: number;
}

/** The classes of faces: run over rise of the steepest ones of each class. The first contains level faces; faces steeper
 * than the last are walls. Neighbouring classes differ by a factor of about 1.6: whether the area that a layer leaves open
 * above the one below lies under its walls, or needs solid infill, is decided somewhere in between.
 */
export const slopeCotangents = [20, 8, 5, 3.2, 2, 1.3, 0.8, 0.4] as const;

/** One piece of a cross-section. */
export interface ShapeIsland {
  /** mm² */
  area: number;
  /** mm, holes included. */
  perimeter: number;
  /** mm of the outer outline alone. */
  outline: number;
  holes: number;
  /** The number of places where the outline turns by more than 25°. */
  corners: number;
  /** The number of pieces like this. */
  count: number;
}

/** Enough to distinguish the layers of a part, and little to store. */
const sliceCount = 48;
/** With more triangles some are skipped, evenly: they are small then. */
const mostTriangles = 262_144;
const mostIslands = 8;
const steepest = slopeCotangents[slopeCotangents.length - 1] as number;
const cornerCosine = Math.cos((25 * Math.PI) / 180);
/** Outlines that are cut from sampled triangles cannot be joined: more of them are cut instead. */
const cutsOfSample = 8;
/** Every plane cuts each of many long thin triangles; this many lines are 32 MB. */
const mostLines = 1_048_576;

/** Keeps the triangles of a model, or a sample of a large one, until its box is known, and then measures its shape. */
export class ShapeSample implements TriangleSink {
  private kept = new Float32Array(9 * 1024);
  private used = 0;
  private stride = 1;
  /** The number of triangles to skip before the next one that is kept. */
  private skip = 0;

  expect(triangles: number): void {
    while (triangles > mostTriangles * this.stride) this.stride *= 2;
  }

  take(coordinates: Float64Array, count: number): void {
    let at = this.skip;
    for (; at < count; at += this.stride) {
      if (this.used === this.kept.length) this.makeRoom();
      const end = 9 * (at + 1);
      for (let i = 9 * at; i < end; i++) this.kept[this.used++] = coordinates[i] as number;
    }
    this.skip = at - count;
  }

  /**
   * @param bounds of all triangles
   * @param volumeMm3 of the whole model, without sign
   * @param insideOut whether the triangles face inwards
   */
  measure(bounds: Bounds, volumeMm3: number, insideOut: boolean): Shape {
    const bottom = bounds.min.z;
    const thickness = (bounds.max.z - bottom) / sliceCount;
    while (this.lines(thickness) > mostLines) this.thin();
    const triangles = this.kept.subarray(0, this.used);
    const slices = Array.from(
      { length: sliceCount },
      (): ShapeSlice => ({
        islands: [],
        up: slopeCotangents.map(() => 0),
        down: slopeCotangents.map(() => 0),
        upBorder: 0,
        downBorder: 0,
      }),
    );
    const sign = insideOut ? -1 : 1;
    addSlopes(slices, triangles, bottom, thickness, sign * this.stride);
    if (this.stride === 1) addBorders(slices, triangles, bottom, thickness, sign);
    if (this.stride === 1) {
      const cuts = cut(triangles, bottom + thickness / 2, thickness, sliceCount);
      for (const [index, slice] of slices.entries()) slice.islands = islandsOf(cuts[index] ?? [], sign);
    } else {
      const step = thickness / cutsOfSample;
      const cuts = cut(triangles, bottom + step / 2, step, sliceCount * cutsOfSample);
      sampledIslands(slices, cuts, this.stride / cutsOfSample, sign, volumeMm3 / thickness);
    }
    for (const slice of slices) {
      slice.up = slice.up.map(rounded);
      slice.down = slice.down.map(rounded);
      slice.upBorder = rounded(slice.upBorder);
      slice.downBorder = rounded(slice.downBorder);
    }
    return { slices };
  }

  private makeRoom(): void {
    if (this.used < 9 * mostTriangles) {
      const larger = new Float32Array(Math.min(2 * this.kept.length, 9 * mostTriangles));
      larger.set(this.kept);
      this.kept = larger;
      return;
    }
    this.thin();
  }

  /** Keeps every second triangle. */
  private thin(): void {
    this.stride *= 2;
    this.used = 9 * Math.floor(this.used / 18);
    for (let to = 0; to < this.used; to += 9) this.kept.copyWithin(to, 2 * to, 2 * to + 9);
  }

  /** The approximate number of lines into which the triangles will be cut. */
  private lines(thickness: number): number {
    if (!(thickness > 0)) return 0;
    let heights = 0;
    for (let i = 2; i < this.used; i += 9) {
      const [a, b, c] = [this.kept[i] ?? 0, this.kept[i + 3] ?? 0, this.kept[i + 6] ?? 0];
      heights += Math.max(a, b, c) - Math.min(a, b, c);
    }
    return (heights / thickness) * (this.stride === 1 ? 1 : cutsOfSample);
  }
}

/** Adds the faces, seen from above, to the slices that they lie in. */
function addSlopes(
  slices: ShapeSlice[],
  triangles: Float32Array,
  bottom: number,
  thickness: number,
  weight: number,
): void {
  for (let i = 0; i + 9 <= triangles.length; i += 9) {
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = triangles.subarray(i, i + 9) as unknown as NineNumbers;
    const [ux, uy, uz, vx, vy, vz] = [bx - ax, by - ay, bz - az, cx - ax, cy - ay, cz - az];
    const nz = (weight * (ux * vy - uy * vx)) / 2;
    const seen = Math.abs(nz);
    const lateral = (Math.abs(weight) * Math.hypot(uy * vz - uz * vy, uz * vx - ux * vz)) / 2;
    if (!(seen > steepest * lateral)) continue;
    const kind = slopeCotangents.findIndex((cotangent) => seen > cotangent * lateral);
    const low = (Math.min(az, bz, cz) - bottom) / thickness;
    const high = (Math.max(az, bz, cz) - bottom) / thickness;
    // A level face belongs to the part that it ends.
    const level = high - low < 1e-3;
    const first = Math.floor(level ? low + (nz > 0 ? -0.01 : 0.01) : low);
    const last = level ? first : Math.ceil(high) - 1;
    for (let slice = first; slice <= last; slice++) {
      const share = level ? 1 : (Math.min(high, slice + 1) - Math.max(low, slice)) / (high - low);
      const found = slices[Math.min(slices.length - 1, Math.max(0, slice))];
      const areas = found && (nz > 0 ? found.up : found.down);
      if (areas) areas[kind] = (areas[kind] ?? 0) + seen * share;
    }
  }
}

/** Below this height difference (mm) an edge, or a face, is level. */
const levelMm = 1e-3;

/** A directed edge as a number: two different edges collide once in 2⁵³. */
function edgeKey(px: number, py: number, pz: number, qx: number, qy: number, qz: number): number {
  const from = vertexHash(onGrid(px), onGrid(py), onGrid(pz)) >>> 0;
  return from * 2 ** 21 + (independentHash(onGrid(qx), onGrid(qy), onGrid(qz)) >>> 11);
}

/** Adds the borders of level faces where something rises from them, or hangs below them. */
function addBorders(
  slices: ShapeSlice[],
  triangles: Float32Array,
  bottom: number,
  thickness: number,
  sign: number,
): void {
  /** Edges of level triangles, in the direction of their neighbours, and whether the triangles face upwards. */
  const level = new Map<number, boolean>();
  const edges = (i: number, each: (key: number, from: number, to: number) => void, turned: boolean) => {
    for (let corner = 0; corner < 9; corner += 3) {
      const [p, q] = [i + corner, i + ((corner + 3) % 9)];
      const [pz, qz] = [triangles[p + 2] ?? 0, triangles[q + 2] ?? 0];
      if (Math.abs(pz - qz) > levelMm) continue;
      const [from, to] = turned ? [q, p] : [p, q];
      const [x, y, z] = [triangles[from] ?? 0, triangles[from + 1] ?? 0, triangles[from + 2] ?? 0];
      each(edgeKey(x, y, z, triangles[to] ?? 0, triangles[to + 1] ?? 0, triangles[to + 2] ?? 0), from, to);
    }
  };
  const height = (i: number) => (triangles[i + 2] ?? 0) + (triangles[i + 5] ?? 0) + (triangles[i + 8] ?? 0);
  const isLevel = (i: number) =>
    Math.abs((triangles[i + 2] ?? 0) - (triangles[i + 5] ?? 0)) <= levelMm &&
    Math.abs((triangles[i + 5] ?? 0) - (triangles[i + 8] ?? 0)) <= levelMm;
  for (let i = 0; i + 9 <= triangles.length; i += 9) {
    if (!isLevel(i)) continue;
    const [ax, ay, , bx, by, , cx, cy] = triangles.subarray(i, i + 9) as unknown as NineNumbers;
    const looksUp = sign * ((bx - ax) * (cy - ay) - (by - ay) * (cx - ax)) > 0;
    edges(i, (key) => level.set(key, looksUp), true);
  }
  if (level.size === 0) return;
  for (let i = 0; i + 9 <= triangles.length; i += 9) {
    if (isLevel(i)) continue;
    edges(
      i,
      (key, from, to) => {
        const looksUp = level.get(key);
        const z = triangles[from + 2] ?? 0;
        if (looksUp === undefined || height(i) / 3 > z !== looksUp) return;
        const part = Math.floor((z - bottom) / thickness + (looksUp ? -0.01 : 0.01));
        const slice = slices[Math.min(slices.length - 1, Math.max(0, part))];
        const length = Math.hypot(
          (triangles[to] ?? 0) - (triangles[from] ?? 0),
          (triangles[to + 1] ?? 0) - (triangles[from + 1] ?? 0),
        );
        if (slice) slice[looksUp ? 'upBorder' : 'downBorder'] += length;
      },
      false,
    );
  }
}

type NineNumbers = [number, number, number, number, number, number, number, number, number];

/** The cuts of planes through the triangles: four numbers per line (x, y, x, y), the material on its left. */
function cut(triangles: Float32Array, lowest: number, step: number, count: number): number[][] {
  const lines: number[][] = Array.from({ length: count }, () => []);
  for (let i = 0; i + 9 <= triangles.length; i += 9) {
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = triangles.subarray(i, i + 9) as unknown as NineNumbers;
    const low = Math.min(az, bz, cz);
    const high = Math.max(az, bz, cz);
    const first = Math.max(0, Math.floor((low - lowest) / step));
    const last = Math.min(count - 1, Math.ceil((high - lowest) / step));
    for (let plane = first; plane <= last; plane++) {
      const z = lowest + plane * step;
      if (low >= z || high < z) continue; // a vertex on the plane counts as above it
      const list = lines[plane] ?? [];
      const at = list.length;
      list.length = at + 4;
      crossing(list, at, ax, ay, az, bx, by, bz, z);
      crossing(list, at, bx, by, bz, cx, cy, cz, z);
      crossing(list, at, cx, cy, cz, ax, ay, az, z);
    }
  }
  return lines;
}

/** A closed outline. */
interface Outline {
  /** mm², negative: a hole. */
  area: number;
  perimeter: number;
  corners: number;
  left: number;
  right: number;
  front: number;
  back: number;
}

const keyOf = (x: number, y: number) => Math.round(x * 1000) * 4_194_304 + Math.round(y * 1000);

/** Joins lines into outlines; one that does not close, in an open mesh, is closed by a straight line. */
function outlinesOf(lines: readonly number[], sign: number): Outline[] {
  const startsAt = new Map<number, number[]>();
  for (let i = 0; i < lines.length; i += 4) {
    const key = keyOf(lines[i] ?? 0, lines[i + 1] ?? 0);
    if (key === keyOf(lines[i + 2] ?? 0, lines[i + 3] ?? 0)) continue;
    const others = startsAt.get(key);
    if (others) others.push(i);
    else startsAt.set(key, [i]);
  }
  const outlines: Outline[] = [];
  for (const starting of startsAt.values()) {
    for (let next = starting.pop(); next !== undefined; next = starting.pop()) {
      const points: number[] = [];
      for (let line: number | undefined = next; line !== undefined; ) {
        points.push(lines[line] ?? 0, lines[line + 1] ?? 0);
        line = startsAt.get(keyOf(lines[line + 2] ?? 0, lines[line + 3] ?? 0))?.pop();
      }
      if (points.length >= 6) outlines.push(outlineOf(points, sign));
    }
  }
  return outlines;
}

function outlineOf(points: readonly number[], sign: number): Outline {
  const outline: Outline = {
    area: 0,
    perimeter: 0,
    corners: 0,
    left: Number.POSITIVE_INFINITY,
    right: Number.NEGATIVE_INFINITY,
    front: Number.POSITIVE_INFINITY,
    back: Number.NEGATIVE_INFINITY,
  };
  let [x0, y0] = points.slice(-2) as [number, number];
  let direction: [number, number] | undefined;
  let firstDirection: [number, number] | undefined;
  const turn = (from: [number, number], to: [number, number]) => {
    if (from[0] * to[0] + from[1] * to[1] < cornerCosine) outline.corners++;
  };
  for (let i = 0; i < points.length; i += 2) {
    const [x1, y1] = [points[i] ?? 0, points[i + 1] ?? 0];
    const length = Math.hypot(x1 - x0, y1 - y0);
    outline.area += (sign * (x0 * y1 - x1 * y0)) / 2;
    outline.perimeter += length;
    outline.left = Math.min(outline.left, x1);
    outline.right = Math.max(outline.right, x1);
    outline.front = Math.min(outline.front, y1);
    outline.back = Math.max(outline.back, y1);
    if (length > 1e-3) {
      const here: [number, number] = [(x1 - x0) / length, (y1 - y0) / length];
      if (direction) turn(direction, here);
      firstDirection ??= here;
      direction = here;
    }
    [x0, y0] = [x1, y1];
  }
  if (direction && firstDirection) turn(direction, firstDirection);
  return outline;
}

/** The pieces of a cross-section: each outer outline with the holes in it. */
function islandsOf(lines: readonly number[], sign: number): ShapeIsland[] {
  const outlines = outlinesOf(lines, sign);
  const solids = outlines
    .filter(({ area }) => area > 0)
    .sort((a, b) => a.area - b.area)
    .map((outline) => ({
      outline,
      island: {
        area: outline.area,
        perimeter: outline.perimeter,
        outline: outline.perimeter,
        holes: 0,
        corners: outline.corners,
        count: 1,
      },
    }));
  for (const hole of outlines) {
    if (hole.area >= 0) continue;
    const around = solids.find(({ outline }) => contains(outline, hole)) ?? solids.at(-1);
    if (!around) continue;
    around.island.area += hole.area;
    around.island.perimeter += hole.perimeter;
    around.island.corners += hole.corners;
    around.island.holes++;
  }
  const islands = solids
    .map(({ island }) => island)
    .filter(({ area }) => area > 0)
    .sort((a, b) => b.area - a.area);
  const small = islands.splice(mostIslands - 1);
  const mean = (of: (island: ShapeIsland) => number) =>
    small.reduce((sum, island) => sum + of(island), 0) / small.length;
  if (small.length > 0) {
    islands.push({
      area: mean(({ area }) => area),
      perimeter: mean(({ perimeter }) => perimeter),
      outline: mean(({ outline }) => outline),
      holes: mean(({ holes }) => holes),
      corners: mean(({ corners }) => corners),
      count: small.length,
    });
  }
  return islands.map(({ area, perimeter, outline, holes, corners, count }) => ({
    area: rounded(area),
    perimeter: rounded(perimeter),
    outline: rounded(outline),
    holes: rounded(holes),
    corners: rounded(corners),
    count,
  }));
}

const contains = (a: Outline, b: Outline) =>
  a.left <= b.left && a.right >= b.right && a.front <= b.front && a.back >= b.back && a.area > -b.area;

/** For a sample: the length is the amount cut, the area matches the volume; it is treated as one piece. */
function sampledIslands(
  slices: ShapeSlice[],
  cuts: readonly number[][],
  weight: number,
  sign: number,
  totalArea: number,
): void {
  const sums = slices.map(() => ({ area: 0, perimeter: 0 }));
  // The flux through a part of an outline depends on the position of the origin, least if it is in the middle.
  let [x, y, ends] = [0, 0, 0];
  for (const lines of cuts) {
    for (let i = 0; i < lines.length; i += 4) {
      x += lines[i] ?? 0;
      y += lines[i + 1] ?? 0;
      ends++;
    }
  }
  for (const [index, lines] of cuts.entries()) {
    const sum = sums[Math.floor(index / cutsOfSample)];
    if (!sum) continue;
    for (let i = 0; i < lines.length; i += 4) {
      const [x0, y0] = [(lines[i] ?? 0) - x / ends, (lines[i + 1] ?? 0) - y / ends];
      const [x1, y1] = [(lines[i + 2] ?? 0) - x / ends, (lines[i + 3] ?? 0) - y / ends];
      sum.area += (weight * sign * (x0 * y1 - x1 * y0)) / 2;
      sum.perimeter += weight * Math.hypot(x1 - x0, y1 - y0);
    }
  }
  const found = sums.reduce((total, { area }) => total + Math.max(0, area), 0);
  for (const [index, { area, perimeter }] of sums.entries()) {
    if (area <= 0 || found <= 0) continue;
    const length = rounded(perimeter);
    const island = { area: rounded((area * totalArea) / found), perimeter: length, outline: length };
    slices[index]?.islands.push({ ...island, holes: 0, corners: 0, count: 1 });
  }
}

const rounded = (value: number) => Number(value.toPrecision(4));
