import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseHere } from '../../lib/files/analyse';
import { placeModel } from '../../lib/files/analyse-file';
import { openArchive } from '../../lib/files/archive';
import { PlateChoiceError } from '../../lib/files/plates';
import { packForMake } from '../../lib/makes/registry';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { resolveSettings, type SlicingSettings } from '../../lib/slicing/defaults';
import { OrcaSlicer } from '../../lib/slicing/orca-slicer';
import { type PreparedPrint, type PrepareInput, preparePrintFile } from '../../lib/slicing/prepare';
import { PrusaSlicer } from '../../lib/slicing/prusa-slicer';
import { SlicingError } from '../../lib/slicing/slicer';
import { fixture, temporaryDirectory } from '../fixtures';
import { bambuEntries, box, cube20, prusaEntries, type Volume, writeProject } from '../support/projects';
import { giga, pla } from './machines';

const directory = temporaryDirectory();
let count = 0;
const write = (entries: Record<string, string | Buffer>) => writeProject(join(directory, `${count++}.3mf`), entries);

function prepare(
  sourcePath: string,
  changes: Partial<PrepareInput> & { infill?: number; supports?: SlicingSettings['supports'] } = {},
) {
  const { infill = 20, supports = 'none', ...rest } = changes;
  return preparePrintFile(
    {
      sourcePath,
      machine: giga,
      material: pla,
      settings: { ...resolveSettings(giga, pla, { infill }), supports },
      quality: 'standard',
      workDirectory: temporaryDirectory(),
      allowUntrusted: true,
      acceptUnknownMachine: true,
      slicer: new PrusaSlicer(),
      pack: packForMake,
      ...rest,
    },
    { signal: new AbortController().signal },
  );
}

const cube: Volume = { mesh: cube20, type: 'ModelPart' };
const column = box([5, 5, -10], [15, 15, 30]);
const withColumn = (type: string, settings: Record<string, string> = {}) =>
  write(prusaEntries([cube, { mesh: column, type, settings }]));

/** The number of lines whose middle lies in this square around the middle of the bed, above the first layer. */
function linesWithin(print: PreparedPrint, half: number): number {
  let [x, y, z] = [0, 0, 0];
  let lines = 0;
  for (const line of readFileSync(print.path, 'utf8').split('\n')) {
    if (!/^G[01] /.test(line)) continue;
    const word = (letter: string, old: number) => Number(new RegExp(`${letter}(-?[\\d.]+)`).exec(line)?.[1] ?? old);
    const [nextX, nextY] = [word('X', x), word('Y', y)];
    z = word('Z', z);
    const [middleX, middleY] = [(x + nextX) / 2 - 400, (y + nextY) / 2 - 400];
    const drawn = word('E', 0) > 0 && (nextX !== x || nextY !== y);
    if (drawn && z > 0.3 && Math.max(Math.abs(middleX), Math.abs(middleY)) < half) lines++;
    [x, y] = [nextX, nextY];
  }
  return lines;
}

const near = (found: number, expected: number, relative: number) =>
  assert.ok(Math.abs(found / expected - 1) < relative, `${found} is not ${expected}`);

describe('slicing projects with PrusaSlicer', function () {
  this.timeout(120_000);
  let plain: PreparedPrint;
  let full: PreparedPrint;

  before(async function () {
    const probe = await new PrusaSlicer().probe();
    if (!probe.usable) {
      if (process.env['CI'] === 'true') throw new Error(`PrusaSlicer is needed in CI: ${probe.reason}`);
      console.log(`      skipped: ${probe.reason}`);
      this.skip();
    }
    plain = await prepare(await write(prusaEntries([cube])));
    full = await prepare(await write(prusaEntries([cube])), { infill: 100 });
  });

  for (const file of ['r12b_prusa_negative.3mf', 'r13_bambu_negative_part_other.3mf']) {
    it(`cuts a negative volume out: ${file}`, async () => {
      const cut = await prepare(fixture('field', file), { infill: 100 });
      near(cut.filamentMm / full.filamentMm, 6000 / 8000, 0.03); // both have a skirt
      assert.equal(cut.layers, 100);
      assert.ok(linesWithin(full, 4.5) > 0);
      assert.equal(linesWithin(cut, 4.5), 0, 'nothing is drawn in the hole');
    });
  }

  it('does not print a modifier, but applies its settings', async () => {
    const without = await prepare(await withColumn('ParameterModifier'));
    assert.equal(without.layers, 100);
    near(without.filamentMm, plain.filamentMm, 0.005);
    for (const source of [
      fixture('field', 'r12_prusa_modifier.3mf'),
      await write(
        bambuEntries([
          {
            parts: [
              { mesh: cube20, type: 'normal_part' },
              { mesh: column, type: 'modifier_part', settings: { sparse_infill_density: '80%', wall_loops: '2' } },
            ],
            instances: [{ at: [100, 100, 0] }],
          },
        ]),
      ),
    ]) {
      const denser = await prepare(source);
      assert.equal(denser.layers, 100);
      assert.ok(denser.filamentMm > plain.filamentMm * 1.15, `${denser.filamentMm} of ${plain.filamentMm}`);
      assert.ok(denser.filamentMm < full.filamentMm * 0.95);
      assert.ok(linesWithin(denser, 4.5) > 2 * linesWithin(plain, 4.5));
    }
    const solid = await prepare(await withColumn('ParameterModifier', { fill_density: '100%' }));
    assert.ok(solid.filamentMm > plain.filamentMm * 1.2);
  });

  it('places the remainder of a part on the bed', async () => {
    const foot = { mesh: box([-1, -1, -1], [21, 21, 5]), type: 'NegativeVolume' };
    const cut = await prepare(await write(prusaEntries([cube, foot])), { infill: 100 });
    assert.equal(cut.layers, 75);
    near(cut.filamentMm / full.filamentMm, 0.75, 0.02);
  });

  it('keeps supports out of blocked regions', async () => {
    // A table: supports fill the space under its top.
    const table: Volume[] = [
      { mesh: box([8, 8, 0], [12, 12, 10]), type: 'ModelPart' },
      { mesh: box([0, 0, 10], [20, 20, 12]), type: 'ModelPart' },
    ];
    const blocker = { mesh: box([-1, -1, -1], [21, 21, 11]), type: 'SupportBlocker' };
    const supported = await prepare(await write(prusaEntries(table)), { supports: 'everywhere' });
    const blocked = await prepare(await write(prusaEntries([...table, blocker])), { supports: 'everywhere' });
    const unsupported = await prepare(await write(prusaEntries(table)));
    assert.ok(supported.filamentMm > 1.1 * unsupported.filamentMm);
    near(blocked.filamentMm, unsupported.filamentMm, 0.02);
  });

  it('slices the requested plate', async () => {
    const small = box([0, 0, 0], [10, 10, 5]);
    const path = await write(
      bambuEntries(
        [
          { parts: [{ mesh: cube20, type: 'normal_part' }], instances: [{ at: [0, 0, 0], plate: 1 }] },
          {
            parts: [
              { mesh: small, type: 'normal_part' },
              { mesh: box([2, 2, -1], [8, 8, 6]), type: 'negative_part' },
            ],
            instances: [{ at: [400, 0, 0], plate: 2 }],
          },
        ],
        { 1: 'Cube', 2: 'Ring' },
      ),
    );
    await assert.rejects(prepare(path), PlateChoiceError);
    assert.equal((await prepare(path, { plate: 'cube' })).layers, 100);
    const ring = await prepare(path, { plate: 2 });
    assert.equal(ring.layers, 25);
    assert.equal(linesWithin(ring, 2), 0);
  });

  it('reports what it did not use from the project', async () => {
    const entries: Record<string, string> = prusaEntries([cube]);
    entries['Metadata/Slic3r_PE.config'] = '; layer_height = 0.1\n';
    const { warnings } = await prepare(await write(entries));
    assert.match(warnings.join('\n'), /layer height 0\.1 mm\) are not used/);
  });
});

describe('slicing projects with a slicer that does not support volumes', () => {
  it('is rejected, naming the obstacle', async () => {
    for (const [file, what] of [
      ['r12_prusa_modifier.3mf', /has modifiers, which the built-in slicer cannot do/],
      ['r12b_prusa_negative.3mf', /has negative volumes/],
      ['r13_bambu_negative_part_other.3mf', /has negative volumes/],
    ] as const) {
      await assert.rejects(
        prepare(fixture('field', file), { slicer: new BuiltInSlicer() }),
        (error) => error instanceof SlicingError && what.test(error.message) && /PrusaSlicer/.test(error.remedy),
      );
    }
  });

  it('works for projects without any', async () => {
    assert.equal((await prepare(await write(prusaEntries([cube])), { slicer: new BuiltInSlicer() })).layers, 100);
  });
});

describe('a clean project', () => {
  const placement = { rotationZ: 90, translation: { x: 120, y: 100, z: 0 } } as const;

  for (const dialect of ['prusa', 'bambu'] as const) {
    it(`is written in our form, placed, and with the same meaning (${dialect})`, async () => {
      const source = await write(
        prusaEntries([
          { mesh: column, type: 'ParameterModifier', settings: { fill_density: '80%', extruder: '2' } },
          cube,
          { mesh: column, type: 'NegativeVolume' },
          { mesh: column, type: 'SupportEnforcer' },
        ]),
      );
      const path = join(directory, `${count++}-clean.3mf`);
      await placeModel(source, path, placement, { volumes: dialect });
      const analysis = await analyseHere(path);
      assert.equal(analysis.project?.by, dialect);
      assert.deepEqual(analysis.project?.volumes, ['modifier', 'negative', 'support_enforcer']);
      assert.deepEqual(analysis.bounds, { min: { x: 100, y: 100, z: 0 }, max: { x: 120, y: 120, z: 20 } });
      assert.ok(Math.abs(analysis.volumeMm3 - 6000) < 0.01);
      assert.equal(analysis.watertight, true);
      const archive = await openArchive(path);
      try {
        const config =
          (await archive.text(
            dialect === 'prusa' ? 'Metadata/Slic3r_PE_model.config' : 'Metadata/model_settings.config',
          )) ?? '';
        assert.match(
          config,
          dialect === 'prusa' ? /"fill_density" value="80%"/ : /"sparse_infill_density" value="80%"/,
        );
        assert.doesNotMatch(config, /extruder/, 'only the job chooses a tool');
        const types = [...config.matchAll(/(?:volume_type" value|subtype)="(\w+)"/g)].map(([, type]) => type);
        assert.match(types[0] ?? '', /ModelPart|normal_part/, 'parts come first');
        assert.match(types[1] ?? '', /NegativeVolume|negative_part/);
        const model = (await archive.text('3D/3dmodel.model')) ?? '';
        assert.equal(model.match(/<vertex /g)?.length, 4 * 8, 'corners are shared');
      } finally {
        archive.close();
      }
    });
  }

  it('is not written if OrcaSlicer would place a part elsewhere', async () => {
    const source = await write(prusaEntries([cube, { mesh: box([-1, -1, -1], [21, 21, 5]), type: 'NegativeVolume' }]));
    const lowered = { rotationZ: 0, translation: { x: 0, y: 0, z: -5 } } as const;
    const place = (volumes: 'prusa' | 'bambu') =>
      placeModel(source, join(directory, `${count++}-foot.3mf`), lowered, { volumes });
    await place('prusa');
    await assert.rejects(place('bambu'), /takes the foot of a part away/);
  });

  it('is written for the slicer that will read it', () => {
    assert.equal(new PrusaSlicer().volumes, 'prusa');
    assert.equal(new OrcaSlicer('orca-slicer', directory).volumes, 'bambu');
  });
});
