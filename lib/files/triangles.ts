import { encodingOf } from './kind';
import { readBinaryStl } from './stl-binary';
import type { TriangleSink } from './triangle-batch';
import { UnreadableFileError } from './unreadable';

/**
 * Sends all triangles of a model file to a sink, in mm, as the model's author placed them.
 *
 * Reads synchronously: for worker threads, or for small files.
 *
 * @param plate of a project with several
 * @returns sentences for an operator
 * @throws UnreadableFileError
 */
export async function forEachTriangle(
  path: string,
  sink: TriangleSink,
  plate?: number,
): Promise<{ warnings: string[] }> {
  const encoding = encodingOf(path);
  switch (encoding.form) {
    case 'binary_stl':
      readBinaryStl(path, encoding.triangles, sink);
      return {
        warnings:
          encoding.trailingBytes > 0 ? [`${encoding.trailingBytes} bytes after the last triangle were ignored.`] : [],
      };
    case 'ascii_stl': {
      const { readAsciiStl } = require('./stl-ascii') as typeof import('./stl-ascii');
      return { warnings: readAsciiStl(path, sink) };
    }
    case 'zip': {
      const { openArchive } = require('./archive') as typeof import('./archive');
      const { readThreeMf } = require('./three-mf') as typeof import('./three-mf');
      const archive = await openArchive(path);
      try {
        return await readThreeMf(archive, sink, plate);
      } finally {
        archive.close();
      }
    }
    case 'gcode':
      throw new UnreadableFileError('it is G-code, not a model', 'Send an STL or 3MF.');
  }
}

/**
 * The triangles of a model as nine numbers each (mm), at most `maxTriangles` of them.
 *
 * @throws UnreadableFileError also when there are more
 */
export async function readTriangles(path: string, maxTriangles = 10_000_000): Promise<Float32Array> {
  let values = new Float32Array(9 * 2048);
  let length = 0;
  await forEachTriangle(path, {
    take(coordinates, triangles) {
      if (length + 9 * triangles > 9 * maxTriangles) {
        throw new UnreadableFileError(
          `it has more than ${maxTriangles} triangles`,
          'Simplify the mesh and export it again.',
        );
      }
      if (length + 9 * triangles > values.length) {
        const larger = new Float32Array(values.length * 2);
        larger.set(values);
        values = larger;
      }
      values.set(coordinates.subarray(0, 9 * triangles), length);
      length += 9 * triangles;
    },
  });
  return values.slice(0, length);
}
