import type { Bounds } from './bounds';
import { EdgeCount } from './edge-count';
import { type Shape, ShapeSample } from './shape';
import type { TriangleSink } from './triangle-batch';
import { UnreadableFileError } from './unreadable';
import { independentHash, onGrid, vertexHash } from './vertex-hash';

/** Coordinates beyond one kilometre mean a broken file, not a part. */
const coordinateLimitMm = 1e6;

/** Up to this many triangles, edges with more than two triangles are detected too; holes are detected at any size. */
const countedTriangles = 1_000_000;

/**
 * Box, volume, surface and closedness of a mesh in one pass and bounded memory.
 *
 * The volume is the sum of the tetrahedra between a corner of the mesh and its triangles, ∑ n·(a − corner) / 6: exact for a
 * closed mesh wherever it lies, and for an open one the same indication as PrusaSlicer's. It never exceeds the
 * box.
 *
 * Closedness: with two hashes p and q of each vertex, an edge u→v adds p(u)·q(v) − p(v)·q(u), which changes its sign
 * with the direction and so cancels when every edge occurs as often in one direction as in the other; the XOR of both
 * products is the same in both directions and cancels when every edge occurs an even number of times. A closed mesh
 * always gives zero; an open one gives zero by chance once in 2³². For up to a million triangles the products are kept,
 * to detect an edge that occurs twice in the same direction.
 *
 * Three small loops over a batch that stays in a processor's cache, not one large loop, which would take longer to
 * compile than most models take to read.
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
  /** The mesh's first corner, from which its volume is measured. */
  private cornerX = 0;
  private cornerY = 0;
  private cornerZ = 0;
  private orientedEdges = 0;
  private unpairedEdges = 0;
  private expected = countedTriangles;
  private edges: EdgeCount | undefined;
  /** The hashes p and q of a batch's vertices, and both products of its edges. */
  private first = new Int32Array();
  private second = new Int32Array();
  private products = new Int32Array();
  private readonly sample = new ShapeSample();

  expect(triangles: number): void {
    this.expected = triangles;
    this.sample.expect(triangles);
  }

  /** @throws UnreadableFileError for a coordinate that is not an ordinary number */
  take(coordinates: Float64Array, count: number): void {
    if (this.first.length < 3 * count) {
      this.first = new Int32Array(3 * count);
      this.second = new Int32Array(3 * count);
      this.products = new Int32Array(6 * count);
    }
    this.takeSurface(coordinates, count);
    this.takeVertices(coordinates, 3 * count);
    this.refuseBroken();
    const edges = this.takeEdges(count);
    this.triangles += count;
    this.sample.take(coordinates, count);
    if (Math.max(this.expected, this.triangles) > countedTriangles) this.edges = undefined;
    else {
      this.edges ??= new EdgeCount(this.expected);
      this.edges.add(this.products, edges);
    }
  }

  get bounds(): Bounds {
    return {
      min: { x: this.minX, y: this.minY, z: this.minZ },
      max: { x: this.maxX, y: this.maxY, z: this.maxZ },
    };
  }

  /** The shape of the cross-sections. */
  get shape(): Shape {
    return this.sample.measure(this.bounds, this.volumeMm3, this.insideOut);
  }

  /** mm³, without sign; of an open mesh only an indication. */
  get volumeMm3(): number {
    const box = (this.maxX - this.minX) * (this.maxY - this.minY) * (this.maxZ - this.minZ);
    return Math.min(Math.abs(this.sixfoldVolume) / 6, Math.max(0, box));
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
   * Whether every edge joins exactly two triangles. With more than a million triangles, and for a mesh whose triangles
   * face both ways: whether it has no holes.
   */
  get watertight(): boolean {
    const { closedness } = this;
    if (closedness === 'open') return false;
    return closedness === 'flipped' || this.edges === undefined || this.edges.allSingle;
  }

  private refuseBroken(): void {
    const farthest = Math.max(this.maxX, this.maxY, this.maxZ, -this.minX, -this.minY, -this.minZ);
    if (Number.isNaN(this.surfaceMm2) || farthest > coordinateLimitMm) {
      throw new UnreadableFileError(
        'a coordinate is not finite or lies beyond one kilometre',
        'Repair the model and export it again.',
      );
    }
  }

  private takeSurface(coordinates: Float64Array, count: number): void {
    if (this.triangles === 0) [this.cornerX = 0, this.cornerY = 0, this.cornerZ = 0] = coordinates;
    const { cornerX, cornerY, cornerZ } = this;
    let { sixfoldVolume, surfaceMm2 } = this;
    for (let i = 0, end = 9 * count; i < end; i += 9) {
      const ax = coordinates[i] as number;
      const ay = coordinates[i + 1] as number;
      const az = coordinates[i + 2] as number;
      const ux = (coordinates[i + 3] as number) - ax;
      const uy = (coordinates[i + 4] as number) - ay;
      const uz = (coordinates[i + 5] as number) - az;
      const vx = (coordinates[i + 6] as number) - ax;
      const vy = (coordinates[i + 7] as number) - ay;
      const vz = (coordinates[i + 8] as number) - az;
      const nx = uy * vz - uz * vy;
      const ny = uz * vx - ux * vz;
      const nz = ux * vy - uy * vx;
      sixfoldVolume += nx * (ax - cornerX) + ny * (ay - cornerY) + nz * (az - cornerZ);
      surfaceMm2 += Math.sqrt(nx * nx + ny * ny + nz * nz) / 2; // NaN stays in it
    }
    this.sixfoldVolume = sixfoldVolume;
    this.surfaceMm2 = surfaceMm2;
  }

  private takeVertices(coordinates: Float64Array, count: number): void {
    const { first, second } = this;
    let { minX, minY, minZ, maxX, maxY, maxZ } = this;
    for (let vertex = 0, i = 0; vertex < count; vertex++, i += 3) {
      const x = coordinates[i] as number;
      const y = coordinates[i + 1] as number;
      const z = coordinates[i + 2] as number;
      if (x < minX) minX = x;
      if (x > maxX) maxX = x;
      if (y < minY) minY = y;
      if (y > maxY) maxY = y;
      if (z < minZ) minZ = z;
      if (z > maxZ) maxZ = z;
      const gridX = onGrid(x);
      const gridY = onGrid(y);
      const gridZ = onGrid(z);
      first[vertex] = vertexHash(gridX, gridY, gridZ);
      second[vertex] = independentHash(gridX, gridY, gridZ);
    }
    this.minX = minX;
    this.minY = minY;
    this.minZ = minZ;
    this.maxX = maxX;
    this.maxY = maxY;
    this.maxZ = maxZ;
  }

  /**
   * Adds edges to the sums and writes the products of those that lead from the smaller hash to the larger: in a closed
   * mesh the opposite direction occurs as often.
   *
   * @returns the number written
   */
  private takeEdges(count: number): number {
    const { first, second, products } = this;
    let { orientedEdges, unpairedEdges } = this;
    let written = 0;
    for (let i = 0, end = 3 * count; i < end; i += 3) {
      const pa = first[i] as number;
      const pb = first[i + 1] as number;
      const pc = first[i + 2] as number;
      const qa = second[i] as number;
      const qb = second[i + 1] as number;
      const qc = second[i + 2] as number;
      const ab = Math.imul(pa, qb);
      const ba = Math.imul(pb, qa);
      const bc = Math.imul(pb, qc);
      const cb = Math.imul(pc, qb);
      const ca = Math.imul(pc, qa);
      const ac = Math.imul(pa, qc);
      orientedEdges = (orientedEdges + ab - ba + bc - cb + ca - ac) | 0;
      unpairedEdges ^= ab ^ ba ^ bc ^ cb ^ ca ^ ac;
      // Each is written, and every second one is overwritten: a randomly taken branch would cost more.
      products[written] = ab;
      products[written + 1] = ba;
      written += 2 * ((pa - pb) >>> 31);
      products[written] = bc;
      products[written + 1] = cb;
      written += 2 * ((pb - pc) >>> 31);
      products[written] = ca;
      products[written + 1] = ac;
      written += 2 * ((pc - pa) >>> 31);
    }
    this.orientedEdges = orientedEdges;
    this.unpairedEdges = unpairedEdges;
    return written / 2;
  }
}
