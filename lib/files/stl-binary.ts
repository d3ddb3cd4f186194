import { readChunks } from './chunks';
import type { TriangleSink } from './triangle-batch';

const headerBytes = 84;
const triangleBytes = 50;
/** Triangles at a time: whole ones, and small enough that they stay in a processor's cache between reading and measuring. */
const batchTriangles = 1024;

/** The size that a binary STL of so many triangles has. */
export const binaryStlBytes = (triangles: number) => headerBytes + triangleBytes * triangles;

/** Sends `count` triangles of a binary STL to the sink. Stored normals are ignored, many programs write nonsense there. */
export function readBinaryStl(path: string, count: number, sink: TriangleSink): void {
  const coordinates = new Float64Array(9 * batchTriangles);
  sink.expect?.(count);
  let left = count;
  readChunks(path, headerBytes, batchTriangles * triangleBytes, (chunk) => {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    const whole = Math.min(left, Math.floor(chunk.length / triangleBytes));
    for (let i = 0, at = 12, to = 0; i < whole; i++, at += triangleBytes, to += 9) {
      coordinates[to] = view.getFloat32(at, true);
      coordinates[to + 1] = view.getFloat32(at + 4, true);
      coordinates[to + 2] = view.getFloat32(at + 8, true);
      coordinates[to + 3] = view.getFloat32(at + 12, true);
      coordinates[to + 4] = view.getFloat32(at + 16, true);
      coordinates[to + 5] = view.getFloat32(at + 20, true);
      coordinates[to + 6] = view.getFloat32(at + 24, true);
      coordinates[to + 7] = view.getFloat32(at + 28, true);
      coordinates[to + 8] = view.getFloat32(at + 32, true);
    }
    if (whole > 0) sink.take(coordinates, whole);
    left -= whole;
  });
}
