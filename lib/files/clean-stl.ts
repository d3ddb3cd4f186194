import { closeSync, openSync, writeSync } from 'node:fs';
import type { TriangleSink } from './triangle-batch';
import { forEachTriangle } from './triangles';

/** The placement of a model on the bed: turned about Z first, then moved (mm). */
export interface Placement {
  rotationZ: 0 | 90;
  translation: { x: number; y: number; z: number };
}

/** Writes the position of a vertex on the bed: x, y and z (mm). */
export function place(
  coordinates: Float64Array,
  from: number,
  { rotationZ, translation }: Placement,
  to: Float64Array,
): void {
  const x = coordinates[from] ?? 0;
  const y = coordinates[from + 1] ?? 0;
  to[0] = (rotationZ === 90 ? -y : x) + translation.x;
  to[1] = (rotationZ === 90 ? x : y) + translation.y;
  to[2] = (coordinates[from + 2] ?? 0) + translation.z;
}

const triangleBytes = 50;
const trianglesPerWrite = 5000;
const header = 'Platewise model in bed coordinates, millimetres';

/**
 * Writes a binary STL in bed coordinates, triangle by triangle. The first facet has the normal (−1, 0, 0): slicers of the
 * admesh family treat a file whose first facets have no byte above 127 as ASCII. All other normals are zero; slicers
 * compute their own.
 */
class CleanStlWriter implements TriangleSink {
  private readonly file: number;
  private readonly buffer = Buffer.alloc(trianglesPerWrite * triangleBytes);
  private readonly corner = new Float64Array(3);
  private used = 0;
  private count = 0;

  constructor(
    path: string,
    private readonly placement: Placement,
  ) {
    this.file = openSync(path, 'wx');
    const head = Buffer.alloc(84);
    head.write(header, 'latin1');
    writeSync(this.file, head);
  }

  take(coordinates: Float64Array, triangles: number): void {
    for (let i = 0; i < 9 * triangles; i += 9) {
      if (this.used === this.buffer.length) this.flush();
      this.buffer.fill(0, this.used, this.used + triangleBytes);
      if (this.count === 0) this.buffer.writeFloatLE(-1, this.used);
      for (let corner = 0; corner < 9; corner += 3) this.vertex(coordinates, i + corner, this.used + 12 + 4 * corner);
      this.used += triangleBytes;
      this.count++;
    }
  }

  /** Finishes the file. */
  finish(): void {
    this.flush();
    const count = Buffer.alloc(4);
    count.writeUInt32LE(this.count);
    writeSync(this.file, count, 0, 4, 80);
  }

  close(): void {
    closeSync(this.file);
  }

  private vertex(coordinates: Float64Array, from: number, at: number): void {
    place(coordinates, from, this.placement, this.corner);
    for (let axis = 0; axis < 3; axis++) this.buffer.writeFloatLE(this.corner[axis] ?? 0, at + 4 * axis);
  }

  private flush(): void {
    writeSync(this.file, this.buffer, 0, this.used);
    this.used = 0;
  }
}

/**
 * Reads a model file and writes it as a clean binary STL in bed coordinates.
 *
 * @param plate of a project with several
 * @throws UnreadableFileError
 */
export async function copyAsCleanStl(
  source: string,
  path: string,
  placement: Placement,
  plate?: number,
): Promise<void> {
  const writer = new CleanStlWriter(path, placement);
  try {
    await forEachTriangle(source, writer, plate);
    writer.finish();
  } finally {
    writer.close();
  }
}
