import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** Writes a binary STL of a box with these edges (mm), one corner at the origin. */
export function writeBox(path: string, x: number, y: number, z: number): string {
  const corner = (index: number): [number, number, number] => [index & 1 ? x : 0, index & 2 ? y : 0, index & 4 ? z : 0];
  const faces = [
    [0, 2, 3, 1],
    [4, 5, 7, 6],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 4, 6, 2],
    [1, 3, 7, 5],
  ] as const;
  const triangles = faces.flatMap(([a, b, c, d]) => [
    [a, b, c],
    [a, c, d],
  ]);
  const bytes = Buffer.alloc(84 + 50 * triangles.length);
  bytes.writeUInt32LE(triangles.length, 80);
  triangles.forEach((triangle, index) => {
    triangle.forEach((point, at) => {
      corner(point).forEach((value, axis) => {
        bytes.writeFloatLE(value, 84 + 50 * index + 12 + 12 * at + 4 * axis);
      });
    });
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}
