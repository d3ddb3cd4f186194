/** Vertices closer than this are merged: exporters write 1e-17 beside 0. */
const vertexGridPerMm = 1e5;

/**
 * A multiple of 2³² that makes every coordinate up to a kilometre positive, so that truncation rounds down; plus a
 * half.
 */
const roundingUp = 2 ** 40 + 0.5;

/** A coordinate on the grid; both zeros are equal. */
export function onGrid(mm: number): number {
  return (mm * vertexGridPerMm + roundingUp) | 0;
}

/**
 * The hash of a vertex on the grid. Each coordinate is mixed into the next: models are full of regular grids, and many
 * sums of coordinates would be equal.
 */
export function vertexHash(x: number, y: number, z: number): number {
  let hash = Math.imul(x ^ 0x5bd1e995, 0x9e3779b1);
  hash = Math.imul(hash ^ (hash >>> 15) ^ y, 0x85ebca77);
  hash = Math.imul(hash ^ (hash >>> 13) ^ z, 0xc2b2ae3d);
  return hash ^ (hash >>> 16);
}

/** A second, independent hash: vertices that collide in one differ in the other. */
export function independentHash(x: number, y: number, z: number): number {
  const sum = 0x2545f491 + Math.imul(x, 0x2c1b3c6d) + Math.imul(y, 0x297a2d39) + Math.imul(z, 0x27d4eb2f);
  return Math.imul(sum ^ (sum >>> 16), 0x165667b1); // for whole millimetres all sums end in the same binary digits
}
