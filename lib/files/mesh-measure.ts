import type { Bounds } from './analysis';
import { EdgeCount } from './edge-count';
import type { TriangleSink } from './triangle-batch';
import { UnreadableFileError } from './unreadable';

/** Coordinates beyond one kilometre are a broken file, not a part. */
const coordinateLimitMm = 1e6;

/** Vertices nearer than this are one: exporters write 1e-17 beside 0. */
const vertexGridPerMm = 1e5;

/**
 * Up to so many triangles it is also found out whether more than two triangles meet at an edge. Beyond, that would cost more
 * than everything else together; holes are found at any size.
 */
const countedTriangles = 500_000;

/** A coordinate on its grid; both zeros are one. */
function onGrid(mm: number): number {
  return Math.floor(mm * vertexGridPerMm + 0.5) | 0;
}

/**
 * The hash of a vertex on its grid. One coordinate is mixed into the next: models are full of regular grids, and of sums of
 * coordinates many would be the same.
 */
function vertexHash(x: number, y: number, z: number): number {
  let hash = Math.imul(x ^ 0x5bd1e995, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ y, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 13) ^ z, 0xc2b2ae3d);
  return hash ^ (hash >>> 16);
}

/** Another one, that has nothing to do with the first: vertices of one column often agree in that. */
function independentHash(x: number, y: number, z: number): number {
  return (Math.imul(x, 0x2c1b3c6d) + Math.imul(y, 0x297a2d39) + Math.imul(z, 0x27d4eb2f)) | 0;
}

/** A second hash of a vertex, from its first. */
function secondHash(hash: number): number {
  return Math.imul(hash ^ (hash >>> 16), 0x297a2d39);
}

/**
 * Box, volume, surface and closedness of a mesh in one pass and bounded memory.
 *
 * Volume is the flow of (x, 0, 0) through the surface, ∑ nₓ·(ax + bx + cx) / 6 by the divergence theorem: exact for a
 * closed mesh, and for an open one the indication that trimesh gives too.
 *
 * Closedness: with two hashes p and q of each vertex, an edge u→v adds p(u)·q(v) − p(v)·q(u), which changes its sign with
 * the direction and so cancels when every edge is met as often in one direction as in the other; the XOR of both products
 * is the same in both directions and cancels when every edge is met an even number of times. A closed mesh always gives
 * zero; an open one gives zero by chance once in 2³². Of up to half a million triangles the edges are also kept.
 */
export class MeshMeasure implements TriangleSink {
  triangles = 0;
  surfaceMm2 = 0;
  private minX = Number.POSITIVE_INFINITY;
  private minY = Number.POSITIVE_INFINITY;
  private minZ = Number.POSITIVE_INFINITY;
  private maxX = Number.NEGATIVE_INFINITY;
  private maxY = Number.NEGATIVE_INFINITY;
  private maxZ = Number.NEGATIVE_INFINITY;
  private sixfoldVolume = 0;
  private orientedEdges = 0;
  private unpairedEdges = 0;
  private edges: EdgeCount | undefined = new EdgeCount();

  expect(triangles: number): void {
    this.edges = triangles > countedTriangles ? undefined : new EdgeCount(triangles);
  }

  /** @throws UnreadableFileError for a coordinate that is no ordinary number */
  take(coordinates: Float64Array, count: number): void {
    this.triangles += count;
    if (this.triangles > countedTriangles) this.edges = undefined;
    if (this.edges) countEdges(this.edges, coordinates, count);
    let { minX, minY, minZ, maxX, maxY, maxZ, sixfoldVolume, surfaceMm2, orientedEdges, unpairedEdges } = this;
    let sum = 0;
    for (let i = 0, end = 9 * count; i < end; i += 9) {
      const ax = coordinates[i] as number;
      const ay = coordinates[i + 1] as number;
      const az = coordinates[i + 2] as number;
      const bx = coordinates[i + 3] as number;
      const by = coordinates[i + 4] as number;
      const bz = coordinates[i + 5] as number;
      const cx = coordinates[i + 6] as number;
      const cy = coordinates[i + 7] as number;
      const cz = coordinates[i + 8] as number;
      sum += ax + ay + az + bx + by + bz + cx + cy + cz; // NaN and infinity stay in it
      if (ax < minX) minX = ax;
      if (ax > maxX) maxX = ax;
      if (bx < minX) minX = bx;
      if (bx > maxX) maxX = bx;
      if (cx < minX) minX = cx;
      if (cx > maxX) maxX = cx;
      if (ay < minY) minY = ay;
      if (ay > maxY) maxY = ay;
      if (by < minY) minY = by;
      if (by > maxY) maxY = by;
      if (cy < minY) minY = cy;
      if (cy > maxY) maxY = cy;
      if (az < minZ) minZ = az;
      if (az > maxZ) maxZ = az;
      if (bz < minZ) minZ = bz;
      if (bz > maxZ) maxZ = bz;
      if (cz < minZ) minZ = cz;
      if (cz > maxZ) maxZ = cz;

      const ux = bx - ax;
      const uy = by - ay;
      const uz = bz - az;
      const vx = cx - ax;
      const vy = cy - ay;
      const vz = cz - az;
      const nx = uy * vz - uz * vy;
      const ny = uz * vx - ux * vz;
      const nz = ux * vy - uy * vx;
      sixfoldVolume += nx * (ax + bx + cx);
      surfaceMm2 += Math.sqrt(nx * nx + ny * ny + nz * nz) / 2;

      const pa = vertexHash(onGrid(ax), onGrid(ay), onGrid(az));
      const pb = vertexHash(onGrid(bx), onGrid(by), onGrid(bz));
      const pc = vertexHash(onGrid(cx), onGrid(cy), onGrid(cz));
      const qa = secondHash(pa);
      const qb = secondHash(pb);
      const qc = secondHash(pc);
      const ab = Math.imul(pa, qb);
      const ba = Math.imul(pb, qa);
      const bc = Math.imul(pb, qc);
      const cb = Math.imul(pc, qb);
      const ca = Math.imul(pc, qa);
      const ac = Math.imul(pa, qc);
      orientedEdges = (orientedEdges + ab - ba + bc - cb + ca - ac) | 0;
      unpairedEdges ^= ab ^ ba ^ bc ^ cb ^ ca ^ ac;
    }
    const farthest = Math.max(maxX, maxY, maxZ, -minX, -minY, -minZ);
    if (!Number.isFinite(sum) || farthest > coordinateLimitMm) {
      throw new UnreadableFileError(
        'a coordinate is not finite or lies beyond one kilometre',
        'Repair the model and export it again.',
      );
    }
    Object.assign(this, {
      minX,
      minY,
      minZ,
      maxX,
      maxY,
      maxZ,
      sixfoldVolume,
      surfaceMm2,
      orientedEdges,
      unpairedEdges,
    });
  }

  get bounds(): Bounds {
    return {
      min: { x: this.minX, y: this.minY, z: this.minZ },
      max: { x: this.maxX, y: this.maxY, z: this.maxZ },
    };
  }

  /** mm³, without sign; of an open mesh only an indication. */
  get volumeMm3(): number {
    return Math.abs(this.sixfoldVolume) / 6;
  }

  /** Whether the triangles face inwards. */
  get insideOut(): boolean {
    return this.sixfoldVolume < 0;
  }

  /** - `closed`: a solid - `flipped`: no holes, but some triangles face the wrong way - `open`: it has holes */
  get closedness(): 'closed' | 'flipped' | 'open' {
    if (this.unpairedEdges !== 0) return 'open';
    return this.orientedEdges === 0 ? 'closed' : 'flipped';
  }

  /**
   * Whether every edge joins exactly two triangles. Of more than half a million triangles, and of a mesh whose triangles face
   * both ways: whether it has no holes.
   */
  get watertight(): boolean {
    const { closedness } = this;
    if (closedness === 'open') return false;
    return closedness === 'flipped' || this.edges === undefined || this.edges.allSingle;
  }
}

/** A loop of its own: the other one is faster without it, and larger meshes need only that. */
function countEdges(edges: EdgeCount, coordinates: Float64Array, count: number): void {
  for (let i = 0, end = 9 * count; i < end; i += 9) {
    const ax = onGrid(coordinates[i] as number);
    const ay = onGrid(coordinates[i + 1] as number);
    const az = onGrid(coordinates[i + 2] as number);
    const bx = onGrid(coordinates[i + 3] as number);
    const by = onGrid(coordinates[i + 4] as number);
    const bz = onGrid(coordinates[i + 5] as number);
    const cx = onGrid(coordinates[i + 6] as number);
    const cy = onGrid(coordinates[i + 7] as number);
    const cz = onGrid(coordinates[i + 8] as number);
    const a = vertexHash(ax, ay, az);
    const b = vertexHash(bx, by, bz);
    const c = vertexHash(cx, cy, cz);
    if (a < b) edges.add(a, independentHash(bx, by, bz));
    if (b < c) edges.add(b, independentHash(cx, cy, cz));
    if (c < a) edges.add(c, independentHash(ax, ay, az));
  }
}
