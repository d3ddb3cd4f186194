import assert from 'node:assert/strict';
import { closeSync, mkdtempSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeTorus } from '../../bench/files/torus';
import { analyseHere } from '../../lib/files/analyse';
import { MeshMeasure } from '../../lib/files/mesh-measure';
import { facesOf } from '../support/models';

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

/** A cone whose base is a fan of this many triangles around the origin. */
function cone(segments: number): Point[][] {
  const rim = (index: number): Point => {
    const angle = (2 * Math.PI * (index % segments)) / segments;
    return [100 * Math.cos(angle), 100 * Math.sin(angle), 0];
  };
  return Array.from({ length: segments }, (_, index) => [rim(index), rim(index + 1)] as const).flatMap(([a, b]) => [
    [[0, 0, 0], b, a],
    [a, b, [0, 0, 50]],
  ]);
}

/** Appends faces to a binary STL. */
function append(path: string, faces: Point[][]): void {
  const added = Buffer.alloc(50 * faces.length);
  for (const [index, face] of faces.entries()) {
    for (const [place, value] of face.flat().entries()) added.writeFloatLE(value, 50 * index + 12 + 4 * place);
  }
  const size = statSync(path).size;
  const count = Buffer.alloc(4);
  count.writeUInt32LE((size - 84) / 50 + faces.length);
  const file = openSync(path, 'r+');
  writeSync(file, added, 0, added.length, size);
  writeSync(file, count, 0, count.length, 80);
  closeSync(file);
}

/** Measures many small separate solids, followed by these faces. */
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
/** Two solids that share one edge: four triangles meet there. */
const touching = [
  ...tetrahedron(foot, [-9, -10, 0], [-10, -9, 0], head),
  ...tetrahedron(foot, [-11, -10, 0], [-10, -11, 0], head),
];

describe('Whether a mesh is watertight', () => {
  for (const [solids, expected] of [
    [10, undefined],
    [10, 48],
    [100_000, undefined],
    [249_990, 999_968],
  ] as const) {
    it(`is determined exactly for ${4 * solids} triangles${expected === undefined ? ', without the count in advance' : ''}`, () => {
      assert.equal(measured(solids, [], expected).watertight, true);
      const two = measured(solids, touching, expected);
      assert.equal(two.closedness, 'closed');
      assert.equal(two.watertight, false);
      assert.equal(measured(solids, touching.slice(1), expected).closedness, 'open');
    });
  }

  it('is determined exactly for an STL of just below a million triangles', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'platewise-watertight-'));
    try {
      const path = join(directory, 'torus.stl');
      const triangles = writeTorus(path, 999_900);
      append(path, facesOf({ at: [0, 0, 0], edges: [1, 1, 1] }));
      assert.equal((await analyseHere(path)).watertight, true);
      append(path, facesOf({ at: [1, 1, 0], edges: [1, 1, 1] })); // the two have an edge in common
      const analysis = await analyseHere(path);
      assert.equal(analysis.triangles, triangles + 24);
      assert.ok(analysis.triangles > 999_000 && analysis.triangles <= 1_000_000);
      assert.deepEqual(analysis.warnings, []);
      assert.equal(analysis.watertight, false);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('does not depend on the number of edges at one vertex', () => {
    for (const expected of [undefined, 100_000]) {
      const measure = measured(0, cone(50_000), expected);
      assert.equal(measure.closedness, 'closed');
      assert.equal(measure.watertight, true);
    }
  });

  it('is false for a solid that occurs many times in the same place', () => {
    const measure = measured(
      0,
      Array.from({ length: 2000 }, () => facesOf({ at: [0, 0, 0], edges: [1, 1, 1] })).flat(),
      24_000,
    );
    assert.equal(measure.closedness, 'closed');
    assert.equal(measure.watertight, false);
  });
});
