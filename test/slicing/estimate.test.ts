import assert from 'node:assert/strict';
import { join } from 'node:path';
import { analyseHere } from '../../lib/files/analyse';
import { packForMake } from '../../lib/makes/registry';
import type { PrintSettings } from '../../lib/model/settings';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { resolveSettings, type SlicingSettings } from '../../lib/slicing/defaults';
import { estimateModel, estimatePrint } from '../../lib/slicing/estimate';
import { builtInHabits, type Habits, prusaHabits } from '../../lib/slicing/estimate-habits';
import { type LayerAmounts, layerAmounts } from '../../lib/slicing/estimate-layers';
import { shapeOf } from '../../lib/slicing/estimate-shape';
import { layerTime } from '../../lib/slicing/estimate-time';
import { preparePrintFile } from '../../lib/slicing/prepare';
import type { SlicingProfile } from '../../lib/slicing/profile';
import { lineSpacing } from '../../lib/slicing/toolpaths';
import { temporaryDirectory } from '../fixtures';
import { type BoxAt, writeBoxes } from '../support/models';
import { artisan, giga, pla } from './machines';

const model = (...boxes: BoxAt[]) => writeBoxes(join(temporaryDirectory(), 'model.stl'), boxes);
const analysisOf = (...boxes: BoxAt[]) => analyseHere(model(...boxes));

const settingsOf = (asked: PrintSettings = {}, profile: SlicingProfile = {}) =>
  resolveSettings(artisan, pla, asked, profile);

async function layersOf(boxes: BoxAt[], settings: SlicingSettings, habits: Habits = prusaHabits) {
  const analysis = await analysisOf(...boxes);
  return layerAmounts(shapeOf(analysis), analysis.dimensions, settings, habits);
}

const block: BoxAt = { edges: [40, 30, 20] };

const within = (actual: number, expected: number, share: number) =>
  assert.ok(Math.abs(actual / expected - 1) <= share, `${actual}, not about ${expected}`);

/** A layer of walls only. */
async function wallsOf(settings: SlicingSettings, edges: [number, number, number] = [40, 30, 20]) {
  const layers = await layersOf([{ edges }], settings);
  return layers[Math.floor(layers.length / 2)] as LayerAmounts;
}

const secondsOf = (amounts: LayerAmounts, settings: SlicingSettings, habits: Habits = prusaHabits) =>
  Object.values(layerTime(amounts, false, settings, habits)).reduce((sum, seconds) => sum + seconds, 0);

describe('what an estimate counts', () => {
  it('draws the requested number of walls, each shorter by eight times the distance of its neighbours', async () => {
    for (const walls of [1, 2, 5]) {
      const settings = settingsOf({ walls, infill: 0 });
      const { outerWalls, innerWalls } = await wallsOf(settings);
      const spacing = lineSpacing(settings, settings.layerHeight);
      const outer = 140 - 4 * settings.lineWidth;
      within(outerWalls, outer, 0.01);
      let inner = 0;
      for (let wall = 1; wall < walls; wall++) inner += outer - 8 * wall * spacing;
      assert.ok(Math.abs(innerWalls - inner) < 0.01 * outer * walls, `${innerWalls}, not about ${inner}`);
    }
  });

  it('gives no infill to a part that is thinner than its walls, and fills it as far as the slicer does', async () => {
    const edges: [number, number, number] = [40, 1.9, 10];
    const settings = settingsOf({ walls: 3, infill: 40 });
    const amounts = await wallsOf(settings, edges);
    assert.equal(amounts.sparse, 0);
    within(amounts.volume, 40 * 1.9 * settings.layerHeight, 0.03);
  });

  it('makes the lowest and the highest layers solid, and the faces that a step leaves open', async () => {
    const settings = settingsOf({ top_layers: 3, bottom_layers: 2 });
    const layers = await layersOf([block], settings, builtInHabits);
    const solid = layers.map((layer) => layer.solid + layer.top > layer.sparse);
    assert.deepEqual(solid.slice(0, 4), [true, true, false, false]);
    assert.deepEqual(solid.slice(-5), [false, false, true, true, true]);
    const stepped = await layersOf([{ edges: [40, 30, 10] }, { at: [0, 0, 10], edges: [20, 30, 10] }], settings);
    const under = stepped[Math.round(10 / settings.layerHeight) - 1] as LayerAmounts;
    assert.ok(under.top * lineSpacing(settings, settings.layerHeight) > 0.8 * 20 * 30, 'the step is a roof');
  });

  it('puts brim and skirt around the first layer only', async () => {
    const settings = settingsOf({ brim: 5 });
    const [first, second] = (await layersOf([block], settings, builtInHabits)) as [LayerAmounts, LayerAmounts];
    const spacing = lineSpacing(settings, settings.firstLayerHeight);
    const loops = Math.round(5 / spacing);
    within(first.brim, loops * (140 + 4 * loops * spacing), 0.01);
    assert.ok(first.skirt > 2 * 140);
    assert.deepEqual([second.brim, second.skirt], [0, 0]);
    const { brim } = (await layersOf([block], settings, prusaHabits))[0] as LayerAmounts;
    assert.ok(brim < first.brim, 'round corners are shorter');
    assert.equal(((await layersOf([block], settingsOf()))[0] as LayerAmounts).brim, 0);
  });

  it('treats neighbouring brims as one', async () => {
    const apart = await layersOf([{ edges: [5, 5, 5] }, { at: [60, 0, 0], edges: [5, 5, 5] }], settingsOf({ brim: 5 }));
    const close = await layersOf([{ edges: [5, 5, 5] }, { at: [6, 0, 0], edges: [5, 5, 5] }], settingsOf({ brim: 5 }));
    assert.ok((close[0]?.brim ?? 0) < 0.8 * (apart[0]?.brim ?? 0));
  });
});

describe('how long it takes', () => {
  it('gives a layer time to cool, but slows no line below 10 mm/s', async () => {
    const small = settingsOf({ infill: 0 }, { shortest_layer_seconds: 8 });
    const amounts = await wallsOf(small, [12, 12, 10]);
    const hurried = settingsOf({ infill: 0 }, { shortest_layer_seconds: 0 });
    assert.ok(secondsOf(amounts, hurried) < 5);
    within(secondsOf(amounts, small), 8, 0.06);
    const tiny = await wallsOf(small, [3, 3, 10]);
    const length = tiny.outerWalls + tiny.innerWalls;
    within(layerTime(tiny, false, small, prusaHabits).drawing, length / 10, 0.01);
  });

  it('counts the travel to the part as cooling of the first layer', async () => {
    const settings = settingsOf({ infill: 0 });
    const first = ((await layersOf([{ edges: [4, 4, 10] }], settings))[0] ?? {}) as LayerAmounts;
    const drawing = (approach: number) => layerTime(first, true, settings, prusaHabits, approach).drawing;
    within(drawing(0) - drawing(1), 1, 0.01);
  });

  it("loses time at corners and at line ends, the more the lower the machine's acceleration", async () => {
    const seconds = async (acceleration: number) => {
      const settings = settingsOf({ infill: 40 }, { acceleration, shortest_layer_seconds: 0 });
      return layerTime(await wallsOf(settings), false, settings, prusaHabits);
    };
    const [gentle, usual, endless] = [await seconds(500), await seconds(5000), await seconds(1e9)];
    assert.equal(gentle.drawing, usual.drawing);
    assert.ok(gentle.stopping > 4 * usual.stopping && usual.stopping > endless.stopping);
    assert.ok(gentle.travelling > usual.travelling);
    within(endless.stopping, prusaHabits.secondsPerLayer, 0.001);
  });

  it("is limited by the machine's speed", async () => {
    const seconds = async (speed: number) => {
      const settings = settingsOf({ speed, infill: 40 }, { shortest_layer_seconds: 0 });
      return secondsOf(await wallsOf(settings), settings);
    };
    assert.ok((await seconds(250)) < (await seconds(100)));
    assert.equal(await seconds(900), await seconds(300));
  });

  it('draws short loops at half speed, as PrusaSlicer does', async () => {
    const settings = settingsOf({ walls: 2 });
    const short = await wallsOf(settings, [9, 9, 10]);
    const long = await wallsOf(settings, [20, 20, 10]);
    within(short.smallOuterWalls, short.outerWalls, 1e-9);
    assert.equal(long.smallOuterWalls, 0);
  });

  it('moves to the middle of the bed and back', async () => {
    const analysis = await analysisOf(block);
    const seconds = (machine?: typeof giga) =>
      estimateModel(analysis, machine, pla, settingsOf(), builtInHabits).hours * 3600;
    const [none, small, large] = [seconds(), seconds(artisan), seconds(giga)];
    within(small - none, Math.hypot(200, 200) * (1 / 150 + 1 / 100) + 0.5, 0.01);
    within(large - none, Math.hypot(400, 400) * (1 / 150 + 1 / 100) + 0.5, 0.01);
  });
});

describe('an estimate compared with the sliced result', () => {
  it('is close to the built-in slicer for a block with a step', async () => {
    const sourcePath = model({ edges: [30, 20, 6] }, { at: [0, 0, 6], edges: [15, 20, 6] });
    const analysis = await analyseHere(sourcePath);
    for (const asked of [{}, { walls: 5, brim: 4 }, { infill: 40 }] satisfies PrintSettings[]) {
      const { estimatedSeconds, filamentGrams } = await preparePrintFile(
        {
          ...{ sourcePath, machine: artisan, material: pla, settings: settingsOf(asked), asked },
          ...{ quality: 'standard', workDirectory: temporaryDirectory() },
          ...{ allowUntrusted: true, acceptUnknownMachine: true, slicer: new BuiltInSlicer(), pack: packForMake },
        },
        { signal: new AbortController().signal },
      );
      const { hours, grams } = estimatePrint(analysis, artisan, pla, asked, {}, 'built-in');
      within(hours * 3600, estimatedSeconds, 0.15);
      within(grams, filamentGrams, 0.15);
    }
  });
});
