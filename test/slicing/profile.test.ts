import assert from 'node:assert/strict';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { materialId } from '../../lib/model/ids';
import { resolveSettings } from '../../lib/slicing/defaults';
import { printKey } from '../../lib/slicing/print-key';
import { ProfileError, Profiles } from '../../lib/slicing/profile';
import { prusaProfile } from '../../lib/slicing/prusa-profile';
import { shippedProfiles } from '../../lib/slicing/shipped-profiles';
import { temporaryDirectory } from '../fixtures';
import { giga, pla } from './machines';

const tpu = { ...pla, id: materialId('tpu_black'), type: 'TPU' };

function write(directory: string, path: string, content: unknown): void {
  mkdirSync(dirname(join(directory, path)), { recursive: true });
  writeFileSync(join(directory, path), typeof content === 'string' ? content : JSON.stringify(content));
}

describe('slicing profiles', () => {
  const shipped = shippedProfiles();

  it('that are included are valid, and have three qualities', async () => {
    const profiles = new Profiles([shipped]);
    assert.deepEqual(await profiles.problems(), []);
    assert.deepEqual(await profiles.qualities(), ['draft', 'fine', 'standard']);
    const fine = await profiles.load({ printerId: 'elegoo_giga', material: pla, quality: 'fine' });
    const settings = resolveSettings(giga, pla, {}, fine);
    assert.deepEqual([settings.layerHeight, settings.firstLayerHeight], [0.12, 0.2]);
    const standard = await profiles.load({ printerId: 'elegoo_giga', material: tpu });
    assert.equal(resolveSettings(giga, tpu, {}, standard).speed, 25);
  });

  it('are merged, the more specific one and the operator’s on top, and the requested settings above all', async () => {
    const own = temporaryDirectory();
    write(own, 'any/PLA/any.json', { speed: 70, infill: 20, prusa: { seam_position: 'rear', raft_layers: 1 } });
    write(own, 'elegoo_giga/any/any.json', { speed: 90, walls: 4 });
    write(own, 'elegoo_giga/pla_black/standard.json', { walls: 5, prusa: { raft_layers: 0 } });
    const profile = await new Profiles([shipped, own]).load({ printerId: 'elegoo_giga', material: pla });
    const settings = resolveSettings(giga, pla, { infill: 33, bed_temp: 65 }, profile);
    assert.deepEqual(
      [settings.speed, settings.walls, settings.infill, settings.bedTemperature, settings.nozzleTemperature],
      [90, 5, 0.33, 65, 215],
    );
    assert.deepEqual(settings.prusa, { seam_position: 'rear', raft_layers: 0 });
    const bounds = { min: { x: 0, y: 0, z: 0 }, max: { x: 9, y: 9, z: 9 } };
    const request = {
      modelPath: '',
      outputPath: '',
      machine: giga,
      material: pla,
      settings,
      quality: 'standard',
      bounds,
    };
    const ini = prusaProfile({ ...request, skirt: true });
    for (const line of ['perimeters = 5', 'fill_density = 33%', 'seam_position = rear', 'raft_layers = 0']) {
      assert.ok(ini.split('\n').includes(line), line);
    }
  });

  it('are reloaded each time', async () => {
    const own = temporaryDirectory();
    const profiles = new Profiles([shipped, own]);
    const speed = async () => (await profiles.load({ printerId: 'elegoo_giga', material: pla })).speed;
    assert.equal(await speed(), 60);
    write(own, 'any/any/any.json', { speed: 77 });
    assert.equal(await speed(), 77);
  });

  it('that are damaged are rejected with file, field and reason', async () => {
    for (const [content, message] of [
      ['{', /any\.json is no JSON/],
      [{ speed: 0 }, /speed must be >= 1/],
      [{ speed: 'fast' }, /speed must be number/],
      [{ sped: 60 }, /sped must NOT have additional/],
      [{ walls: 2.5 }, /walls must be integer/],
      [{ prusa: { post_process: '/bin/true' } }, /post_process/],
      [{ prusa: { start_gcode: 'G28\nM502' } }, /prusa/],
    ] as const) {
      const own = temporaryDirectory();
      write(own, 'elegoo_giga/any/any.json', content);
      const profiles = new Profiles([shipped, own]);
      await assert.rejects(profiles.load({ printerId: 'elegoo_giga', material: pla }), (error) => {
        assert.ok(error instanceof ProfileError);
        assert.match(error.message, message);
        return true;
      });
      assert.equal((await profiles.problems()).length, 1);
      await profiles.load({ printerId: 'bamboo_h2d', material: pla });
    }
  });

  it('of earlier versions keep their meaning, whichever of them uses which name', async () => {
    const own = temporaryDirectory();
    write(own, 'any/any/any.json', { brim: 3, top_layers: 5, supports: 'auto' });
    write(own, 'elegoo_giga/any/any.json', { solid_layers: 7, brim_width: 6, supports: true });
    write(own, 'elegoo_giga/PLA/any.json', { bottom_layers: 2 });
    const profile = await new Profiles([shipped, own]).load({ printerId: 'elegoo_giga', material: pla });
    const { topLayers, bottomLayers, brimWidth, supports } = resolveSettings(giga, pla, {}, profile);
    assert.deepEqual(
      { topLayers, bottomLayers, brimWidth, supports },
      {
        topLayers: 7,
        bottomLayers: 2,
        brimWidth: 6,
        supports: 'everywhere',
      },
    );
  });

  it('leave the other slicers’ profiles alone', async () => {
    const own = temporaryDirectory();
    write(own, 'orca/bamboo_h2d/machine.json', { name: 'H2D' });
    const profiles = new Profiles([shipped, own]);
    assert.deepEqual(await profiles.problems(), []);
    assert.deepEqual(await profiles.qualities(), ['draft', 'fine', 'standard']);
  });

  it('reject an undefined quality, and never leave their folder', async () => {
    const profiles = new Profiles([shipped]);
    await assert.rejects(
      profiles.load({ printerId: 'x', material: pla, quality: 'best' }),
      /draft, fine, standard|"best"/,
    );
    for (const printerId of ['..', '../../etc', 'a/b', '.']) {
      const profile = await profiles.load({ printerId, material: pla });
      assert.equal(profile.speed, 60);
    }
  });
});

describe('the first layer', () => {
  const nozzle = (diameter: number) => ({
    ...giga,
    capabilities: { ...giga.capabilities, nozzleDiameters: [diameter] },
  });

  it('is half as high as the nozzle is wide, or as high as the others if these are higher', () => {
    const height = (diameter: number, settings = {}, profile = {}) =>
      resolveSettings(nozzle(diameter), pla, settings, profile).firstLayerHeight;
    assert.deepEqual(
      [0.2, 0.4, 0.6, 0.8].map((diameter) => height(diameter)),
      [0.1, 0.2, 0.3, 0.4],
    );
    assert.equal(height(0.4, { layer_height: 0.08 }), 0.2);
    assert.equal(height(0.4, {}, { layer_height_ratio: 0.7 }), 0.28);
    assert.equal(height(0.4, {}, { first_layer_height: 0.25 }), 0.25);
    assert.equal(height(0.4, { first_layer_height: 0.3 }, { first_layer_height: 0.25 }), 0.3);
  });
});

describe('a retry', () => {
  it('is slower and hotter as its settings specify, within the limits of the bed', () => {
    const first = resolveSettings(giga, pla, {}, { speed: 100, first_layer_speed: 30 });
    const retry = { first_layer_speed_factor: 0.5, speed_factor: 0.7, bed_temp_offset: 10 };
    const second = resolveSettings(giga, pla, {}, { speed: 100, first_layer_speed: 30 }, retry);
    assert.deepEqual([first.speed, first.firstLayerSpeed, first.bedTemperature], [100, 30, 60]);
    assert.deepEqual([second.speed, second.firstLayerSpeed, second.bedTemperature], [70, 10.5, 70]);
    const hot = resolveSettings(giga, pla, { bed_temp: 108 }, {}, retry);
    assert.equal(hot.bedTemperature, 110);
  });
});

describe('the key of a print', () => {
  const ingredients = {
    modelSha256: 'a'.repeat(64),
    plate: null,
    machine: giga,
    material: pla,
    settings: resolveSettings(giga, pla, {}),
    quality: 'standard',
    slicer: { name: 'prusa-slicer', version: '2.5.0' },
    allowUntrusted: true,
  };

  it('is the same for the same ingredients in any order, and differs if any of them differs', () => {
    const key = printKey(ingredients);
    assert.match(key, /^[0-9a-f]{64}$/);
    const reversed = Object.fromEntries(Object.entries(ingredients).reverse()) as typeof ingredients;
    assert.equal(printKey(reversed), key);
    const others = [
      { modelSha256: 'b'.repeat(64) },
      { machine: { ...giga, printerId: 'other' } },
      { material: { ...pla, nozzleTemperature: 216 } },
      { settings: { ...ingredients.settings, walls: 4 } },
      { slicer: { name: 'prusa-slicer', version: '2.6.0' } },
      { allowUntrusted: false },
    ].map((change) => printKey({ ...ingredients, ...change }));
    assert.equal(new Set([key, ...others]).size, 7);
  });
});
