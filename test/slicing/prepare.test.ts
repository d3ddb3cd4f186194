import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { analyseHere } from '../../lib/files/analyse';
import { writeGcode3mf } from '../../lib/files/gcode-3mf';
import { thumbnailsOfGcode } from '../../lib/files/thumbnail';
import { UnreadableFileError } from '../../lib/files/unreadable';
import { packForMake } from '../../lib/makes/registry';
import type { BedZone } from '../../lib/model/printer';
import { BuiltInSlicer } from '../../lib/slicing/built-in-slicer';
import { UnprintableFileError } from '../../lib/slicing/check-print';
import { resolveSettings } from '../../lib/slicing/defaults';
import { estimatePrint } from '../../lib/slicing/estimate';
import { honoursAll } from '../../lib/slicing/honoured';
import { type PrepareInput, preparePrintFile } from '../../lib/slicing/prepare';
import { type Slicer, SlicingError } from '../../lib/slicing/slicer';
import { fixture, temporaryDirectory } from '../fixtures';
import { readColPic } from '../support/colpic';
import { writeBox } from '../support/models';
import { artisan, giga, h2d, pla } from './machines';

const cube = fixture('models', '20mm-xyz-cube.stl');

function input(changes: Partial<PrepareInput> = {}): PrepareInput {
  return {
    sourcePath: cube,
    machine: giga,
    material: pla,
    settings: resolveSettings(changes.machine ?? giga, changes.material ?? pla, {}),
    quality: 'standard',
    workDirectory: temporaryDirectory(),
    allowUntrusted: true,
    acceptUnknownMachine: true,
    slicer: new BuiltInSlicer(),
    pack: packForMake,
    ...changes,
  };
}

const signal = () => new AbortController().signal;

const prepare = (changes: Partial<PrepareInput> = {}) => preparePrintFile(input(changes), { signal: signal() });

async function refuses(changes: Partial<PrepareInput>, kind: new (...values: never[]) => Error, message: RegExp) {
  const all = input(changes);
  await assert.rejects(preparePrintFile(all, { signal: signal() }), (error) => {
    assert.ok(error instanceof kind, String(error));
    assert.match(error.message, message);
    assert.notEqual((error as Error & { remedy?: string }).remedy ?? '', '');
    return true;
  });
  assert.deepEqual(readdirSync(all.workDirectory), [], 'nothing is left behind');
}

const fields = (header: string) =>
  new Map(
    header.split('\n').map((line): [string, string] => {
      const at = line.indexOf(':');
      return [line.slice(1, at), line.slice(at + 1).trim()];
    }),
  );

describe('preparing a print file', () => {
  it('makes plain G-code for Moonraker and describes it', async () => {
    const all = input();
    const progress: number[] = [];
    const print = await preparePrintFile(all, { signal: signal(), progress: (fraction) => progress.push(fraction) });
    const bytes = readFileSync(print.path);
    assert.deepEqual(readdirSync(all.workDirectory).length, 1);
    assert.ok(print.path.startsWith(all.workDirectory) && print.path.endsWith('.gcode'));
    assert.equal(print.size, bytes.length);
    assert.equal(print.sha256, createHash('sha256').update(bytes).digest('hex'));
    assert.equal(print.md5, createHash('md5').update(bytes).digest('hex'));
    assert.equal(print.lines, bytes.toString('utf8').split('\n').length - 1);
    assert.equal(print.layers, 100);
    assert.ok(print.filamentGrams > 3.5 && print.filamentGrams < 5);
    assert.ok(print.estimatedSeconds > 600 && print.estimatedSeconds < 1500);
    assert.equal(progress.at(-1), 1);
  });

  it('writes the header that the Artisan requires', async () => {
    const print = await prepare({ machine: artisan });
    const text = readFileSync(print.path, 'utf8');
    assert.ok(text.startsWith(';Header Start\n'));
    const header = fields(text.slice(0, text.indexOf('\n;Header End\n')));
    assert.equal(Number(header.get('file_total_lines')), text.split('\n').length - 1);
    assert.equal(Number(header.get('file_total_lines')), print.lines);
    assert.equal(Number(header.get('estimated_time(s)')), Math.round(print.estimatedSeconds));
    assert.equal(header.get('nozzle_temperature(°C)'), '215');
    assert.equal(header.get('build_plate_temperature(°C)'), '60');
    assert.equal(header.get('layer_number'), '100');
    assert.equal(header.get('layer_height'), '0.20');
    assert.equal(header.get('tool_head'), 'dualExtruderToolheadForSM2');
    assert.ok(Number(header.get('max_x(mm)')) < 220 && Number(header.get('min_x(mm)')) > 180);
    for (const [key, value] of header) assert.doesNotMatch(value, /NaN|undefined|Infinity/, key);
  });

  it('wraps G-code for the H2D only with the owner’s permission', async () => {
    const print = await prepare({ machine: h2d });
    assert.ok(print.path.endsWith('.gcode.3mf'));
    const analysis = await analyseHere(print.path);
    assert.equal(analysis.kind, 'gcode_3mf');
    assert.equal(analysis.print?.printerModel, 'O1D');
    assert.equal(analysis.print?.slicerSeconds, Math.round(print.estimatedSeconds));
    await refuses({ machine: h2d, allowUntrusted: false }, UnprintableFileError, /not sent/);
    const gcode = fixture('models', 'self-prusaslicer250-cube20-h2d.gcode');
    await refuses({ machine: h2d, allowUntrusted: false, sourcePath: gcode }, UnprintableFileError, /not sent/);
    const wrapped = await prepare({ machine: h2d, sourcePath: gcode });
    assert.equal(wrapped.estimatedSeconds, 602);
    assert.equal(wrapped.slicerName, 'PrusaSlicer 2.5.0');
  });

  it('puts pictures of the part where each make expects them', async () => {
    const isPicture = (bytes: Buffer, size: number) => {
      const { width, height, data } = PNG.sync.read(bytes);
      assert.deepEqual([width, height], [size, size]);
      const covered = data.filter((_, index) => index % 4 === 3 && (data[index] ?? 0) > 200).length;
      assert.ok(covered > 0.2 * size * size && covered < 0.9 * size * size, `${covered} points of ${size} are covered`);
    };
    const moonraker = await prepare();
    const text = readFileSync(moonraker.path, 'utf8');
    assert.match(text, /^; generated by .*\n;\n; thumbnail begin 400x400 \d+\n/);
    for (const [, length, base64] of text.matchAll(/; thumbnail begin \d+x\d+ (\d+)\n([\s\S]*?); thumbnail end/g)) {
      assert.equal((base64 ?? '').replace(/[;\s]/g, '').length, Number(length));
    }
    const found = thumbnailsOfGcode(moonraker.path);
    assert.deepEqual(
      found.map(({ width }) => width),
      [400, 160, 32],
    );
    for (const { width, bytes } of found) isPicture(bytes, width);
    assert.equal((await analyseHere(moonraker.path)).print?.thumbnails.length, 3);
    const [large, small] = [/^;gimage:(\S+)$/m, /^;simage:(\S+)$/m].map((form) =>
      readColPic(form.exec(text)?.[1] ?? ''),
    );
    assert.deepEqual([large?.width, large?.height, small?.width, small?.height], [400, 400, 114, 114]);
    assert.ok(found[0]);
    const { data } = PNG.sync.read(found[0].bytes);
    for (let point = 0; point < 400 * 400; point++) {
      const [red, green, blue] = [0, 1, 2].map((channel) => {
        const opacity = (data[4 * point + 3] ?? 0) / 255;
        return (data[4 * point + channel] ?? 0) * opacity;
      });
      const seen = large?.points[point] ?? 0;
      const expected = [Math.floor((red ?? 0) / 8), Math.floor((green ?? 0) / 4), Math.floor((blue ?? 0) / 8)];
      assert.deepEqual([seen >> 11, (seen >> 5) & 63, seen & 31], expected, `point ${point}`);
    }

    const snapmaker = await prepare({ machine: artisan });
    const line = /^;thumbnail: data:image\/png;base64,(\S+)$/m.exec(readFileSync(snapmaker.path, 'utf8'))?.[1];
    isPicture(Buffer.from(line ?? '', 'base64'), 300);

    const bambu = await prepare({ machine: h2d });
    assert.deepEqual((await analyseHere(bambu.path)).print?.thumbnails, [{ width: 512, height: 512, format: 'png' }]);
  });

  it('heats only the bed zones under the part', async () => {
    const zone = (tool: number, x: number, y: number) => ({ tool, min: { x, y }, max: { x: x + 400, y: y + 400 } });
    const zoned = (bedZones: BedZone[]) => ({ ...giga, capabilities: { ...giga.capabilities, bedZones } });
    const heated = async (zones: BedZone[]) => {
      const print = await prepare({ machine: zoned(zones) });
      return [...readFileSync(print.path, 'utf8').matchAll(/^M190(.*) S60$/gm)].map(([, tool]) => tool?.trim());
    };
    const far = zone(3, 0, 500);
    assert.deepEqual(await heated([zone(0, 0, 0), zone(1, 400, 0), zone(2, 400, 400), zone(3, 0, 400)]), [
      'T0',
      'T1',
      'T2',
      'T3',
    ]);
    assert.deepEqual(await heated([zone(0, 250, 250), far]), ['T0']);
    assert.deepEqual(await heated([]), ['']);
  });

  it('does not send the built-in slicer’s work to a machine without permission', async () => {
    await refuses({ allowUntrusted: false }, UnprintableFileError, /built-in/);
  });

  it('turns a part that fits only when turned', async () => {
    const long = {
      ...artisan,
      capabilities: {
        ...artisan.capabilities,
        buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 52, y: 90, z: 60 } },
      },
    };
    const sourcePath = fixture('models', '3mfc-multiple_cylinders.3mf');
    const print = await prepare({ machine: long, sourcePath });
    const { bounds } = await analyseHere(print.path);
    assert.ok(bounds.max.y - bounds.min.y > 62 && bounds.max.x - bounds.min.x < 50, JSON.stringify(bounds));
  });

  it('rejects a part that fits nowhere, is too tall, or touches the edge', async () => {
    for (const file of ['too-large-900mm.stl', 'tall-1001mm.stl', 'ok-unit-meter-cube10m.3mf']) {
      await refuses({ sourcePath: fixture('models-bad', file) }, SlicingError, /does not fit/);
    }
    await refuses(
      { sourcePath: fixture('models-bad', 'exactly-400mm.stl'), machine: artisan },
      SlicingError,
      /does not fit/,
    );
    await refuses({ sourcePath: fixture('models-bad', 'tiny-cube-0.05mm.stl') }, SlicingError, /less than one layer/);
    await refuses({ sourcePath: fixture('models-bad', 'random-bytes.stl') }, UnreadableFileError, /neither/);
  });

  it('omits the skirt if the part leaves no room for it', async () => {
    const sourcePath = writeBox(join(temporaryDirectory(), 'wide.stl'), 398, 20, 2);
    const print = await prepare({ machine: artisan, sourcePath });
    const { bounds } = await analyseHere(print.path);
    assert.ok(bounds.max.x - bounds.min.x < 399 && bounds.max.x - bounds.min.x > 396, JSON.stringify(bounds));
  });

  it('rejects G-code for another machine, or with excessive heat, hostile commands or a missing end', async () => {
    const sliced = fixture('models', 'self-prusaslicer250-cube20-giga.gcode');
    const work = temporaryDirectory();
    const text = readFileSync(sliced, 'utf8');
    const changed = (name: string, content: string) => {
      writeFileSync(join(work, name), content);
      return { sourcePath: join(work, name) };
    };
    await refuses({ sourcePath: sliced, machine: artisan }, UnprintableFileError, /outside of the build volume/);
    await refuses(changed('hot.gcode', text.replace('M109 S220', 'M109 S320')), UnprintableFileError, /nozzle to 320/);
    await refuses(changed('bed.gcode', text.replace('M190 S60', 'M190 S160')), UnprintableFileError, /bed to 160/);
    // The maker's own start code may store settings on this model; nothing may in the middle of a print or on an unknown machine.
    const saving = text.replace('G92 E0', 'M500');
    await prepare(changed('save.gcode', saving));
    const nameless = saving.replace('; printer_model = OrangeStormGiga', '; printer_model = ');
    await refuses(changed('save.gcode', nameless), UnprintableFileError, /M500/);
    const half = text.indexOf(';LAYER_CHANGE', text.length / 2);
    const within = `${text.slice(0, half)}M500\n${text.slice(half)}`;
    await refuses(changed('save.gcode', within), UnprintableFileError, /M500/);
    await refuses(changed('cut.gcode', text.slice(0, text.length / 2)), UnprintableFileError, /cut off/);
    await refuses(changed('nan.gcode', text.replace('G1 X', 'G1 Xnan Y1 E1\nG1 X')), UnprintableFileError, /no number/);
    await refuses(
      { sourcePath: fixture('models-bad', 'hostile-commands.gcode') },
      UnprintableFileError,
      /extrudes nothing/,
    );
    const print = await prepare({ sourcePath: sliced, allowUntrusted: false });
    assert.equal(readFileSync(print.path, 'utf8'), text);
    assert.equal(print.estimatedSeconds, 649);
  });

  it('accepts a .gcode.3mf for its own printer model only', async () => {
    const gcode = fixture('models', 'self-prusaslicer250-cube20-h2d.gcode');
    const directory = temporaryDirectory();
    const { print } = await analyseHere(gcode);
    assert.ok(print);
    for (const printerModelId of ['O1D', 'N1']) {
      await writeGcode3mf(gcode, join(directory, `${printerModelId}.gcode.3mf`), {
        printerModelId,
        nozzleDiameters: [0.4],
        nozzle: 0,
        filaments: [],
        estimatedSeconds: 600,
        weightGrams: 4,
        bounds: print.bounds,
        title: 'cube',
      });
    }
    const own = { sourcePath: join(directory, 'O1D.gcode.3mf') };
    const prepared = await prepare({ ...own, machine: h2d, allowUntrusted: false });
    assert.deepEqual(readFileSync(prepared.path), readFileSync(own.sourcePath));
    await refuses({ ...own, machine: giga }, UnprintableFileError, /cannot print a .gcode.3mf/);
    const other = { sourcePath: join(directory, 'N1.gcode.3mf') };
    await refuses(
      { ...other, machine: h2d },
      UnprintableFileError,
      /sliced for N1; bamboo_h2d takes files for Bambu Lab H2D/,
    );
  });

  it('never trusts a slicer', async () => {
    const lying = (gcode: string): Slicer => ({
      name: 'lying',
      trusted: true,
      honours: honoursAll,
      probe: async () => ({ usable: true, version: '0' }),
      slice: async ({ outputPath }) => {
        writeFileSync(outputPath, gcode);
        return { estimatedSeconds: 1, warnings: [] };
      },
    });
    await refuses({ slicer: lying('') }, SlicingError, /no sound G-code/);
    await refuses({ slicer: lying('G28\nM83\nG1 X1 Y1\nG1 X5 Y5 E1\n') }, SlicingError, /ends at/);
    await refuses({ slicer: lying('G28\nM83\nG1 X1 Y1 Z20\nG1 X1005 Y5 E1\n') }, UnprintableFileError, /outside/);
  });

  it('stops on request and leaves nothing behind', async () => {
    const all = input({ sourcePath: fixture('models', '3DBenchy.3mf') });
    const controller = new AbortController();
    setTimeout(() => controller.abort(new Error('cancelled by the test')), 700);
    await assert.rejects(preparePrintFile(all, { signal: controller.signal }), /cancelled by the test/);
    assert.deepEqual(readdirSync(all.workDirectory), []);
  });
});

describe('estimating before slicing', () => {
  it('is plausible for a 20 mm cube', async () => {
    const { grams, hours } = estimatePrint(await analyseHere(cube), giga, pla, {});
    assert.ok(grams > 3.9 && grams < 6, `${grams} g`);
    assert.ok(hours * 60 > 10 && hours * 60 < 25, `${hours * 60} min`);
  });

  it('grows with volume and infill, up to solid', async () => {
    const analysis = await analyseHere(cube);
    let last = { grams: 0, hours: 0 };
    for (const infill of [0, 10, 20, 50, 100]) {
      const estimate = estimatePrint(analysis, giga, pla, { infill });
      assert.ok(estimate.grams > last.grams && estimate.hours > last.hours);
      last = estimate;
    }
    assert.ok(last.grams < (analysis.volumeMm3 * pla.densityGramsPerCm3) / 1000 + 0.2);
    last = { grams: 0, hours: 0 };
    // A record from an earlier version: only the volume is known.
    const { surfaceMm2: _, shape: __, ...withoutShape } = analysis;
    for (const volumeMm3 of [0, 100, 1000, 4000, 8000]) {
      const estimate = estimatePrint({ ...withoutShape, volumeMm3 }, giga, pla, {});
      assert.ok(estimate.grams > last.grams && estimate.hours > last.hours);
      last = estimate;
    }
  });
});
