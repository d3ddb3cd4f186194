import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';

/** A box: its corner nearest to the origin, and its edges, mm. */
export interface BoxAt {
  at?: [number, number, number];
  edges: [number, number, number];
}

/** Writes a binary STL of a box with these edges (mm), one corner at the origin. */
export function writeBox(path: string, x: number, y: number, z: number): string {
  return writeBoxes(path, [{ edges: [x, y, z] }]);
}

/** The twelve faces of a box, all facing outwards. */
export function facesOf({ at = [0, 0, 0], edges }: BoxAt): [number, number, number][][] {
  const corner = (index: number): [number, number, number] => [
    at[0] + (index & 1 ? edges[0] : 0),
    at[1] + (index & 2 ? edges[1] : 0),
    at[2] + (index & 4 ? edges[2] : 0),
  ];
  const faces = [
    [0, 2, 3, 1],
    [4, 5, 7, 6],
    [0, 1, 5, 4],
    [2, 6, 7, 3],
    [0, 4, 6, 2],
    [1, 3, 7, 5],
  ] as const;
  return faces.flatMap(([a, b, c, d]) => [[a, b, c].map(corner), [a, c, d].map(corner)]);
}

/** Writes a binary STL of boxes, which may overlap. */
export function writeBoxes(path: string, boxes: BoxAt[]): string {
  const triangles = boxes.flatMap(facesOf);
  const bytes = Buffer.alloc(84 + 50 * triangles.length);
  bytes.writeUInt32LE(triangles.length, 80);
  triangles.forEach((triangle, index) => {
    triangle.forEach((point, at) => {
      point.forEach((value, axis) => {
        bytes.writeFloatLE(value, 84 + 50 * index + 12 + 12 * at + 4 * axis);
      });
    });
  });
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, bytes);
  return path;
}
