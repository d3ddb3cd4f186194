import assert from 'node:assert/strict';
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseHere } from '../../lib/files/analyse';
import { copyAsCleanStl } from '../../lib/files/clean-stl';
import { slicedFacts } from '../../lib/files/facts';
import { analyseGcode } from '../../lib/files/gcode';
import type { PrintSettings } from '../../lib/model/settings';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { checkPrint, UnprintableFileError } from '../../lib/slicing/check-print';
import { resolveSettings } from '../../lib/slicing/defaults';
import { placeOnBed } from '../../lib/slicing/placement';
import { PrusaSlicer } from '../../lib/slicing/prusa-slicer';
import { selectSlicer } from '../../lib/slicing/select-slicer';
import { type Slicer, SlicingError, type SlicingMachine } from '../../lib/slicing/slicer';
import { fixture, temporaryDirectory } from '../fixtures';
import { type BoxAt, writeBoxes } from '../support/models';
import { artisan, giga, h2d, pla } from './machines';

const bedCentre = { min: { x: 150, y: 150, z: 0 }, max: { x: 170, y: 170, z: 20 } };
const plain = { settings: resolveSettings(giga, pla, {}), quality: 'standard', bounds: bedCentre };
const directory = temporaryDirectory();
let count = 0;

async function placed(source: string, machine: SlicingMachine): Promise<string> {
  const path = join(directory, `model-${count++}.stl`);
  const { bounds } = await analyseHere(source);
  await copyAsCleanStl(source, path, placeOnBed(bounds, machine));
  return path;
}

async function sliceWith(
  slicer: Slicer,
  source: string,
  options: { machine?: SlicingMachine; settings?: PrintSettings; signal?: AbortSignal } = {},
) {
  const machine = options.machine ?? giga;
  const outputPath = join(directory, `print-${count++}.gcode`);
  const progress: number[] = [];
  const result = await slicer.slice(
    {
      modelPath: await placed(source, machine),
      outputPath,
      machine,
      material: pla,
      settings: resolveSettings(machine, pla, options.settings ?? {}),
      quality: 'standard',
      bounds: bedCentre,
      skirt: true,
    },
    { signal: options.signal ?? new AbortController().signal, progress: (fraction) => progress.push(fraction) },
  );
  return { result, progress, outputPath, analysis: await analyseGcode(outputPath) };
}

const cube = fixture('models', '20mm-xyz-cube.stl');
const benchy = fixture('models', '3DBenchy.3mf');

const near = (found: number, expected: number, share: number, what: string) =>
  assert.ok(Math.abs(found / expected - 1) <= share, `${what}: ${found} is not within ${share * 100} % of ${expected}`);

/** The requirements for every slicer. */
function slicerContract(slicer: Slicer): void {
  it('is usable and reports its version', async () => {
    const probe = await slicer.probe();
    assert.ok(probe.usable && probe.version !== '');
  });

  for (const machine of [giga, artisan, h2d]) {
    it(`slices a cube for ${machine.printerId} in place`, async () => {
      const { analysis, progress } = await sliceWith(slicer, cube, { machine });
      const { max } = machine.capabilities.buildVolume;
      near((analysis.bounds.min.x + analysis.bounds.max.x) / 2, max.x / 2, 0.002, 'centre');
      near((analysis.bounds.min.y + analysis.bounds.max.y) / 2, max.y / 2, 0.002, 'centre');
      near(analysis.bounds.max.z, 20, 0.001, 'height');
      assert.equal(analysis.layers, 100);
      near(analysis.filamentMm, 1400, 0.08, 'filament');
      assert.equal(analysis.maxNozzleTemperature, 215);
      assert.equal(analysis.maxBedTemperature, 60);
      assert.equal(analysis.complete, true);
      assert.ok((analysis.slicerSeconds ?? 0) > 300);
      near(analysis.simulatedSeconds, analysis.slicerSeconds ?? 0, 0.05, 'our estimate compared with its own');
      assert.ok(
        progress.length > 1 && progress.every((fraction, i) => fraction >= (progress[i - 1] ?? 0) && fraction <= 1),
      );
    });
  }

  it('slices for the second tool of each machine, if the result may be sent to it', async () => {
    for (const machine of [artisan, h2d]) {
      const second = { ...machine, tool: 1 };
      const facts = slicedFacts((await sliceWith(slicer, cube, { machine: second })).analysis);
      const demands = { facts: { sliced: facts, volumes: [] }, material: pla, acceptUnknownMachine: true };
      checkPrint(facts, second, demands, 'sliced here', 'gcode');
    }
  });

  it('applies the settings', async () => {
    const settings = { layer_height: 0.1, first_layer_height: 0.1, infill: 100, nozzle_temp: 230, bed_temp: 70 };
    const { analysis } = await sliceWith(slicer, fixture('models-bad', 'ok-cube10.3mf'), { settings });
    assert.equal(analysis.layers, 100);
    assert.equal(analysis.maxNozzleTemperature, 230);
    assert.equal(analysis.maxBedTemperature, 70);
    // A solid cube of 1000 mm³ and a skirt.
    near(analysis.filamentMm, 1000 / (Math.PI * 0.875 ** 2), 0.06, 'filament');
  });

  const layersOf = (path: string) =>
    [...readFileSync(path, 'utf8').matchAll(/^;Z:([\d.]+)\n;HEIGHT:([\d.]+)/gm)].map(([, z, height]) => [
      Number(z),
      Number(height),
    ]);

  it('makes the first layer half as thick as the nozzle, or as specified', async () => {
    const cube10 = fixture('models-bad', 'ok-cube10.3mf');
    const fine = await sliceWith(slicer, cube10, { settings: { layer_height: 0.12 } });
    assert.deepEqual(layersOf(fine.outputPath).slice(0, 2), [
      [0.2, 0.2],
      [0.32, 0.12],
    ]);
    near(fine.analysis.bounds.max.z, 10, 0.007, 'height');
    const told = await sliceWith(slicer, cube10, { settings: { layer_height: 0.12, first_layer_height: 0.3 } });
    assert.deepEqual(layersOf(told.outputPath).slice(0, 2), [
      [0.3, 0.3],
      [0.42, 0.12],
    ]);
    await assert.rejects(sliceWith(slicer, cube10, { settings: { first_layer_height: 0.5 } }), SlicingError);
  });

  it('rejects what it cannot print and leaves nothing behind', async () => {
    const before = readdirSync(directory).filter((name) => name.endsWith('.gcode') || name.endsWith('.tmp'));
    await assert.rejects(sliceWith(slicer, fixture('models-bad', 'tiny-cube-0.05mm.stl')), SlicingError);
    await assert.rejects(sliceWith(slicer, cube, { settings: { layer_height: 0.9 } }), (error) => {
      assert.ok(error instanceof SlicingError);
      assert.notEqual(error.remedy, '');
      return true;
    });
    const after = readdirSync(directory).filter((name) => name.endsWith('.gcode') || name.endsWith('.tmp'));
    assert.deepEqual(after, before);
  });

  it('stops immediately on request', async () => {
    const controller = new AbortController();
    const machine = giga;
    const modelPath = await placed(benchy, machine);
    const outputPath = join(directory, `aborted-${count++}.gcode`);
    const slicing = slicer.slice(
      { modelPath, outputPath, machine, material: pla, ...plain, skirt: true },
      { signal: controller.signal, progress: () => {} },
    );
    setTimeout(() => controller.abort(new Error('cancelled by the test')), 400);
    let aborted = 0;
    controller.signal.addEventListener('abort', () => {
      aborted = performance.now();
    });
    await assert.rejects(slicing, /cancelled by the test/);
    assert.ok(performance.now() - aborted < 1500);
    assert.ok(!existsSync(outputPath) && !existsSync(`${outputPath}.tmp`));
  });
}

describe('built-in slicer', () => {
  const slicer = new BuiltInSlicer();
  slicerContract(slicer);

  it('is not trusted', () => assert.equal(slicer.trusted, false));

  for (const file of ['open-box-hole.stl', 'one-flipped-triangle.stl']) {
    it(`rejects ${file} instead of printing it badly`, async () => {
      await assert.rejects(sliceWith(slicer, fixture('models-bad', file)), /holes|face both ways/);
    });
  }

  it('uses the theoretical amount of filament in a solid layer', async () => {
    const { outputPath } = await sliceWith(slicer, fixture('models-bad', 'ok-cube10.3mf'));
    const layers = readFileSync(outputPath, 'utf8').split(';LAYER_CHANGE').slice(1);
    const extrusion = (layer: string) =>
      [...layer.matchAll(/^G1 X.* E([\d.]+)/gm)].reduce((sum, [, length]) => sum + Number(length), 0);
    const theory = (10 * 10 * 0.2) / (Math.PI * 0.875 ** 2);
    for (const layer of [1, 2, 3, 46, 47, 48, 49]) near(extrusion(layers[layer] ?? ''), theory, 0.01, `layer ${layer}`);
    assert.ok(extrusion(layers[25] ?? '') < theory * 0.65, 'inside it is sparse');
  });

  const post = (x: number, y: number): BoxAt => ({ at: [x, y, 0], edges: [8, 8, 10.3] });
  const slab = (x: number, y: number, width: number, depth: number): BoxAt => ({
    at: [x, y, 10],
    edges: [width, depth, 2],
  });
  const overhangs: [string, BoxAt[], RegExp | null][] = [
    ['a bridge of 20 mm', [post(0, 0), post(28, 0), slab(0, 0, 36, 8)], null],
    ['a roof on four posts', [post(0, 0), post(20, 0), post(0, 20), post(20, 20), slab(0, 0, 28, 28)], null],
    ['a rim of 2 mm', [post(2, 2), slab(0, 0, 12, 12)], null],
    ['an arm of 15 mm', [post(0, 0), slab(0, 0, 23, 8)], /reaches out more than 3 mm/],
    ['a T', [post(20, 0), slab(0, 0, 48, 8)], /reaches out more than 3 mm/],
    ['a bridge of 40 mm', [post(0, 0), post(48, 0), slab(0, 0, 56, 8)], /bridges more than 25 mm/],
    ['an island in the air', [post(0, 0), slab(30, 0, 8, 8)], /begins in mid-air/],
  ];
  for (const [what, boxes, refused] of overhangs) {
    it(`${refused ? 'refuses' : 'slices'} ${what}`, async () => {
      const slicing = sliceWith(slicer, writeBoxes(join(directory, `overhang-${count++}.stl`), boxes));
      if (refused)
        await assert.rejects(slicing, (error) => error instanceof SlicingError && refused.test(error.message));
      else near((await slicing).analysis.bounds.max.z, 12, 0.01, 'height');
    });
  }

  it('slices instances, holes and several parts', async () => {
    const cylinders = await sliceWith(slicer, fixture('models', '3mfc-multiple_cylinders.3mf'));
    assert.equal(cylinders.analysis.layers, 100);
    const torus = await sliceWith(slicer, fixture('models', '3mfc-torus_prod.3mf'));
    assert.ok(torus.analysis.extrudingMoves > 500);
  });
});

describe('PrusaSlicer', function () {
  const slicer = new PrusaSlicer();

  before(async function () {
    const probe = await slicer.probe();
    if (probe.usable) return;
    if (process.env['CI'] === 'true') throw new Error(`PrusaSlicer is needed in CI: ${probe.reason}`);
    console.log(`      skipped: ${probe.reason}`);
    this.skip();
  });

  this.timeout(60_000);
  slicerContract(slicer);

  it('reports that a model cannot be sliced when the program crashes on it', async () => {
    const outputPath = join(directory, `crashed-${count++}.gcode`);
    const modelPath = fixture('models-bad', 'binary-inf-vertex.stl');
    await assert.rejects(
      slicer.slice(
        { modelPath, outputPath, machine: artisan, material: pla, ...plain, skirt: true },
        { signal: new AbortController().signal, progress: () => {} },
      ),
      (error) => error instanceof SlicingError && /could not place|crashed|refused/.test(error.message),
    );
    assert.ok(!existsSync(outputPath));
  });

  it('is detected slicing a model beyond the bed without an error', async () => {
    const outputPath = join(directory, `large-${count++}.gcode`);
    const modelPath = join(directory, `large-${count++}.stl`);
    await copyAsCleanStl(fixture('models-bad', 'tall-1001mm.stl'), modelPath, {
      rotationZ: 0,
      translation: { x: 200, y: 200, z: 0 },
    });
    await slicer.slice(
      { modelPath, outputPath, machine: artisan, material: pla, ...plain, skirt: true },
      { signal: new AbortController().signal, progress: () => {} },
    );
    const analysis = await analyseGcode(outputPath);
    const facts = slicedFacts(analysis);
    const demands = { facts: { sliced: facts, volumes: [] }, material: pla, acceptUnknownMachine: true };
    assert.throws(() => checkPrint(facts, artisan, demands, 'sliced here', 'gcode'), UnprintableFileError);
  });
});

describe('selecting a slicer', () => {
  it('falls back to the built-in one only if that is allowed', async () => {
    const missing = '/nowhere/prusa-slicer';
    const { slicer, why } = await selectSlicer({ prusaSlicerPath: missing, allowBuiltIn: true });
    assert.equal(slicer.name, 'built-in');
    assert.match(why, /nowhere/);
    await assert.rejects(selectSlicer({ prusaSlicerPath: missing, allowBuiltIn: false }), SlicingError);
    const other = await selectSlicer({ prusaSlicerPath: process.execPath, allowBuiltIn: true });
    assert.match(other.why, /does not answer like PrusaSlicer/);
  });
});
