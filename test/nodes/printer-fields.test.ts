import assert from 'node:assert/strict';
import { bambuModels } from '../../lib/makes/bambu/models';
import { describePrinter, slotsFromReport } from '../../lib/makes/describe-printer';
import { volumeTo } from '../../lib/makes/model-table';
import { anyKlipper, orangeStormGiga } from '../../lib/makes/moonraker/models';
import { MalformedInputError } from '../../lib/model/errors';
import { type CapabilityFields, readCapabilities } from '../../nodes/printer/printer-fields';

const read = (fields: CapabilityFields) => readCapabilities(fields, (slot) => (slot === 'extruder1' ? 1 : 0));

describe("The capabilities in a printer's form", () => {
  it('are empty if the form is, or comes from a flow of an earlier version', () => {
    assert.deepEqual(read({}), { capabilities: {} });
    const empty = { buildX: '', buildY: '', buildZ: '', slots: '', nozzles: ' ', materials: '' };
    assert.deepEqual(read(empty), { capabilities: {} });
  });

  it('are read field by field, each separately', () => {
    assert.deepEqual(read({ slots: 'ams0-0, ams1-0=1,,extruder1' }).slots, [
      { slot: 'ams0-0', tool: 0 },
      { slot: 'ams1-0', tool: 1 },
      { slot: 'extruder1', tool: 1 },
    ]);
    const { capabilities, model } = read({
      model: 'O1D',
      ...{ buildX: 300, buildY: '310', buildZ: '320.5' },
      nozzles: '0.4, 0.6',
      nozzleChoices: 0.8,
      ...{ maxNozzleTemperature: '320', maxBedTemperature: 110, maxChamberTemperature: '70' },
      allowedMacros: 'line_purge, _CLEAN',
      materials: 'pla, PA-CF',
      toolVolumes: '25,0,0-350,320,325; -5, 0, 0 - 325, 320, 320',
      bedExclusions: '0,0-18,28;153,235-216,256',
      buildPlate: 'Textured PEI Plate',
      acceptsModels: 'Bambu Lab H2D, O1D',
    });
    assert.equal(model, 'O1D');
    assert.deepEqual(capabilities, {
      buildVolume: volumeTo(300, 310, 320.5),
      nozzleDiameters: [0.4, 0.6],
      nozzleChoices: [0.8],
      maxNozzleTemperature: 320,
      maxBedTemperature: 110,
      maxChamberTemperature: 70,
      allowedMacros: ['LINE_PURGE', '_CLEAN'],
      materialTypes: ['PLA', 'PA-CF'],
      toolVolumes: [
        { min: { x: 25, y: 0, z: 0 }, max: { x: 350, y: 320, z: 325 } },
        { min: { x: -5, y: 0, z: 0 }, max: { x: 325, y: 320, z: 320 } },
      ],
      bedExclusions: [
        { min: { x: 0, y: 0 }, max: { x: 18, y: 28 } },
        { min: { x: 153, y: 235 }, max: { x: 216, y: 256 } },
      ],
      buildPlate: 'Textured PEI Plate',
      acceptsModels: ['Bambu Lab H2D', 'O1D'],
    });
    assert.deepEqual(read({ bedExclusions: 'none' }).capabilities, { bedExclusions: [] });
  });

  const bad: [keyof CapabilityFields, CapabilityFields][] = [
    ['buildY', { buildX: '300', buildZ: '300' }],
    ['buildX', { buildX: '-3', buildY: '3', buildZ: '3' }],
    ['nozzles', { nozzles: '0,4' }],
    ['nozzles', { nozzles: Array(17).fill('0.4').join() }],
    ['nozzleChoices', { nozzleChoices: 'big' }],
    ['maxNozzleTemperature', { maxNozzleTemperature: '30' }],
    ['maxBedTemperature', { maxBedTemperature: 'warm' }],
    ['maxChamberTemperature', { maxChamberTemperature: '500' }],
    ['allowedMacros', { allowedMacros: 'CLEAN; M112' }],
    ['allowedMacros', { allowedMacros: 'G1 X-9' }],
    ['materials', { materials: 'PLA, <b>' }],
    ['toolVolumes', { toolVolumes: '0,0-300,300' }],
    ['toolVolumes', { toolVolumes: '300,0,0-0,300,300' }],
    ['bedExclusions', { bedExclusions: '0,0-18' }],
    ['bedExclusions', { bedExclusions: ';' }],
    ['buildPlate', { buildPlate: 'x'.repeat(101) }],
    ['acceptsModels', { acceptsModels: `Artisan, ${'x'.repeat(101)}` }],
    ['slots', { slots: 'a, a' }],
    ['slots', { slots: 'a=16' }],
    ['slots', { slots: 'a=left' }],
    ['slots', { slots: 'x'.repeat(21) }],
    ['slots', { slots: 'ams0-0, ams1-0=1', nozzles: '0.4' }],
  ];
  for (const [field, fields] of bad) {
    it(`are rejected with field, value and remedy: ${JSON.stringify(fields).slice(0, 60)}`, () => {
      assert.throws(
        () => read(fields),
        (error) => {
          assert.ok(error instanceof MalformedInputError);
          const told = error.errors.find((one) => one.field === field);
          assert.ok(
            told && told.remedy.length > 20 && error.message.includes(field) && error.message.includes(told.remedy),
          );
          return true;
        },
      );
    });
  }

  it('list every invalid field at once', () => {
    assert.throws(
      () => read({ nozzles: 'x', maxBedTemperature: 'y', slots: '=' }),
      (error) => error instanceof MalformedInputError && error.errors.length === 3,
    );
  });
});

describe('The capabilities of a printer', () => {
  const bambu = { models: bambuModels, fallback: anyKlipper, given: {} };
  const x1c = bambuModels.find(({ token }) => token === 'BL-P001');
  const h2d = bambuModels.find(({ token }) => token === 'O1D');

  it('are those of the model that its owner chose, else the reported one, else the previous one', () => {
    const by = (facts: object) => describePrinter({ ...bambu, ...facts }).model;
    const stored = h2d?.capabilities;
    const reported = { model: 'BL-P001' };
    assert.deepEqual(
      [by({ chosen: 'N1', reported, stored }), by({ reported, stored }), by({ stored })],
      ['N1', 'BL-P001', 'O1D'],
    );
    assert.deepEqual(describePrinter({ ...bambu, reported }), x1c?.capabilities);
  });

  it('keep the hourly cost and power, and drop what its owner withdrew', () => {
    const giga = { models: [], fallback: orangeStormGiga };
    const before = describePrinter({ ...giga, given: { maxBedTemperature: 60, watts: 90 } });
    const stored = { ...before, usdPerHour: 7 };
    const after = describePrinter({ ...giga, given: {}, stored });
    assert.deepEqual([after.maxBedTemperature, after.usdPerHour, after.watts], [110, 7, 90]);
  });

  it('stay unchanged until a printer without a model in the table has reported its size', () => {
    const klipper = { models: [], fallback: anyKlipper, given: {} };
    const reported = { buildVolume: volumeTo(350, 350, 340), maxNozzleTemperature: 300 };
    const stored = describePrinter({ ...klipper, reported });
    assert.deepEqual(stored.buildVolume, volumeTo(350, 350, 340));
    assert.deepEqual(describePrinter({ ...klipper, stored }), stored);
    const grown = { ...reported, buildVolume: volumeTo(400, 400, 400) };
    assert.deepEqual(describePrinter({ ...klipper, stored, reported: grown }).buildVolume, volumeTo(400, 400, 400));
  });

  it("include the reported slots, and a Bambu's external spool only if it has no AMS", () => {
    const beside = { slot: 'ext-right', tool: 0, present: null };
    const tray = { slot: 'ams1-0', tool: 1, present: true };
    assert.deepEqual(slotsFromReport('bambu', [tray, beside]), [{ slot: 'ams1-0', tool: 1 }]);
    assert.deepEqual(slotsFromReport('bambu', [beside]), [{ slot: 'ext-right', tool: 0 }]);
    assert.deepEqual(slotsFromReport('moonraker', [{ slot: 'extruder1', present: null }]), [
      { slot: 'extruder1', tool: 1 },
    ]);
    assert.deepEqual(slotsFromReport('snapmaker', [{ slot: 'nozzle1', present: null }]), []);
  });
});
