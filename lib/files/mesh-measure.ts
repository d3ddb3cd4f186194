import type { Bounds } from './analysis';
import { UnreadableFileError } from './unreadable';

/** Takes the triangles of a model one by one, in mm, counter-clockwise seen from outside. */
export interface TriangleSink {
  triangle(
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    cx: number,
    cy: number,
    cz: number,
  ): void;
}

/** Coordinates beyond one kilometre are a broken file, not a part; NaN and infinity fail the same comparison. */
const coordinateLimitMm = 1e6;

const ordinary = (value: number) => value <= coordinateLimitMm && value >= -coordinateLimitMm;

const bits = new Int32Array(1);
const single = new Float32Array(bits.buffer);

/** Vertices nearer than this are one: exporters write 1e-17 beside 0. */
const vertexGridPerMm = 1e5;

function bitsOf(value: number): number {
  single[0] = Math.round(value * vertexGridPerMm) + 0; // -0 + 0 = 0: both zeros are one vertex
  return bits[0] ?? 0;
}

function vertexHash(x: number, y: number, z: number): number {
  let hash = Math.imul(bitsOf(x), 0x9e3779b1);
  hash = Math.imul((hash ^ (hash >>> 15)) + bitsOf(y), 0x85ebca77);
  hash = Math.imul((hash ^ (hash >>> 13)) + bitsOf(z), 0xc2b2ae3d);
  return hash ^ (hash >>> 16);
}

function directedEdgeHash(from: number, to: number): number {
  let hash = Math.imul(from, 0x27d4eb2f) + to;
  hash = Math.imul(hash ^ (hash >>> 15), 0x2c1b3c6d);
  hash = Math.imul(hash ^ (hash >>> 12), 0x297a2d39);
  return hash ^ (hash >>> 15);
}

/**
 * Box, volume, surface and closedness of a mesh in one pass and constant memory.
 *
 * Volume is the sum of signed tetrahedra over the first vertex (near the part, so that a part far from the origin
 * loses no digits). Closedness is a sum over edges: each triangle adds hash(u→v) − hash(v→u) for its edges, which
 * cancels exactly when every edge is met once in each direction, and XORs a hash without direction, which cancels
 * when every edge is met an even number of times. A closed mesh always gives zero; an open one gives zero by chance
 * once in 2³².
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
  private originX = 0;
  private originY = 0;
  private originZ = 0;
  private sixfoldVolume = 0;
  private orientedEdges = 0;
  private pairedEdges = 0;

  /** @throws UnreadableFileError for a coordinate that is no ordinary number */
  triangle(
    ax: number,
    ay: number,
    az: number,
    bx: number,
    by: number,
    bz: number,
    cx: number,
    cy: number,
    cz: number,
  ): void {
    refuseExtraordinary(ax, ay, az, bx, by, bz, cx, cy, cz);
    if (this.triangles === 0) {
      this.originX = ax;
      this.originY = ay;
      this.originZ = az;
    }
    this.triangles++;
    this.minX = Math.min(this.minX, ax, bx, cx);
    this.minY = Math.min(this.minY, ay, by, cy);
    this.minZ = Math.min(this.minZ, az, bz, cz);
    this.maxX = Math.max(this.maxX, ax, bx, cx);
    this.maxY = Math.max(this.maxY, ay, by, cy);
    this.maxZ = Math.max(this.maxZ, az, bz, cz);

    const ux = bx - ax;
    const uy = by - ay;
    const uz = bz - az;
    const vx = cx - ax;
    const vy = cy - ay;
    const vz = cz - az;
    const nx = uy * vz - uz * vy;
    const ny = uz * vx - ux * vz;
    const nz = ux * vy - uy * vx;
    this.sixfoldVolume += (ax - this.originX) * nx + (ay - this.originY) * ny + (az - this.originZ) * nz;
    this.surfaceMm2 += Math.sqrt(nx * nx + ny * ny + nz * nz) / 2;

    const a = vertexHash(ax, ay, az);
    const b = vertexHash(bx, by, bz);
    const c = vertexHash(cx, cy, cz);
    this.edge(a, b);
    this.edge(b, c);
    this.edge(c, a);
  }

  private edge(from: number, to: number): void {
    if (from === to) return;
    const forward = directedEdgeHash(from, to);
    const backward = directedEdgeHash(to, from);
    this.orientedEdges = (this.orientedEdges + forward - backward) | 0;
    this.pairedEdges ^= forward ^ backward;
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
    if (this.orientedEdges === 0) return 'closed';
    return this.pairedEdges === 0 ? 'flipped' : 'open';
  }
}

function refuseExtraordinary(
  ax: number,
  ay: number,
  az: number,
  bx: number,
  by: number,
  bz: number,
  cx: number,
  cy: number,
  cz: number,
): void {
  if (
    ordinary(ax) &&
    ordinary(ay) &&
    ordinary(az) &&
    ordinary(bx) &&
    ordinary(by) &&
    ordinary(bz) &&
    ordinary(cx) &&
    ordinary(cy) &&
    ordinary(cz)
  ) {
    return;
  }
  throw new UnreadableFileError(
    'a coordinate is not finite or lies beyond one kilometre',
    'Repair the model and export it again.',
  );
}
