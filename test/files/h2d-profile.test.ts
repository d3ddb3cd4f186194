import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { analyseHere } from '../../lib/files/analyse';
import { GcodeReader } from '../../lib/files/gcode';
import { checkArchive } from '../../lib/simulators/bambu/print-archive';
import { temporaryDirectory } from '../fixtures';
import { h2dArchive, h2dGcode, type PlateFilament } from '../support/h2d-plates';

function read(text: string) {
  const reader = new GcodeReader();
  reader.push(Buffer.from(text));
  return reader.finish();
}

const petgLeft: PlateFilament = { filament: 3, type: 'PETG', colourHex: '112233', side: 'left' };
const plaRight: PlateFilament = { filament: 2, type: 'PLA', colourHex: '00AE42', side: 'right' };

describe("G-code with the start and end code of Bambu Studio's H2D profile", () => {
  it('is read without an error', () => {
    const found = read(h2dGcode());
    assert.deepEqual(
      [found.badNumbers, found.dangerousCommands, found.vendorCommands, found.complete],
      [0, [], ['M500'], true],
    );
    assert.deepEqual(found.tools, [0]);
    assert.deepEqual([found.layers, found.layerHeight, found.maxNozzleTemperature], [50, 0.2, 220]);
    assert.deepEqual([found.printerModel, found.bedType], ['Bambu Lab H2D', 'Textured PEI Plate']);
    assert.deepEqual(found.nozzleDiameters, [0.4, 0.4]);
    const { partBounds } = found;
    assert.ok(partBounds && partBounds.min.x > 169 && partBounds.max.x < 181 && partBounds.max.z === 10);
    assert.equal(found.slicerSeconds, 500);
  });

  it('names the filaments by number, and the nozzles that they are sliced for', () => {
    const found = read(h2dGcode({ filaments: [plaRight, petgLeft] }));
    assert.deepEqual(
      found.filaments.map(({ filament, tool, type, colourHex }) => [filament, tool, type, colourHex]),
      [
        [2, 0, 'PLA', '00AE42'],
        [3, 1, 'PETG', '112233'],
      ],
    );
    assert.deepEqual(found.tools, [1, 2], 'T is the number of a filament');
    assert.ok(found.filaments.every(({ grams }) => grams !== null && grams > 0.2 && grams < 0.3));
    assert.ok(found.toolUse.every(({ maxNozzleTemperature }) => maxNozzleTemperature === 220));
  });

  it('may not store settings in the middle of the print, or write firmware at its end', () => {
    const text = h2dGcode();
    assert.deepEqual(read(text.replace('M991 S0 P20 ', 'M500\nM991 S0 P20 ')).dangerousCommands, ['M500']);
    assert.deepEqual(read(h2dGcode({ endCode: ['M997'] })).dangerousCommands, ['M997']);
  });

  it('is incomplete without its last line', () => {
    const text = h2dGcode();
    assert.equal(read(text.slice(0, text.lastIndexOf('; EXECUTABLE_BLOCK_END'))).complete, false);
  });

  it('is read from an archive of any plate', async () => {
    const path = join(temporaryDirectory(), 'plate.gcode.3mf');
    writeFileSync(path, await h2dArchive([{ plate: 2, filaments: [petgLeft] }]));
    const { print, warnings } = await analyseHere(path);
    assert.deepEqual([print?.complete, print?.badNumbers, print?.dangerousCommands], [true, 0, []]);
    assert.equal(print?.printerModel, 'O1D');
    assert.deepEqual(warnings, []);
    assert.ok(print?.vendorCommands.includes('M500'), 'kept for the fit check');
    const atPrinter = await checkArchive(path, 'Metadata/plate_2.gcode', 'O1D');
    assert.ok('facts' in atPrinter && atPrinter.facts.seconds > 10, 'the simulated H2D accepts it too');
    assert.deepEqual('extruders' in atPrinter && atPrinter.extruders, [0, 0, 1]);
  });
});
