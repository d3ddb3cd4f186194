import assert from 'node:assert/strict';
import { fittingSlot, judge } from '../../lib/fit/judge';
import { isAcceptedModel } from '../../lib/fit/models';
import { remarks } from '../../lib/fit/sliced';
import type { FitPrinter } from '../../lib/fit/subject';
import { printerId } from '../../lib/model/ids';
import { artisan, giga, h2d, job, slicedFacts, type Wanted } from './subjects';

type Row = [what: string, wanted: Wanted, printer: FitPrinter, codes: string[]];

const setPin = [{ name: 'SET_PIN', line: 12 }];
const beside = { min: { x: -5, y: 90, z: 0.2 }, max: { x: 110, y: 110, z: 20 } };
const inside = { min: { x: 90, y: 90, z: 0.2 }, max: { x: 110, y: 110, z: 20 } };
const far = { min: { x: -200, y: 0, z: 0 }, max: { x: 100, y: 100, z: 20 } };
const two = [
  { filament: 1, tool: 0, type: 'PLA', colourHex: '101010', grams: 2 },
  { filament: 2, tool: 1, type: 'PETG', colourHex: 'FAFAFA', grams: 2 },
];
const plate = (tool: number): Wanted => ({
  modelKind: 'gcode_3mf',
  sliced: { madeFor: 'O1D', filaments: [{ filament: 3, tool, type: 'PLA', colourHex: null, grams: 4 }], tools: [2] },
});
const prepares = { slicer: 'built-in', trusted: false, archives: false, volumes: false, allowsUntrusted: false };

/** Permanent obstacles: the properties of the file, the job and the printer. */
const permanent: Row[] = [
  ['a model', {}, giga, []],
  ['a model that is too long for one machine', { dimensions: { x: 500, y: 20, z: 20 } }, artisan, ['too_large']],
  ['the same model on another machine', { dimensions: { x: 500, y: 20, z: 20 } }, giga, []],
  ['a model that fits when turned', { dimensions: { x: 300, y: 324, z: 20 } }, h2d, []],
  ['a material that the machine does not print', { materialType: 'ABS' }, giga, ['material_type']],
  ['more heat than the nozzle allows', { nozzleTemperature: 320 }, giga, ['nozzle_heat']],
  ['more heat than the bed allows', { bedTemperature: 120 }, giga, ['bed_heat']],
  ['a job that is forced to another printer', { forcePrinter: printerId('h2d') }, giga, ['forced_elsewhere']],
  ['a layer height above the limit of its nozzle', { layerHeight: 0.33 }, giga, ['layer_height']],
  ['the maximum layer height of its nozzle', { layerHeight: 0.32 }, giga, []],
  ['a file for this machine', { sliced: {} }, giga, []],
  ['a file for another machine', { sliced: {} }, artisan, ['machine_model']],
  ['a file for an Ender', { sliced: { madeFor: 'Ender-3 V3' } }, artisan, ['machine_model']],
  ['a file that names no machine', { sliced: { madeFor: null } }, giga, ['unknown_machine']],
  ['the same, accepted by the submitter', { sliced: { madeFor: null }, acceptUnknownMachine: true }, giga, []],
  [
    "an acceptance that does not override the file's own statement",
    { sliced: {}, acceptUnknownMachine: true },
    artisan,
    ['machine_model'],
  ],
  ['a plate for a P1S', { ...plate(0), sliced: { ...plate(0).sliced, madeFor: 'C12' } }, h2d, ['machine_model']],
  ['a plate for the H2D', plate(0), h2d, []],
  ['a plate for a Bambu on another make', plate(0), giga, ['file_kind']],
  ['a plate for the left nozzle, which a slot feeds', plate(1), h2d, []],
  [
    'a plate for the left nozzle, which no slot feeds',
    plate(1),
    { ...h2d, slots: h2d.slots.filter(({ tool }) => tool === 0) },
    ['tool'],
  ],
  [
    'a file for the second nozzle',
    { sliced: { madeFor: 'A400', tools: [1] }, material: 'petg' },
    artisan,
    ['filament_type'],
  ],
  ['a file for a nozzle that is not there', { sliced: { tools: [1], filaments: [] } }, giga, ['tool']],
  ['a file for the wrong nozzle', { sliced: { nozzleDiameters: [0.8] } }, giga, ['nozzle_diameter']],
  [
    'a file for the nozzle that is mounted',
    { sliced: { nozzleDiameters: [0.8] } },
    { ...giga, mountedNozzles: [0.8] },
    [],
  ],
  [
    'a plate that names no nozzle, for a machine with two',
    { ...plate(0), sliced: { ...plate(0).sliced, filaments: [] } },
    h2d,
    ['tool'],
  ],
  [
    'a file that names one filament and prints with two tools',
    { sliced: { tools: [0, 1] } },
    giga,
    ['several_filaments'],
  ],
  [
    'a model for the left nozzle of a Bambu whose slicer knows only the right one',
    {},
    {
      ...h2d,
      slots: h2d.slots.filter(({ tool }) => tool === 1),
      preparation: { slicer: 'orca-slicer', trusted: true, archives: true, volumes: true, allowsUntrusted: false },
    },
    ['tool'],
  ],
  ['a file for a nozzle that can be mounted', { sliced: { nozzleDiameters: [0.6] } }, giga, []],
  ['a file for another type of filament', { sliced: {}, material: 'petg' }, giga, ['filament_type']],
  ['a file in two filaments', { sliced: { filaments: two, tools: [0, 1] } }, giga, ['several_filaments']],
  [
    'a file with two tools that names no filament',
    { sliced: { filaments: [], tools: [0, 1] } },
    giga,
    ['several_filaments'],
  ],
  ['a file that is too hot for its material', { sliced: { nozzleTemperature: 290 } }, giga, ['file_temperature']],
  [
    'the same, too hot for the machine as well',
    { sliced: { nozzleTemperature: 330 } },
    giga,
    ['file_temperature', 'file_nozzle_heat'],
  ],
  [
    'a file that prints beside the bed',
    { sliced: { box: beside, madeFor: null }, acceptUnknownMachine: true },
    giga,
    ['outside_volume'],
  ],
  ["the maker's own purge line", { sliced: { box: beside, partBox: inside } }, giga, []],
  [
    'a file that moves far outside the bed',
    { sliced: { travelBox: far, madeFor: null }, acceptUnknownMachine: true },
    giga,
    ['travels_outside'],
  ],
  ['a file that extrudes nothing', { sliced: { extrudingMoves: 0 } }, giga, ['extrudes_nothing']],
  ['a file with invalid numbers', { sliced: { badNumbers: 2 } }, giga, ['bad_numbers']],
  ['a file that is cut off', { sliced: { complete: false } }, giga, ['incomplete']],
  ['a file that may be complete', { sliced: { complete: null } }, giga, []],
  ['a file that flashes firmware', { sliced: { dangerousCommands: ['M997'] } }, giga, ['dangerous_commands']],
  [
    'a macro that heats too much',
    { sliced: { hottest: { nozzle: 500, bed: 60, chamber: 0 } } },
    giga,
    ['file_nozzle_heat'],
  ],
  ['a bed heater by its name', { sliced: { hottest: { nozzle: 210, bed: 150, chamber: 0 } } }, giga, ['file_bed_heat']],
  [
    'a chamber hotter than any enclosure',
    { sliced: { hottest: { nozzle: 0, bed: 0, chamber: 200 } } },
    giga,
    ['file_chamber_heat'],
  ],
  [
    'a chamber temperature that the printer supports',
    { sliced: { hottest: { nozzle: 0, bed: 0, chamber: 100 } } },
    { ...giga, capabilities: { ...giga.capabilities, maxChamberTemperature: 110 } },
    [],
  ],
  ['a command that no slicer writes', { sliced: { extendedCommands: setPin } }, giga, ['extended_commands']],
  [
    'a macro that the owner has allowed',
    { sliced: { extendedCommands: setPin } },
    { ...giga, capabilities: { ...giga.capabilities, allowedMacros: ['set_pin'] } },
    [],
  ],
  ['line ends that Klipper reads differently', { sliced: { loneReturns: 1 } }, giga, ['line_ends']],
  ['settings in the start code of this model', { sliced: { vendorCommands: ['M500'] } }, giga, []],
  [
    'settings in a file of unknown origin',
    { sliced: { vendorCommands: ['M500'], madeFor: null }, acceptUnknownMachine: true },
    giga,
    ['vendor_commands'],
  ],
  ['G-code with T1 for a Bambu', { sliced: { madeFor: 'O1D', tools: [1], filaments: [] } }, h2d, ['tool']],
  [
    'a part on an excluded corner',
    { sliced: { partBox: { min: { x: 1, y: 1, z: 0.2 }, max: { x: 30, y: 30, z: 5 } } } },
    {
      ...giga,
      capabilities: { ...giga.capabilities, bedExclusions: [{ min: { x: 0, y: 0 }, max: { x: 18, y: 28 } }] },
    },
    ['excluded_area'],
  ],
  ['a model without a trusted slicer', {}, { ...giga, preparation: prepares }, ['untrusted_slicer']],
  [
    'a model for a Bambu without a slicer for it',
    {},
    { ...h2d, preparation: { ...prepares, trusted: true } },
    ['untrusted_file'],
  ],
  [
    'G-code for a Bambu',
    { sliced: { madeFor: 'O1D' } },
    { ...h2d, preparation: { ...prepares, trusted: true } },
    ['untrusted_file'],
  ],
  ['a sliced plate for a Bambu', plate(0), { ...h2d, preparation: prepares }, []],
  [
    'a project with a modifier, and no slicer that supports it',
    { volumes: ['modifier'] },
    { ...giga, preparation: { ...prepares, allowsUntrusted: true } },
    ['project_volumes'],
  ],
];

describe('the judgement of fit', () => {
  for (const [what, wanted, printer, codes] of permanent) {
    it(`${codes.length === 0 ? 'takes' : 'refuses'} ${what}`, () => {
      const { fits, reasons } = judge(job(wanted), printer);
      assert.deepEqual(
        reasons.filter((reason) => reason.permanent).map(({ code }) => code),
        codes,
      );
      assert.equal(fits, codes.length === 0);
      for (const { text, remedy } of reasons) {
        assert.match(text, /^[A-Z].*\.$/);
        assert.match(remedy, /^[A-Z].*\.$/);
      }
    });
  }

  it('lists every reason at once, and names both types of filament', () => {
    const { reasons } = judge(job({ sliced: { complete: false, nozzleDiameters: [0.8] }, material: 'petg' }), artisan);
    assert.deepEqual(
      reasons.map(({ code }) => code),
      ['incomplete', 'filament_type', 'machine_model', 'nozzle_diameter'],
    );
    assert.match(
      reasons.find(({ code }) => code === 'filament_type')?.text ?? '',
      /sliced for PLA; PETG white is PETG/,
    );
  });

  it('lists every filament of a file that uses several', () => {
    const { reasons } = judge(job({ sliced: { filaments: two, tools: [0, 1] } }), giga);
    assert.match(reasons[0]?.text ?? '', /1 PLA #101010, 2 PETG #FAFAFA/);
  });

  const present: [what: string, wanted: Wanted, printer: FitPrinter, codes: string[]][] = [
    ['nothing', {}, giga, []],
    ['a printer that is offline', {}, { ...giga, online: false }, ['offline']],
    [
      'a printer that was set up but never connected',
      {},
      { ...giga, online: false, neverConnected: true },
      ['never_connected'],
    ],
    ['a print', {}, { ...giga, busy: { with: 'a cube' } }, ['busy']],
    ['an occupied bed', {}, { ...giga, bed: 'occupied', bedCause: 'unknown' }, ['bed']],
    ['missing filament', { material: 'petg' }, giga, ['filament']],
    ['a spool with too little', { grams: 1200 }, giga, ['filament']],
    ['a nozzle to change', { sliced: { nozzleDiameters: [0.6] } }, giga, ['nozzle_change']],
    [
      'another build plate',
      { sliced: { bedType: 'Cool Plate' } },
      { ...giga, buildPlate: 'Textured PEI Plate' },
      ['build_plate'],
    ],
    [
      'the same build plate in other words',
      { sliced: { bedType: 'textured_plate' } },
      { ...giga, buildPlate: 'Textured PEI Plate' },
      [],
    ],
    ['a fault', {}, { ...giga, state: 'fault' }, ['fault']],
  ];
  for (const [what, wanted, printer, codes] of present) {
    it(`lets the job wait for ${what}, and fits`, () => {
      const { fits, now, reasons } = judge(job(wanted), printer);
      assert.deepEqual(
        reasons.map(({ code }) => code),
        codes,
      );
      assert.equal(fits, true);
      assert.equal(now, codes.length === 0);
    });
  }

  it('chooses a slot whose tool can print the job', () => {
    assert.equal(fittingSlot(job(plate(0)), h2d)?.slot, 'ams0-0');
    assert.equal(fittingSlot(job(plate(1)), h2d)?.slot, 'ext-left');
    const onlyLeft = { ...h2d, slots: h2d.slots.map((slot) => ({ ...slot, tool: 1 })) };
    assert.equal(fittingSlot(job(plate(0)), onlyLeft), null);
    assert.equal(fittingSlot(job({ material: 'petg' }), artisan)?.tool, 1);
  });

  it('warns about another colour and an unusual temperature', () => {
    const { print } = job({ sliced: {} });
    assert.ok(print);
    assert.deepEqual(remarks(slicedFacts(), print), []);
    const [red] = slicedFacts().filaments;
    assert.ok(red);
    const odd = slicedFacts({ nozzleTemperature: 245, filaments: [{ ...red, colourHex: 'FF0000' }] });
    const told = remarks(odd, print).join(' ');
    assert.match(told, /sliced in #FF0000; PLA black is #101010/);
    assert.match(told, /245 °C/);
  });
});

describe('names of models', () => {
  const same: [string, string][] = [
    ['Snapmaker Artisan (0.4 nozzle)', 'Snapmaker Artisan'],
    ['Bambu Lab H2D 0.4 nozzle', 'Bambu Lab H2D'],
    ['OrangeStormGiga', 'Elegoo OrangeStorm Giga'],
    ['BambuH2D', 'Bambu Lab H2D'],
    ['elegoo orangestorm giga', 'Elegoo OrangeStorm Giga'],
  ];
  for (const [named, accepted] of same) {
    it(`"${named}" is ${accepted}`, () => assert.equal(isAcceptedModel(named, [accepted]), true));
  }
  const different: [string, string][] = [
    ['Bambu Lab H2D Pro', 'Bambu Lab H2D'],
    ['Ender-3 V3 KE', 'Ender-3 V3'],
    ['Creality K1', 'Voron K1'],
    ['', 'Bambu Lab H2D'],
    ['Elegoo', 'Elegoo OrangeStorm Giga'],
  ];
  for (const [named, accepted] of different) {
    it(`"${named}" is not ${accepted}`, () => assert.equal(isAcceptedModel(named, [accepted]), false));
  }
});
