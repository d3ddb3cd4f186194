import assert from 'node:assert/strict';
import { MeshMeasure } from '../../lib/files/mesh-measure';

type Point = readonly [number, number, number];

/** The four faces of a tetrahedron, all facing outwards. */
function tetrahedron(a: Point, b: Point, c: Point, d: Point): Point[][] {
  return [
    [a, c, b],
    [a, b, d],
    [b, c, d],
    [c, a, d],
  ];
}

/** Measures many small solids, each apart from the others, and then these faces. */
function measured(solids: number, more: Point[][], expected: number | undefined): MeshMeasure {
  const measure = new MeshMeasure();
  if (expected !== undefined) measure.expect(expected);
  const batch = new Float64Array(9 * 4000);
  let filled = 0;
  const take = (faces: Point[][]): void => {
    for (const face of faces) {
      batch.set(face.flat(), 9 * filled++);
      if (filled === 4000) {
        measure.take(batch, filled);
        filled = 0;
      }
    }
  };
  for (let k = 0; k < solids; k++) {
    const [x, y] = [(k % 1000) * 3, Math.floor(k / 1000) * 3];
    take(tetrahedron([x, y, 0], [x + 1, y, 0], [x, y + 1, 0], [x, y, 1]));
  }
  take(more);
  measure.take(batch, filled);
  return measure;
}

const foot: Point = [-10, -10, 0];
const head: Point = [-10, -10, 5];
/** Two solids that touch in one edge: four triangles meet there. */
const touching = [
  ...tetrahedron(foot, [-9, -10, 0], [-10, -9, 0], head),
  ...tetrahedron(foot, [-11, -10, 0], [-10, -11, 0], head),
];

describe('Whether a mesh is watertight', () => {
  for (const [solids, expected] of [
    [10, undefined],
    [10, 48],
    [100_000, undefined],
    [124_000, 496_008],
  ] as const) {
    it(`is found out exactly for ${4 * solids} triangles${expected === undefined ? ', of which nobody knew' : ''}`, () => {
      assert.equal(measured(solids, [], expected).watertight, true);
      const two = measured(solids, touching, expected);
      assert.equal(two.closedness, 'closed');
      assert.equal(two.watertight, false);
      assert.equal(measured(solids, touching.slice(1), expected).closedness, 'open');
    });
  }
});
