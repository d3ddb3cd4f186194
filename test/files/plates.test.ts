import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PNG } from 'pngjs';
import { analyseHere } from '../../lib/files/analyse';
import type { FileAnalysis } from '../../lib/files/analysis';
import { readPlatePicture } from '../../lib/files/plate-picture';
import { PlateChoiceError, plateOf } from '../../lib/files/plates';
import { UnreadableFileError } from '../../lib/files/unreadable';
import { fixture, temporaryDirectory } from '../fixtures';
import { writeArchive } from '../support/hostile-files';

const directory = temporaryDirectory();
let count = 0;
const fresh = (name: string) => join(directory, `${count++}-${name}`);

/** A square of this edge in one layer. */
const gcode = (edge: number) =>
  [
    '; BambuStudio 02.04.00.70',
    'M104 S220',
    'G1 X0 Y0 Z0.2 F3000',
    `G1 X${edge} Y0 E1`,
    `G1 X${edge} Y${edge} E2`,
    `G1 X0 Y${edge} E3`,
    'G1 X0 Y0 Z0.4 E4',
    'M104 S0',
    '',
  ].join('\n');

const md5 = (text: string) => createHash('md5').update(text).digest('hex').toUpperCase();

const png = (width: number, height: number) => PNG.sync.write(new PNG({ width, height }));

interface Plate {
  name?: string;
  edge: number;
  info: string;
}

/** A sliced file of several plates, with the metadata that Bambu Studio writes. */
function slicedEntries(plates: Record<number, Plate>): Record<string, string | Buffer> {
  const entries: Record<string, string | Buffer> = {
    'Metadata/project_settings.config': JSON.stringify({ curr_bed_type: 'Cool Plate' }),
    'Metadata/slice_info.config': `<config><header><header_item key="X-BBL-Client-Type" value="slicer"/></header>${Object.entries(
      plates,
    )
      .map(([plate, { info }]) => `<plate><metadata key="index" value="${plate}"/>${info}</plate>`)
      .join('')}</config>`,
    'Metadata/model_settings.config': `<config>${Object.entries(plates)
      .map(
        ([plate, { name = '' }]) =>
          `<plate><metadata key="plater_id" value="${plate}"/><metadata key="plater_name" value="${name}"/><metadata key="gcode_file" value="Metadata/plate_${plate}.gcode"/></plate>`,
      )
      .join('')}</config>`,
  };
  for (const [plate, { edge }] of Object.entries(plates)) {
    entries[`Metadata/plate_${plate}.gcode`] = gcode(edge);
    entries[`Metadata/plate_${plate}.gcode.md5`] = md5(gcode(edge));
    entries[`Metadata/plate_${plate}.png`] = png(Number(plate), 8);
  }
  return entries;
}

const metadata = (values: Record<string, string>) =>
  Object.entries(values)
    .map(([key, value]) => `<metadata key="${key}" value="${value}"/>`)
    .join('');

const threePlates = () =>
  slicedEntries({
    1: {
      name: 'Lid &amp; hinge',
      edge: 10,
      info: `${metadata({ printer_model_id: 'O1D', nozzle_diameters: '0.4,0.6', prediction: '600', weight: '3.5', filament_maps: '2,1' })}<filament id="1" type="PLA" color="#00ae42ff" used_g="3.5"/>`,
    },
    2: {
      name: 'Box',
      edge: 20,
      info: `${metadata({ printer_model_id: 'O1D', nozzle_diameters: '0.4,0.6', prediction: '1200', weight: '7', filament_maps: '2,1' })}<filament id="2" type="PETG" color="#FFFFFF" used_g="4"/><filament id="1" type="PLA" color="#000000" used_g="3"/>`,
    },
    10: {
      edge: 30,
      info: `${metadata({ printer_model_id: 'N1', nozzle_diameters: '0.4', prediction: '60', weight: '1', filament_maps: '1' })}<filament id="1" type="PLA" color="#000000" used_g="1"/>`,
    },
  });

async function analyse(entries: Record<string, string | Buffer>): Promise<FileAnalysis> {
  return analyseHere(await writeArchive(fresh('several.gcode.3mf'), entries));
}

describe('sliced files of Bambu Studio', () => {
  it('state which plate they hold, even if it is not the first', async () => {
    const analysis = await analyseHere(fixture('field', 'plate2only.gcode.3mf'));
    assert.equal(analysis.plate, 2);
    assert.equal(analysis.plates, undefined);
    assert.equal(analysis.print?.slicerSeconds, 600);
    assert.equal(analysis.print?.bedType, 'textured_plate');
    assert.deepEqual(analysis.print?.nozzleDiameters, [0.4, 0.4]);
    assert.deepEqual(analysis.print?.filaments, [{ filament: 1, tool: 0, type: 'PLA', colourHex: '000000', grams: 3 }]);
  });

  it('state the nozzle that each filament was sliced for', async () => {
    const left = await analyseHere(fixture('field', 'left-side.gcode.3mf'));
    assert.deepEqual(
      left.print?.filaments.map(({ tool }) => tool),
      [1],
    );
    const both = await analyseHere(fixture('field', 'twocolour.gcode.3mf'));
    assert.deepEqual(
      both.print?.filaments.map(({ filament, tool, colourHex, grams }) => [filament, tool, colourHex, grams]),
      [
        [1, 0, '000000', 2],
        [2, 0, 'FFFFFF', 2],
      ],
    );
  });

  it('list each of several plates with its own figures', async () => {
    const analysis = await analyse(threePlates());
    assert.equal(analysis.plate, 1);
    assert.equal(analysis.dimensions.x, 10);
    assert.deepEqual(
      analysis.plates?.map(({ plate, name, picture, dimensions, print }) => [
        plate,
        name,
        picture,
        dimensions.x,
        print?.slicerSeconds,
        print?.slicerGrams,
        print?.printerModel,
        print?.thumbnails,
      ]),
      [
        [1, 'Lid & hinge', 'Metadata/plate_1.png', 10, 600, 3.5, 'O1D', [{ width: 1, height: 8, format: 'png' }]],
        [2, 'Box', 'Metadata/plate_2.png', 20, 1200, 7, 'O1D', [{ width: 2, height: 8, format: 'png' }]],
        [10, null, 'Metadata/plate_10.png', 30, 60, 1, 'N1', [{ width: 10, height: 8, format: 'png' }]],
      ],
    );
    const [lid, box, last] = analysis.plates ?? [];
    assert.deepEqual(lid?.print?.filaments, [{ filament: 1, tool: 0, type: 'PLA', colourHex: '00AE42', grams: 3.5 }]);
    assert.deepEqual(
      box?.print?.filaments.map(({ filament, tool, type }) => [filament, tool, type]),
      [
        [1, 0, 'PLA'],
        [2, 1, 'PETG'],
      ],
    );
    assert.deepEqual(
      box?.print?.nozzleDiameters,
      [0.6, 0.4],
      'the file begins with the left nozzle, tools with the right',
    );
    assert.equal(last?.print?.filaments[0]?.tool, 0, 'a machine with one nozzle has no sides');
    assert.equal(last?.print?.bedType, 'Cool Plate');
  });

  it('are rejected if the MD5 of any plate is wrong, or if there are more plates than any project has', async () => {
    const edited = threePlates();
    edited['Metadata/plate_10.gcode'] = gcode(31);
    await assert.rejects(
      analyse(edited),
      (error) => error instanceof UnreadableFileError && /MD5 of Metadata\/plate_10\.gcode/.test(error.reason),
    );
    const many = Object.fromEntries(
      Array.from({ length: 2000 }, (_, index) => [`Metadata/plate_${index + 1}.gcode`, gcode(10)]),
    );
    await assert.rejects(analyse(many), /2000 sliced plates, more than 64/);
    const listed = threePlates();
    listed['Metadata/model_settings.config'] = `<config>${'<plate/>'.repeat(65)}</config>`;
    await assert.rejects(analyse(listed), /lists more plates/);
    const hostile = threePlates();
    hostile['Metadata/slice_info.config'] = '<!DOCTYPE a [<!ENTITY b "c">]><config>&b;</config>';
    await assert.rejects(analyse(hostile), /DOCTYPE/);
  });

  it('name the plate in its warnings', async () => {
    const entries = threePlates();
    const hot = gcode(20).replace('S220', 'S400');
    entries['Metadata/plate_2.gcode'] = hot;
    entries['Metadata/plate_2.gcode.md5'] = md5(hot);
    const analysis = await analyse(entries);
    assert.match(analysis.warnings.join('\n'), /Plate 2: The G-code heats the nozzle to 400/);
    assert.match(plateOf(analysis, 2).warnings.join('\n'), /^The G-code heats the nozzle to 400/m);
    assert.doesNotMatch(plateOf(analysis, 1).warnings.join('\n'), /400/);
  });
});

describe('choosing a plate', () => {
  let analysis: FileAnalysis;
  before(async () => {
    analysis = await analyse(threePlates());
  });

  it('accepts a number, a number as text, or a name in any case', () => {
    for (const wanted of [2, '2', 'box', ' BOX ']) {
      const chosen = plateOf(analysis, wanted);
      assert.equal(chosen.plate, 2);
      assert.equal(chosen.plates, undefined);
      assert.equal(chosen.dimensions.x, 20);
      assert.equal(chosen.print?.slicerSeconds, 1200);
      assert.equal(chosen.kind, 'gcode_3mf');
      assert.deepEqual(plateOf(chosen, wanted === 2 ? 2 : undefined), chosen, 'choosing again changes nothing');
    }
  });

  it('lists the plates if none, or a missing one, is named', () => {
    for (const wanted of [undefined, 3, 'lid']) {
      assert.throws(
        () => plateOf(analysis, wanted),
        (error) =>
          error instanceof PlateChoiceError &&
          error.code === 'bad_plate' &&
          error.remedy.includes('1 ("Lid & hinge"), 2 ("Box"), 10') &&
          error.plates.length === 3 &&
          (wanted === undefined || error.message.includes(String(wanted))),
      );
    }
  });

  it('needs no name for a file with one plate or none', async () => {
    const single = await analyseHere(fixture('field', 'plate2only.gcode.3mf'));
    assert.equal(plateOf(single, undefined), single);
    assert.equal(plateOf(single, '2'), single);
    assert.throws(() => plateOf(single, 1), /no plate 1, only 2/);
    const model = await analyseHere(fixture('models', '20mm-xyz-cube.stl'));
    assert.equal(plateOf(model, undefined), model);
    assert.throws(() => plateOf(model, 1), /has no plates/);
  });
});

describe('the picture of a plate', () => {
  it('is read from the archive if it is a PNG of valid size', async () => {
    const entries = threePlates();
    entries['Metadata/plate_2.png'] = Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"/>, long enough');
    const huge = png(1, 1);
    huge.writeUInt32BE(100_000, 16);
    entries['Metadata/plate_10.png'] = huge;
    const path = await writeArchive(fresh('pictures.gcode.3mf'), entries);
    const picture = await readPlatePicture(path, 'Metadata/plate_1.png');
    assert.equal(picture && PNG.sync.read(picture).height, 8);
    assert.equal(await readPlatePicture(path, 'Metadata/plate_2.png'), undefined);
    assert.equal(await readPlatePicture(path, 'Metadata/plate_10.png'), undefined);
    assert.equal(await readPlatePicture(path, 'Metadata/plate_3.png'), undefined);
    const { plates } = await analyseHere(path);
    assert.deepEqual(
      plates?.map(({ picture: member }) => member),
      ['Metadata/plate_1.png', null, null],
    );
  });
});

describe('damaged archives', () => {
  it('are rejected by the CRC-32 of the data that was read', async () => {
    await assert.rejects(
      analyseHere(fixture('field', 'r15_crc_flip.3mf')),
      (error) => error instanceof UnreadableFileError && /3dmodel\.model" is damaged \(its CRC-32/.test(error.reason),
    );
  });

  it('are rejected whichever byte of the data was changed', async () => {
    const whole = readFileSync(fixture('field', 'plate2only.gcode.3mf'));
    for (const member of ['Metadata/plate_2.gcode.md5', 'Metadata/slice_info.config']) {
      const path = fresh('flipped.gcode.3mf');
      const bytes = Buffer.from(whole);
      // The checksum is in the directory, sixteen bytes into the entry whose name starts at byte 46.
      const entry = bytes.lastIndexOf(member) - 46;
      bytes.writeUInt8(bytes.readUInt8(entry + 16) ^ 1, entry + 16);
      writeFileSync(path, bytes);
      await assert.rejects(analyseHere(path), /CRC-32 does not match/, member);
    }
  });
});
