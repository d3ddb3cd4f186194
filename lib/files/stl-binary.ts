import { readChunks } from './chunks';
import type { TriangleSink } from './mesh-measure';

const headerBytes = 84;
const triangleBytes = 50;
/** About 256 kB, and whole triangles: the fastest size measured, and none is ever cut in two. */
const chunkBytes = 5240 * triangleBytes;

/** The size that a binary STL of so many triangles has. */
export const binaryStlBytes = (triangles: number) => headerBytes + triangleBytes * triangles;

/** Sends `count` triangles of a binary STL to the sink. Stored normals are ignored, many programs write nonsense there. */
export function readBinaryStl(path: string, count: number, sink: TriangleSink): void {
  let left = count;
  readChunks(path, headerBytes, chunkBytes, (chunk) => {
    const view = new DataView(chunk.buffer, chunk.byteOffset, chunk.length);
    const whole = Math.min(left, Math.floor(chunk.length / triangleBytes));
    for (let i = 0, at = 12; i < whole; i++, at += triangleBytes) {
      sink.triangle(
        view.getFloat32(at, true),
        view.getFloat32(at + 4, true),
        view.getFloat32(at + 8, true),
        view.getFloat32(at + 12, true),
        view.getFloat32(at + 16, true),
        view.getFloat32(at + 20, true),
        view.getFloat32(at + 24, true),
        view.getFloat32(at + 28, true),
        view.getFloat32(at + 32, true),
      );
    }
    left -= whole;
  });
}
