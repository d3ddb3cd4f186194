import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseHere } from '../../lib/files/analyse';
import { copyAsCleanStl } from '../../lib/files/clean-stl';
import { packForMake } from '../../lib/makes/registry';
import { infillPatterns, type PrintSettings, seams } from '../../lib/model/settings';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { resolveSettings } from '../../lib/slicing/defaults';
import { notHonoured } from '../../lib/slicing/honoured';
import { overrideOrcaProfiles } from '../../lib/slicing/orca-profile';
import { OrcaSlicer } from '../../lib/slicing/orca-slicer';
import { placeOnBed } from '../../lib/slicing/placement';
import { preparePrintFile } from '../../lib/slicing/prepare';
import { PrusaSlicer } from '../../lib/slicing/prusa-slicer';
import { type Slicer, SlicingError } from '../../lib/slicing/slicer';
import { temporaryDirectory } from '../fixtures';
import { writeBoxes } from '../support/models';
import { artisan, giga, pla } from './machines';

const directory = temporaryDirectory();
let count = 0;

/** A roof that extends beyond the floor under it: on one side supports would stand on the bed, on the other on the part. */
const bracket = writeBoxes(join(directory, 'bracket.stl'), [
  { at: [0, 0, 0], edges: [24, 14, 3] },
  { at: [8, 0, 3], edges: [8, 14, 7] },
  { at: [0, 0, 10], edges: [34, 14, 3] },
]);
/** A shaft with identical sections, so that each layer has one seam. */
const block = writeBoxes(join(directory, 'block.stl'), [{ at: [0, 0, 0], edges: [22, 18, 8] }]);

/** The visible properties of a print's G-code. */
interface Seen {
  text: string;
  /** mm of filament by the kind of line. */
  filament: Map<string, number>;
  /** Layers that have this kind of line. */
  layers: Map<string, number>;
  /** Width of the first layer, mm. */
  firstWidth: number;
  /** The start points of the outermost walls. */
  starts: { x: number; y: number }[];
}

function see(path: string): Seen {
  const text = readFileSync(path, 'utf8');
  const filament = new Map<string, number>();
  const layers = new Map<string, number>();
  const starts: Seen['starts'] = [];
  let firstLeft = Number.POSITIVE_INFINITY;
  let firstRight = Number.NEGATIVE_INFINITY;
  for (const [index, layer] of text.split(';LAYER_CHANGE').slice(1).entries()) {
    const kinds = new Set<string>();
    let kind = '';
    let at = { x: 0, y: 0 };
    let fresh = false;
    for (const line of layer.split('\n')) {
      const type = /^;TYPE:(.*)/.exec(line)?.[1];
      if (type !== undefined) {
        kind = type;
        fresh = true;
      }
      const x = /^G[01] .*X(-?[\d.]+)/.exec(line)?.[1];
      const y = /^G[01] .*Y(-?[\d.]+)/.exec(line)?.[1];
      const pushed = Number(/ E(-?[\d.]+)/.exec(line)?.[1] ?? 0);
      if (x === undefined && y === undefined) continue;
      const to = { x: x === undefined ? at.x : Number(x), y: y === undefined ? at.y : Number(y) };
      if (pushed > 0) {
        kinds.add(kind);
        filament.set(kind, (filament.get(kind) ?? 0) + pushed);
        if (kind === 'External perimeter' && fresh && index > 0) starts.push(at);
        fresh = false;
        if (index === 0) {
          firstLeft = Math.min(firstLeft, at.x, to.x);
          firstRight = Math.max(firstRight, at.x, to.x);
        }
      }
      at = to;
    }
    for (const each of kinds) layers.set(each, (layers.get(each) ?? 0) + 1);
  }
  return { text, filament, layers, firstWidth: firstRight - firstLeft, starts };
}

async function printed(slicer: Slicer, source: string, asked: PrintSettings): Promise<Seen> {
  const settings = resolveSettings(giga, pla, asked);
  const modelPath = join(directory, `model-${count++}.stl`);
  const outputPath = join(directory, `print-${count++}.gcode`);
  const { bounds } = await analyseHere(source);
  await copyAsCleanStl(source, modelPath, placeOnBed(bounds, giga, { width: settings.brimWidth, asked: true }));
  await slicer.slice(
    { modelPath, outputPath, machine: giga, material: pla, settings, quality: 'standard', bounds, skirt: false },
    { signal: new AbortController().signal, progress: () => {} },
  );
  return see(outputPath);
}

const solid = (seen: Seen) =>
  (seen.layers.get('Solid infill') ?? 0) +
  (seen.layers.get('Top solid infill') ?? 0) +
  (seen.layers.get('Bridge infill') ?? 0);
const walls = (seen: Seen) => (seen.filament.get('Perimeter') ?? 0) + (seen.filament.get('External perimeter') ?? 0);
const different = (points: Seen['starts']) => new Set(points.map(({ x, y }) => `${x.toFixed(1)} ${y.toFixed(1)}`)).size;

/** Each setting, and its effect on the G-code. */
const settings: { [Name in keyof PrintSettings]?: (slicer: Slicer) => Promise<void> } = {
  walls: async (slicer) => {
    const two = await printed(slicer, block, { walls: 2 });
    const five = await printed(slicer, block, { walls: 5 });
    const ratio = walls(five) / walls(two);
    assert.ok(ratio > 2.1 && ratio < 2.5, `five walls take ${ratio} times as much as two`);
  },
  top_layers: async (slicer) => {
    const three = await printed(slicer, block, { top_layers: 3, bottom_layers: 0 });
    const six = await printed(slicer, block, { top_layers: 6, bottom_layers: 0 });
    assert.deepEqual([solid(three), solid(six)], [3, 6]);
  },
  bottom_layers: async (slicer) => {
    const two = await printed(slicer, block, { top_layers: 0, bottom_layers: 2 });
    const five = await printed(slicer, block, { top_layers: 0, bottom_layers: 5 });
    assert.deepEqual([solid(two), solid(five)], [2, 5]);
  },
  brim: async (slicer) => {
    const none = await printed(slicer, block, { brim: 0 });
    const wide = await printed(slicer, block, { brim: 6 });
    const grown = (wide.firstWidth - none.firstWidth) / 2;
    assert.ok(grown > 5.4 && grown < 6.4, `a brim of ${grown} mm`);
  },
  infill_pattern: async (slicer) => {
    const { infill_pattern: honoured } = slicer.honours;
    const patterns = infillPatterns.filter((pattern) => typeof honoured === 'boolean' || honoured.includes(pattern));
    const infills = new Map<string, string>();
    for (const pattern of patterns) {
      const { text, filament } = await printed(slicer, block, { infill_pattern: pattern, infill: 20 });
      const moves = text
        .split(/^;TYPE:/m)
        .filter((section) => section.startsWith('Internal infill'))
        .join('');
      assert.ok(moves.length > 1000);
      infills.set(pattern, moves);
      const share = filament.get('Internal infill') ?? 0;
      assert.ok(share > 100 && share < 280, `${pattern} takes ${share} mm`); // 160 by its volume
    }
    // The built-in slicer draws alternating lines for both.
    const expected = slicer instanceof BuiltInSlicer ? patterns.length - 1 : patterns.length;
    assert.equal(new Set(infills.values()).size, expected);
  },
  seam: async (slicer) => {
    const starts = new Map<string, Seen['starts']>();
    for (const seam of seams) starts.set(seam, (await printed(slicer, block, { seam })).starts);
    const of = (seam: string) => starts.get(seam) ?? [];
    const rearmost = Math.max(...of('random').map(({ y }) => y), ...of('rear').map(({ y }) => y));
    assert.ok(
      of('rear').every(({ y }) => y > rearmost - 1),
      'all at the rear',
    );
    assert.ok(of('aligned').length > 30 && different(of('aligned')) <= 3, 'all in one line');
    assert.ok(different(of('random')) >= 4, 'in many places');
  },
  supports: async (slicer) => {
    const support = async (supports: 'none' | 'auto' | 'everywhere') =>
      (await printed(slicer, bracket, { supports })).filament.get('Support material') ?? 0;
    const [none, auto, everywhere] = [await support('none'), await support('auto'), await support('everywhere')];
    assert.equal(none, 0);
    assert.ok(auto > 20, `on the bed ${auto} mm`);
    assert.ok(everywhere > auto + 20, `everywhere ${everywhere} mm, on the bed ${auto} mm`);
  },
};

describe('print settings', function () {
  this.timeout(120_000);

  describe('of PrusaSlicer', () => {
    const slicer = new PrusaSlicer();
    before(async function () {
      const probe = await slicer.probe();
      if (probe.usable) return;
      if (process.env['CI'] === 'true') throw new Error(`PrusaSlicer is needed in CI: ${probe.reason}`);
      console.log(`      skipped: ${probe.reason}`);
      this.skip();
    });
    for (const [name, check] of Object.entries(settings)) it(`${name} changes the G-code`, () => check(slicer));
  });

  describe('of the built-in slicer', () => {
    const slicer = new BuiltInSlicer();
    for (const [name, check] of Object.entries(settings)) {
      if (name !== 'supports') it(`${name} changes the G-code`, () => check(slicer));
    }
  });

  it('that a slicer does not support are named in its warnings', async () => {
    const asked: PrintSettings = {
      supports: 'auto',
      infill_pattern: 'gyroid',
      seam: 'rear',
      walls: 2,
      quality: 'fine',
    };
    assert.deepEqual(notHonoured(new PrusaSlicer(), asked), []);
    assert.deepEqual(notHonoured(new BuiltInSlicer(), { supports: 'none', infill_pattern: 'cubic' }), []);
    const print = await preparePrintFile(
      {
        sourcePath: block,
        machine: giga,
        material: pla,
        settings: resolveSettings(giga, pla, asked),
        asked,
        quality: 'fine',
        workDirectory: temporaryDirectory(),
        allowUntrusted: true,
        acceptUnknownMachine: true,
        slicer: new BuiltInSlicer(),
        pack: packForMake,
      },
      { signal: new AbortController().signal },
    );
    assert.deepEqual(print.warnings, [
      'The built-in slicer does not honour supports (auto).',
      'The built-in slicer does not honour infill_pattern (gyroid).',
    ]);
    assert.match(notHonoured(new PrusaSlicer(), { infill: 100, infill_pattern: 'gyroid' }).join(), /100 %/);
  });

  it('reach the profiles of OrcaSlicer and Bambu Studio under their names there', () => {
    assert.deepEqual(notHonoured(new OrcaSlicer('', ''), { supports: 'everywhere', seam: 'rear' }), []);
    const profiles = { machine: {}, process: { support_type: 'tree(manual)', wall_loops: '2' }, filament: {} };
    const { process } = overrideOrcaProfiles(
      profiles,
      {
        supports: 'auto',
        brim: 5,
        walls: 4,
        top_layers: 6,
        bottom_layers: 3,
        infill_pattern: 'rectilinear',
        seam: 'rear',
        first_layer_height: 0.25,
      },
      {},
    );
    assert.deepEqual(process, {
      enable_support: '1',
      support_on_build_plate_only: '1',
      support_type: 'tree(auto)',
      brim_type: 'outer_only',
      brim_width: '5',
      wall_loops: '4',
      top_shell_layers: '6',
      top_shell_thickness: '0',
      bottom_shell_layers: '3',
      bottom_shell_thickness: '0',
      sparse_infill_pattern: 'zig-zag',
      seam_position: 'back',
      initial_layer_print_height: '0.25',
    });
    assert.equal(overrideOrcaProfiles(profiles, { supports: 'none', brim: 0 }, {}).process['enable_support'], '0');
    assert.equal(overrideOrcaProfiles(profiles, {}, {}).process['wall_loops'], '2');
  });

  it('request no brim that the bed has no room for', () => {
    const bounds = { min: { x: 0, y: 0, z: 0 }, max: { x: 390, y: 20, z: 5 } };
    assert.equal(placeOnBed(bounds, artisan, { width: 0, asked: true }).skirt, true);
    assert.equal(placeOnBed(bounds, artisan, { width: 4, asked: true }).skirt, false);
    assert.throws(
      () => placeOnBed(bounds, artisan, { width: 6, asked: true }),
      (error) => error instanceof SlicingError && /with a brim of 6 mm does not fit/.test(error.message),
    );
  });
});
