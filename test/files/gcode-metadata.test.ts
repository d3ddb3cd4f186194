import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import type { GcodeAnalysis } from '../../lib/files/analysis';
import { GcodeReader } from '../../lib/files/gcode';
import { fixture } from '../fixtures';
import { dialects } from '../support/gcode-dialects';

function read(text: string | Buffer): GcodeAnalysis {
  const reader = new GcodeReader();
  reader.push(Buffer.from(text));
  return reader.finish();
}

const ofDialect = (name: string) => read(dialects.find((dialect) => dialect.name === name)?.text ?? '');

/** A print of these tools, with comments around it. */
function printBy(tools: readonly number[], comments: string): GcodeAnalysis {
  const moves = tools.map((tool) => `T${tool}\nG1 X10 Y10\nG1 X50 E${tool + 1}\nG1 X10 E${tool + 1}`);
  return read(`G28\nM83\n${moves.join('\n')}\n${comments}\n`);
}

const shortly = (found: GcodeAnalysis) =>
  found.filaments.map(({ filament, tool, type, colourHex, grams }) => [filament, tool, type, colourHex, grams]);

describe('what each tool does', () => {
  it('counts filament by tool, in relative and absolute extrusion', () => {
    const relative = printBy([1, 0, 1], '');
    assert.deepEqual(
      relative.toolUse.map(({ tool, filamentMm }) => [tool, filamentMm]),
      [
        [0, 2],
        [1, 8],
      ],
    );
    const absolute = read(
      'G28\nM82\nT1\nG92 E0\nG1 X10 E5\nG1 E3\nT0\nG92 E0\nG1 X20 E2\nT1\nG92 E0\nG1 E2\nG1 X10 E4\n',
    );
    assert.deepEqual(
      absolute.toolUse.map(({ tool, filamentMm }) => [tool, filamentMm]),
      [
        [0, 2],
        [1, 7],
      ],
    );
    assert.equal(absolute.filamentMm, 9);
  });

  it('applies a temperature without a tool to the active one', () => {
    const found = read(
      'G28\nM83\nM104 T1 S240\nM109 S210\nG1 X10 E1\nT1\nG1 X20 E1\nM104 S250\nT2\nG1 X30 E1\nT0\nM104 T0 S215\nM104 T3 S400\n',
    );
    assert.deepEqual(
      found.toolUse.map(({ tool, maxNozzleTemperature }) => [tool, maxNozzleTemperature]),
      [
        [0, 215],
        [1, 250],
        [2, 0],
      ],
    );
    assert.equal(found.maxNozzleTemperature, 400);
  });

  it('follows Klipper and Snapmaker from tool to tool', () => {
    const klipper = read(
      'G28\nM83\nSET_HEATER_TEMPERATURE HEATER=extruder1 TARGET=230\nACTIVATE_EXTRUDER EXTRUDER=extruder1\nG1 X10 E1\nACTIVATE_EXTRUDER EXTRUDER=extruder\nG1 X20 E1\n',
    );
    assert.deepEqual(klipper.tools, [0, 1]);
    assert.equal(klipper.toolUse[1]?.maxNozzleTemperature, 230);
    const snapmaker = read('G28\nM83\nT1\nM109 T1 S215 C3 W1\nG1 X10 E1\n');
    assert.deepEqual(snapmaker.toolUse, [{ tool: 1, filamentMm: 1, maxNozzleTemperature: 215 }]);
    assert.deepEqual(printBy([1], 'T255\nT1000\nT65535\nG1 X90 E1').tools, [1], 'numbers that mean no tool');
  });

  it('finds the nozzle of a filament if Bambu heats nozzles by number', () => {
    const text = (map: string) =>
      `; filament_map = ${map}\n; nozzle_diameter = 0.4,0.4\nG28\nM83\nM104 S230 T1\nT0\nG1 X10 E1\nG1 X20 E1\n`;
    assert.equal(read(text('1')).toolUse[0]?.maxNozzleTemperature, 230, 'the left nozzle is 1');
    assert.equal(read(text('2')).toolUse[0]?.maxNozzleTemperature, 0);
  });
});

describe('filaments, nozzles and bed of a file', () => {
  for (const [name, tools, comments, expected] of [
    ['nothing', [0, 1], '', []],
    [
      'lists of all filaments',
      [0, 1],
      '; filament_type = PLA;PETG\n; filament_colour = #ff8000;#0000FFFF\n; filament used [g] = 1.50, 2.25',
      [
        [1, 0, 'PLA', 'FF8000', 1.5],
        [2, 1, 'PETG', '0000FF', 2.25],
      ],
    ],
    [
      'a list of the used one only (PrusaSlicer)',
      [1],
      '; filament used [g] = 2.25\n; filament_type = PLA;PETG\n; extruder_colour = "";#00ff00',
      [[2, 1, 'PETG', '00FF00', 2.25]],
    ],
    [
      'a zero for the unused one (OrcaSlicer)',
      [1],
      '; filament used [g] = 0.00, 2.25\n; filament_type = PLA;PETG',
      [[2, 1, 'PETG', null, 2.25]],
    ],
    [
      'one description and another tool',
      [1],
      '; filament used [g] = 4.28\n; filament_type = PLA\n; filament_colour = #29B2B2',
      [[2, 1, 'PLA', '29B2B2', 4.28]],
    ],
    [
      'filaments without density',
      [0],
      '; filament used [mm] = 100.0, 50.0\n; filament used [g] = 0.00, 0.00\n; filament_type = "PLA";"PVA"',
      [
        [1, 0, 'PLA', null, null],
        [2, 1, 'PVA', null, null],
      ],
    ],
    [
      'filaments that one nozzle changes',
      [0, 3],
      '; filament: 1,4\n; total filament weight [g] : 1.00,2.00\n; filament_type = PLA;ABS;ABS;PETG-CF\n; single_extruder_multi_material = 1',
      [
        [1, 0, 'PLA', null, 1],
        [4, 0, 'PETG-CF', null, 2],
      ],
    ],
    [
      'metres of each nozzle (Cura)',
      [0, 1],
      ';Filament used: 0.27387m, 1.2m',
      [
        [1, 0, null, null, null],
        [2, 1, null, null, null],
      ],
    ],
    [
      'a header of Luban',
      [1],
      ';nozzle_0_material: PLA-Black\n;nozzle_1_material: PVA - Natural\n;matierial_weight: 3.1',
      [[2, 1, 'PVA', null, 3.1]],
    ],
    [
      'a header of Snapmaker of the other kind',
      [0],
      ';Extruder 0 Material:PLA CF\n;Extruder 1 Material:null',
      [[1, 0, 'PLA-CF', null, null]],
    ],
    [
      'lines of ideaMaker',
      [0],
      ';Filament Type #1: PLA\n;Filament Diameter #1: 1.75\n;Filament Density #1: 1.24\n;Material#1 Used: 1000.0\n;Material#2 Used: 0',
      [[1, 0, 'PLA', null, 2.98]],
    ],
    [
      'nonsense',
      [0],
      '; filament_type = null;\n; filament_colour = blue\n; filament used [g] = nan',
      [[1, 0, null, null, null]],
    ],
  ] as const) {
    it(`reads ${name}`, () => assert.deepEqual(shortly(printBy(tools, comments)), expected));
  }

  for (const [comment, diameters] of [
    ['; nozzle_diameter = 0.4,0.6', [0.4, 0.6]],
    [';nozzle_0_diameter(mm): 0.4\n;nozzle_1_diameter(mm): -1', [0.4]],
    [';Extruder 0 Nozzle Size:0.8', [0.8]],
    [';EXTRUDER_TRAIN.0.NOZZLE.DIAMETER:0.4\n;EXTRUDER_TRAIN.1.NOZZLE.DIAMETER:0.8', [0.4, 0.8]],
    [';   extruderDiameter,0.4,0.5', [0.4, 0.5]],
    [';Dimension: 305.000 305.000 605.000 0.400 0.600', [0.4, 0.6]],
    ['; nozzle_diameter = 1e9', [0]],
  ] as const) {
    it(`reads ${comment.replaceAll('\n', ' ')}`, () =>
      assert.deepEqual(printBy([0], comment).nozzleDiameters, diameters));
  }

  for (const [comments, model] of [
    ['; printer_settings_id = My preset\n; printer_model = MK4', 'MK4'],
    ['; printer_model = MK4\n; printer_settings_id = My preset', 'MK4'],
    ['; printer_model = Elegoo OrangeStorm Giga\n;machine: A400', 'Elegoo OrangeStorm Giga'],
    [';machine: A400\n;tool_head: dualExtruderToolheadForSM2', 'A400'],
    [';tool_head: dualExtruderToolheadForSM2\n;machine: A400', 'A400'],
    [';TARGET_MACHINE.NAME:Ultimaker S5', 'Ultimaker S5'],
    [';Printer Type: RAISE3D Pro2 Plus', 'RAISE3D Pro2 Plus'],
    ['; printer_settings_id = "Prusa MK3S"', 'Prusa MK3S'],
    ['; printer_model = Generic Klipper Printer', null],
    ['; printer_model = Generic Marlin', null],
    ['; printer_model = \n; printer_settings_id = MyKlipper 0.4 nozzle', null],
    ['; printer_settings_id = - default FFF -', null],
    [';TARGET_MACHINE.NAME:Custom FFF printer', null],
    ['; printer_model = My Klipper Printer', null],
    ['; printer_model = Generic Klipper Printer\n; printer_settings_id = Voron 2.4', 'Voron 2.4'],
  ] as const) {
    it(`finds ${model ?? 'no machine'} in ${JSON.stringify(comments)}`, () =>
      assert.equal(printBy([0], comments).printerModel, model));
  }

  it('finds the build plate, also in start code', () => {
    assert.equal(printBy([0], '; curr_bed_type = Textured PEI Plate').bedType, 'Textured PEI Plate');
    assert.equal(printBy([0], ';curr_bed_type=High Temp Plate').bedType, 'High Temp Plate');
    assert.equal(printBy([0], '').bedType, null);
  });
});

describe('layers and figures of each slicer', () => {
  for (const [name, slicer, seconds, grams] of [
    ['PrusaSlicer 2.7', 'PrusaSlicer 2.7.1+linux-x64', 90, 0.11],
    ['PrusaSlicer 2.3', 'PrusaSlicer 2.3.3+win64', 90, 0.11],
    ['SuperSlicer', 'SuperSlicer 2.5.59', 90, 0.11],
    ['Slic3r', 'Slic3r 1.3.0', null, null],
    ['OrcaSlicer', 'OrcaSlicer 2.3.1', 90, 0.11],
    ['ElegooSlicer', 'ElegooSlicer 1.3.2.9', 90, 0.11],
    ['Bambu Studio', 'BambuStudio 02.04.00.70', 450, 0.11],
    ['Cura', 'Cura_SteamEngine 5.9.1', 90, null],
    ['Cura with the header of an Ultimaker', 'Cura_SteamEngine', 90, null],
    ['Simplify3D', 'Simplify3D 4.1.2', 60, 0.11],
    ['ideaMaker', 'ideaMaker 4.0.1.4802', 90, 0.11],
    ['KISSlicer', 'KISSlicer', 109.8, null],
    ['Kiri:Moto', 'Kiri:Moto 4.1', 90, null],
    ['Snapmaker Luban', 'Snapmaker Luban 4.15.0', 90, 0.11],
    ['the built-in slicer', 'Platewise 1.0.0', 90, 0.11],
    ['an unknown slicer', null, null, null],
  ] as const) {
    it(`reads the figures of ${name}`, () => {
      const found = ofDialect(name);
      assert.deepEqual([found.slicer, found.slicerSeconds, found.slicerGrams], [slicer, seconds, grams]);
      // Slic3r and an unknown slicer mark no layers: the purge line counts as one
      assert.equal(found.layers, found.partBounds ? 6 : 7);
      assert.equal(found.layerHeight, 0.2, 'Luban’s 80 is the infill speed');
    });
  }

  it('reads durations in words, and ignores placeholders', () => {
    assert.equal(printBy([0], ';   Build time: 1 hour 12 minutes').slicerSeconds, 4320);
    assert.equal(printBy([0], ';   Build Time: 2 hours 5 minutes').slicerSeconds, 7500);
    assert.equal(printBy([0], ';Print time: 40m:36s').slicerSeconds, 2436);
    assert.equal(printBy([0], ';TIME:6666\n;estimated_time(s): 1024').slicerSeconds, 1024);
    assert.equal(printBy([0], '; Estimated Build Time:   332.83 minutes').slicerSeconds, 19969.8);
    assert.equal(printBy([0], ';   Material Weight: 12.34 g (0.03 lb)').slicerGrams, 12.34);
  });

  it('takes the layer height from the file, else the most frequent distance', () => {
    const layers = (heights: readonly number[]) =>
      read(`G28\nM83\n${heights.map((z) => `G1 Z${z}\nG1 X1 Y1\nG1 X9 E1`).join('\n')}\n`);
    // a purge line just below the first layer
    assert.equal(layers([0.28, 0.3, 0.6, 0.9, 1.2]).layerHeight, 0.3);
    assert.equal(layers([0.2, 0.28, 0.48, 0.68, 0.88]).layerHeight, 0.2);
    assert.equal(layers([0.2]).layerHeight, 0);
    assert.equal(layers([0.2, 50]).layerHeight, 0, 'no layer is that high');
    assert.equal(printBy([0], '; layer_height = 0.16').layerHeight, 0.16);
    assert.equal(printBy([0], ';Layer height: 0.12').layerHeight, 0.12);
    assert.equal(printBy([0], ';   layerHeight,0.25').layerHeight, 0.25);
    assert.equal(printBy([0], '; layer_height = nan').layerHeight, 0);
  });

  describe('of a vase', () => {
    const vase = (comments: string, mark: (turn: number) => string = () => '') => {
      const lines = ['G28', 'M83', comments];
      for (const z of [0.2, 0.4]) lines.push(mark(0), `G1 Z${z}`, 'G1 X0 Y0', 'G1 X9 Y0 E1', 'G1 X9 Y9 E1');
      for (let turn = 0; turn < 48; turn++) {
        lines.push(mark(turn + 1));
        for (let step = 1; step <= 40; step++) {
          const angle = (step / 40) * 2 * Math.PI;
          const z = 0.4 + 0.2 * (turn + step / 40);
          lines.push(
            `G1 X${(50 + 9 * Math.cos(angle)).toFixed(3)} Y${(50 + 9 * Math.sin(angle)).toFixed(3)} Z${z.toFixed(4)} E.1`,
          );
        }
      }
      return read(`${lines.join('\n')}\n`);
    };
    for (const [by, found] of [
      ['marks', () => vase('', () => ';LAYER_CHANGE')],
      ['LAYER_COUNT', () => vase(';LAYER_COUNT:50')],
      ['total layers count', () => vase('; total layers count = 50')],
      ['the layer height of the file', () => vase('; layer_height = 0.2')],
      ['the distance of its flat layers', () => vase('')],
    ] as const) {
      it(`counts layers by ${by}`, () => {
        const { layers, layerHeight } = found();
        assert.deepEqual([layers, layerHeight], [50, 0.2]);
      });
    }
  });

  it('counts one layer if start code and slicer both mark it', () => {
    assert.equal(ofDialect('ElegooSlicer').layers, 6);
  });

  it('keeps a bounded amount of data for a file full of heights, tools and comments', () => {
    const lines = ['G28', 'M83'];
    for (let line = 0; line < 200_000; line++) {
      lines.push(`T${line % 70}`, `G1 X${line % 100} Z${line / 100} E1`, `;key ${line}: ${line}`, `MACRO_${line}`);
    }
    const found = read(lines.join('\n'));
    assert.equal(found.tools.length, 64);
    assert.equal(found.badNumbers, 0);
  });

  it('gives the same result as before for a known file', () => {
    const found = read(readFileSync(fixture('models', 'self-prusaslicer250-cube20-artisan.gcode')));
    assert.deepEqual([found.layers, found.layerHeight, found.printerModel], [100, 0.2, 'SnapmakerArtisan']);
  });
});
