import { closeSync, openSync, writeSync } from 'node:fs';

/** Writes a closed torus of about this many triangles as binary STL and returns their number. */
export function writeTorus(path: string, wanted: number): number {
  const around = Math.round(Math.sqrt(wanted / 2));
  const across = Math.round(wanted / 2 / around);
  const count = 2 * around * across;
  const file = openSync(path, 'w');
  const head = Buffer.alloc(84);
  head.writeUInt32LE(count, 80);
  writeSync(file, head);
  const point = (i: number, j: number): [number, number, number] => {
    const u = (2 * Math.PI * (i % around)) / around;
    const v = (2 * Math.PI * (j % across)) / across;
    const radius = 60 + 20 * Math.cos(v);
    return [100 + radius * Math.cos(u), 100 + radius * Math.sin(u), 20 + 20 * Math.sin(v)];
  };
  const ring = Buffer.alloc(100 * across);
  for (let i = 0; i < around; i++) {
    let at = 0;
    for (let j = 0; j < across; j++) {
      const [a, b, c, d] = [point(i, j), point(i + 1, j), point(i + 1, j + 1), point(i, j + 1)];
      for (const triangle of [
        [a, b, c],
        [a, c, d],
      ]) {
        for (const [index, value] of triangle.flat().entries()) ring.writeFloatLE(value, at + 12 + 4 * index);
        at += 50;
      }
    }
    writeSync(file, ring);
  }
  closeSync(file);
  return count;
}
