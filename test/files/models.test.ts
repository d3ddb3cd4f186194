import assert from 'node:assert/strict';
import { readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseHere } from '../../lib/files/analyse';
import { analyseFile } from '../../lib/files/analyse-file';
import type { FileAnalysis } from '../../lib/files/analysis';
import { copyAsCleanStl } from '../../lib/files/clean-stl';
import { MeshMeasure } from '../../lib/files/mesh-measure';
import { readTriangles } from '../../lib/files/triangles';
import { UnreadableFileError } from '../../lib/files/unreadable';
import type { Dimensions } from '../../lib/model/printer';
import { fixture, temporaryDirectory } from '../fixtures';

/** A row of the README's table, converted to mm. */
interface Oracle {
  file: string;
  triangles: number;
  min: number[];
  max: number[];
  volume: number;
  watertight: boolean;
}

function oracles(): Oracle[] {
  const rows: Oracle[] = [];
  for (const line of readFileSync(fixture('models', 'README.md'), 'utf8').split('\n')) {
    const cells = line.split('|').map((cell) => cell.trim());
    const file = /^`(.+\.(?:stl|3mf))`$/i.exec(cells[1] ?? '')?.[1];
    if (file === undefined) continue;
    const scale = cells[6] === 'inch' ? 25.4 : 1;
    const [min = [], max = []] = (cells[7] ?? '').split('→').map((corner) =>
      corner
        .trim()
        .split(' ')
        .map((value) => Number(value) * scale),
    );
    rows.push({
      file,
      triangles: Number(cells[5]),
      min,
      max,
      volume: Number(cells[9]) * scale ** 3,
      watertight: cells[10] === 'yes',
    });
  }
  return rows;
}

const values = ({ x, y, z }: Dimensions) => [x, y, z];

function assertBox(analysis: FileAnalysis, min: number[], max: number[], tolerance = 0.01): void {
  for (const [found, expected] of [
    [values(analysis.bounds.min), min],
    [values(analysis.bounds.max), max],
  ] as const) {
    for (const [axis, value] of found.entries()) {
      assert.ok(Math.abs(value - (expected[axis] ?? Number.NaN)) <= tolerance, `${found} is not ${expected}`);
    }
  }
}

/** Meshes that are open or face both ways: the oracle's volume for them depends on their position. */
const volumeUnknown = ['soup.stl', 'multibody-ascii.stl'];

const boxOf = ({ dimensions: { x, y, z } }: FileAnalysis) => x * y * z;

const close = (found: number, expected: number) =>
  assert.ok(Math.abs(found / expected - 1) < 0.001, `${found} is not ${expected}`);

describe('analysing models', () => {
  const rows = oracles();

  it('finds all samples in the table', () => assert.equal(rows.length, 14));

  for (const row of rows) {
    it(`agrees with the oracle on ${row.file}`, async () => {
      const analysis = await analyseHere(fixture('models', row.file));
      assert.equal(analysis.triangles, row.triangles);
      assertBox(analysis, row.min, row.max);
      if (!volumeUnknown.includes(row.file)) close(analysis.volumeMm3, row.volume);
      else {
        assert.ok(analysis.volumeMm3 <= boxOf(analysis), `${analysis.volumeMm3} does not fit its box`);
        assert.match(analysis.warnings.join(), /only an indication/);
      }
      assert.equal(analysis.watertight, row.watertight);
    });
  }

  it('reads in a worker while the event loop stays free', async () => {
    let turns = 0;
    const counter = setInterval(() => turns++, 5);
    const analysis = await analyseFile(fixture('models', '3DBenchy.3mf'));
    clearInterval(counter);
    assert.equal(analysis.triangles, 225154);
    assert.equal(analysis.sizeBytes, statSync(fixture('models', '3DBenchy.3mf')).size);
    assert.ok(turns > 10, `the event loop turned only ${turns} times`);
  });

  it('reports why a worker rejected a file, and stops on request', async () => {
    await assert.rejects(
      analyseFile(fixture('models-bad', 'ascii-comma-decimals.stl')),
      (error) =>
        error instanceof UnreadableFileError && error.code === 'unreadable_file' && /decimal commas/.test(error.reason),
    );
    const controller = new AbortController();
    const reading = analyseFile(fixture('models', '3DBenchy.3mf'), { signal: controller.signal });
    controller.abort(new Error('no longer wanted'));
    await assert.rejects(reading, /no longer wanted/);
    await assert.rejects(
      analyseFile(fixture('models', '3DBenchy.3mf'), { timeLimitMs: 20 }),
      (error) => error instanceof UnreadableFileError && /took longer/.test(error.reason),
    );
  });

  it('reports a missing file', async () => {
    await assert.rejects(analyseFile('/nowhere/at/all.stl'), UnreadableFileError);
  });
});

interface Expectation {
  size?: [number, number, number];
  volume?: number;
  warns?: RegExp;
  refused?: RegExp;
}

const cube = (edge: number): Expectation => ({ size: [edge, edge, edge], volume: edge ** 3 });

const expectations: Record<string, Expectation> = {
  '79-bytes.stl': { refused: /too short/ },
  '84-bytes-zero-triangles.stl': { refused: /no triangles/ },
  'ascii-bom.stl': cube(10.1),
  'ascii-comma-decimals.stl': { refused: /decimal commas/ },
  'ascii-exponents.stl': cube(10.1),
  'ascii-header-only.stl': { refused: /no triangles/ },
  'ascii-nan.stl': { refused: /not finite/ },
  'ascii-one-line.stl': cube(10.1),
  'ascii-quad-loop.stl': { refused: /more than 3 vertices/ },
  'ascii-two-solids.stl': { size: [30, 10.1, 10.1], volume: 2030.301 },
  'ascii-uppercase.stl': cube(10.1),
  'bad-component-cycle.3mf': { refused: /cycle/ },
  'bad-component-doubling-2pow30.3mf': { refused: /instances/ },
  'bad-empty-build.3mf': { refused: /nothing to print/ },
  'bad-empty-zip.3mf': { refused: /empty/ },
  'bad-item-unknown-object.3mf': { refused: /does not exist/ },
  'bad-missing-model.3mf': { refused: /no 3D model/ },
  'bad-no-rels-target.3mf': cube(10),
  'bad-not-a-zip.3mf': { refused: /neither a model nor G-code/ },
  'bad-vertex-index-out-of-range.3mf': { refused: /vertex that does not exist/ },
  'bad-xml-entity-expansion.3mf': { refused: /DOCTYPE/ },
  'bad-xml-truncated.3mf': { refused: /XML is damaged/ },
  'bad-zipslip-entry.3mf': { refused: /unsafe/ },
  'bambu-no-gcode-inside.gcode.3mf': { refused: /no sliced plate/ },
  'below-bed-z-50.stl': cube(10),
  'binary-count-too-big-by-1.stl': { refused: /promises 13 triangles, 12/ },
  'binary-count-too-big.stl': { refused: /promises 4294967295 triangles, 12/ },
  'binary-count-zero-with-data.stl': { refused: /promises 0 triangles, 12/ },
  'binary-denormal.stl': cube(10.1),
  'binary-inf-vertex.stl': { refused: /not finite/ },
  'binary-nan-normals-ok.stl': cube(10.1),
  'binary-no-high-bytes-cube10.stl': cube(10),
  'binary-renamed.gcode': { refused: /not G-code/ },
  'binary-solid-prefix.stl': cube(10.1),
  'binary-trailing-junk.stl': { ...cube(10.1), warns: /66 bytes after the last triangle/ },
  'binary-truncated-whole-triangles.stl': { refused: /promises 12 triangles, 9/ },
  'bomb-512MB-whitespace.3mf': { refused: /inflates more than 52 MB/ },
  'bomb-lying-size-says-1000-bytes.3mf': { refused: /too many bytes/ },
  'comments-only.gcode': { refused: /no movement/ },
  'crlf-and-latin1.gcode': { warns: /extrudes nothing/ },
  'cube-metres-0.02.stl': { size: [0.02, 0.02, 0.02], warns: /metres/ },
  'empty.gcode': { refused: /empty/ },
  'exactly-400mm.stl': cube(400),
  'hostile-commands.gcode': { warns: /machine itself \(M997, M112\).*500 °C.*250 °C.*outside every bed/s },
  'html-error-page.stl': { refused: /HTML/ },
  'many-entries-5000.3mf': cube(10),
  'ok-components-nested.3mf': { size: [30, 10, 20], volume: 4000 },
  'ok-cube10.3mf': cube(10),
  'ok-mirrored-transform.3mf': cube(10),
  'ok-model-at-other-path.3mf': cube(10),
  'ok-stored-not-deflated.3mf': cube(10),
  'ok-support-object-not-built.3mf': cube(10),
  'ok-unit-inch-cube10in.3mf': cube(254),
  'ok-unit-meter-cube10m.3mf': cube(10000),
  'one-flipped-triangle.stl': { ...cube(10.1), warns: /wrong way/ },
  'open-box-hole.stl': { size: [10.1, 10.1, 10.1], warns: /not watertight/ },
  'random-bytes.stl': { refused: /neither a model nor G-code/ },
  'tall-1001mm.stl': { size: [10.1, 10.1, 1011.01] },
  'tiny-cube-0.05mm.stl': { size: [0.05, 0.05, 0.05], warns: /largest side/ },
  'too-large-900mm.stl': cube(901.7),
  'zip-renamed.stl': { refused: /ZIP/ },
};

describe('analysing malformed and hostile files', () => {
  const listed = [...readFileSync(fixture('models-bad', 'README.md'), 'utf8').matchAll(/^\| `([^`]+)`/gm)].map(
    ([, name]) => name,
  );

  it('has an expectation for every sample', () => assert.deepEqual(Object.keys(expectations).sort(), listed.sort()));

  for (const [file, expected] of Object.entries(expectations)) {
    it(`${expected.refused ? 'refuses' : 'accepts'} ${file}`, async () => {
      const analysing = analyseHere(fixture('models-bad', file));
      if (expected.refused) {
        const { refused } = expected;
        await assert.rejects(analysing, (error) => {
          assert.ok(error instanceof UnreadableFileError, String(error));
          assert.match(error.reason, refused);
          assert.notEqual(error.remedy, '');
          return true;
        });
        return;
      }
      const analysis = await analysing;
      for (const [axis, length] of (expected.size ?? []).entries()) {
        assert.ok(
          Math.abs((values(analysis.dimensions)[axis] ?? 0) - length) < 0.01,
          JSON.stringify(analysis.dimensions),
        );
      }
      if (expected.volume) assert.ok(Math.abs(analysis.volumeMm3 / expected.volume - 1) < 0.001);
      assert.match(analysis.warnings.join('\n'), expected.warns ?? /^$/);
    });
  }

  it('keeps mirrored parts in place', async () => {
    assertBox(await analyseHere(fixture('models-bad', 'ok-mirrored-transform.3mf')), [-10, 0, 0], [0, 10, 10]);
  });
});

describe('ASCII STL in odd forms', () => {
  const directory = temporaryDirectory();
  const facet = 'facet normal 0 0 0\nouter loop\nvertex 0 0 0\nvertex 9 0 0\nvertex 0 9 9\nendloop\nendfacet\n';

  async function analyse(text: string): Promise<FileAnalysis> {
    const path = join(directory, 'odd.stl');
    writeFileSync(path, text);
    return analyseHere(path);
  }

  it('reads CR-only lines, a missing endsolid and a name of a megabyte', async () => {
    assert.equal((await analyse(`solid a\n${facet}`.replaceAll('\n', '\r'))).triangles, 1);
    assert.equal((await analyse(`solid ${'n'.repeat(1_000_000)}\n${facet}endsolid`)).triangles, 1);
    assert.equal((await analyse(`solid the facet of a thing\n${facet}endsolid the facet`)).triangles, 1);
  });

  it('reads numbers across chunk boundaries', async () => {
    const count = 20_000;
    const analysis = await analyse(`solid long\n${facet.repeat(count)}endsolid long\n`);
    assert.equal(analysis.triangles, count);
    assertBox(analysis, [0, 0, 0], [9, 9, 9]);
  });

  it('reads a word behind endloop', async () => {
    const odd = facet.replace('endloop', 'endloop foo');
    const analysis = await analyse(`solid a\n${odd}${odd}endsolid a`);
    assert.equal(analysis.triangles, 2);
    await assert.rejects(analyse(`solid a\n${facet.replace('endfacet\n', '')}${facet}`), /"facet" where "endfacet"/);
  });

  it('rejects a file that is cut inside a facet, wherever that is, and warns about a missing endsolid', async () => {
    const whole = `solid a\n${facet}`;
    const missing = /no endsolid; perhaps/;
    assert.match((await analyse(whole)).warnings.join('\n'), missing);
    assert.doesNotMatch((await analyse(`${whole}endsolid`)).warnings.join('\n'), missing);
    assert.match((await analyse(`${whole}endsol`)).warnings.join('\n'), missing);
    for (let length = 1; length < facet.length - 1; length++) {
      const cut = whole + facet.slice(0, length);
      await assert.rejects(
        analyse(cut),
        /middle of a facet|coordinate should be/,
        JSON.stringify(facet.slice(0, length)),
      );
    }
  });

  it('rejects a truncated facet, UTF-16 and coordinates out of range', async () => {
    await assert.rejects(analyse(`solid a\n${facet.split('endloop')[0]}`), /middle of a facet/);
    await assert.rejects(analyse(`solid a\n${facet.replace('9 0 0', '1e38 0 0')}`), /kilometre/);
    const path = join(directory, 'wide.stl');
    writeFileSync(path, `\ufeffsolid a\n${facet}`, 'utf16le');
    await assert.rejects(analyseHere(path), /UTF-16/);
  });
});

describe('clean STL', () => {
  it('stands on the bed, turned, and is read as binary by every reader', async () => {
    const directory = temporaryDirectory();
    const path = join(directory, 'clean.stl');
    const source = fixture('models-bad', 'ok-components-nested.3mf');
    await copyAsCleanStl(source, path, { rotationZ: 90, translation: { x: 100, y: 50, z: 0 } });
    const analysis = await analyseHere(path);
    assertBox(analysis, [90, 50, 0], [100, 80, 20], 1e-5);
    assert.deepEqual(analysis.warnings, []);
    assert.equal(readFileSync(path).readFloatLE(84), -1);
  });

  it('reads no more triangles than the limit', async () => {
    await assert.rejects(readTriangles(fixture('models', '20mm-xyz-cube.stl'), 100), /more than 100 triangles/);
  });
});

describe('the volume of a mesh', () => {
  for (const [file, volume] of [
    ['open_x.stl', 5333.33],
    ['open_1tri_at500.stl', 6666.67],
  ] as const) {
    it(`matches PrusaSlicer's for an open mesh: ${file}`, async () => {
      const analysis = await analyseHere(fixture('field', file));
      assert.ok(Math.abs(analysis.volumeMm3 - volume) < 0.01, `${analysis.volumeMm3}`);
      assert.match(analysis.warnings.join('\n'), /not watertight/);
    });
  }

  const moved = (triangles: Float32Array, at: readonly number[]) =>
    Float64Array.from(triangles, (value, index) => value + (at[index % 3] ?? 0));

  const volumeOf = (coordinates: Float64Array): MeshMeasure => {
    const measure = new MeshMeasure();
    for (let at = 0; at < coordinates.length; at += 900) {
      const batch = coordinates.subarray(at, at + 900);
      measure.take(batch, batch.length / 9);
    }
    return measure;
  };

  it('never exceeds the box, wherever an open mesh lies', async () => {
    const cube = await readTriangles(fixture('models-bad', 'ok-cube10.3mf'));
    for (let missing = 0; missing < cube.length; missing += 9) {
      const open = cube.filter((_, index) => index < missing || index >= missing + 9);
      for (const at of [
        [0, 0, 0],
        [500, -700, 9000],
      ]) {
        const { volumeMm3 } = volumeOf(moved(open, at));
        assert.ok(volumeMm3 > 800 && volumeMm3 <= 1000 + 1e-6, `${volumeMm3} without triangle ${missing / 9}`);
      }
    }
    // a cup: no bottom, and the outside twice as large as its box if it were measured from afar
    const bottomless = cube.filter((_, index) => Math.floor(index / 9) > 1);
    assert.ok(volumeOf(moved(bottomless, [1e5, 1e5, 1e5])).volumeMm3 <= 1000 + 1e-6);
  });

  it('of a closed mesh is exact at any position', async () => {
    const torus = await readTriangles(fixture('models', '3mfc-torus_prod.3mf'));
    const here = volumeOf(moved(torus, [0, 0, 0]));
    assert.equal(here.closedness, 'closed');
    for (const at of [
      [1e4, 0, 0],
      [-123, 4567, 89],
      [9e5, 9e5, -9e5],
    ]) {
      const there = volumeOf(moved(torus, at));
      assert.ok(Math.abs(there.volumeMm3 / here.volumeMm3 - 1) < 1e-9, `${there.volumeMm3} is not ${here.volumeMm3}`);
    }
  });
});
