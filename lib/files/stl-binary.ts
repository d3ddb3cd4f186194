import { readChunks } from './chunks';
import type { TriangleSink } from './triangle-batch';

const headerBytes = 84;
const triangleBytes = 50;
/**
 * The number of triangles per batch: whole ones, and few enough to stay in a processor's cache between reading and
 * measuring.
 */
const batchTriangles = 4096;
/**
 * A file starts with smaller batches. A loop that is compiled while it runs has to be left and re-entered in its
 * middle; if it ends soon it is compiled once, between two batches.
 */
const smallBatchTriangles = 128;
const smallBatchesUntil = 4 * batchTriangles;

/** The size of a binary STL with this many triangles. */
export const binaryStlBytes = (triangles: number) => headerBytes + triangleBytes * triangles;

/**
 * Sends `count` triangles of a binary STL to the sink. Stored normals are ignored: many programs write invalid ones.
 */
export function readBinaryStl(path: string, count: number, sink: TriangleSink): void {
  const coordinates = new Float64Array(9 * batchTriangles);
  sink.expect?.(count);
  let left = count;
  readChunks(path, headerBytes, batchTriangles * triangleBytes, (chunk) => {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    const whole = Math.min(left, Math.floor(chunk.length / triangleBytes));
    const size = count - left < smallBatchesUntil ? smallBatchTriangles : batchTriangles;
    for (let first = 0; first < whole; first += size) {
      const batch = Math.min(size, whole - first);
      copyCoordinates(view, first * triangleBytes, coordinates, batch);
      sink.take(coordinates, batch);
    }
    left -= whole;
  });
}

function copyCoordinates(view: DataView, from: number, coordinates: Float64Array, triangles: number): void {
  for (let i = 0, at = from + 12, to = 0; i < triangles; i++, at += triangleBytes, to += 9) {
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
}
