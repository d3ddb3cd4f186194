import { strict as assert } from 'node:assert';
import { filamentOf, gramsOf } from '../../lib/simulators/filament';
import { GcodeEstimator, type GcodeFacts } from '../../lib/simulators/gcode-duration';
import type { PrintJob } from '../../lib/simulators/print-run';
import { extrudedTools } from '../../lib/simulators/tool-truth';
import { extrudedBy, type ToolRules } from '../../lib/simulators/tool-use';

const klipper: ToolRules = { firmware: 'klipper', count: 2, selectable: true, first: 0 };
const oneExtruder: ToolRules = { ...klipper, count: 1, selectable: false };
const marlin: ToolRules = { ...klipper, firmware: 'marlin' };
const bambu: ToolRules = { firmware: 'bambu', count: 64, selectable: true, first: 0 };

function read(rules: ToolRules, ...lines: string[]): GcodeFacts {
  const estimator = new GcodeEstimator(rules);
  for (const line of lines) estimator.line(line);
  return estimator.finish(0);
}

/** mm by tool. */
function used(facts: GcodeFacts): [number, number][] {
  return facts.extrusions.map(({ tool, millimetres }) => [tool, millimetres]);
}

const HOT = ['M83', 'M104 S210', 'M104 T1 S210'];

describe('The tools of a file, as read by the simulators', () => {
  it('are selected by T words, and on Klipper by ACTIVATE_EXTRUDER', () => {
    for (const rules of [klipper, marlin]) {
      assert.deepEqual(used(read(rules, ...HOT, 'G1 X9 E1', 'T1 ; white', 'G1 X0 E2', 'T0', 'G1 X9 E4')), [
        [0, 5],
        [1, 2],
      ]);
    }
    assert.deepEqual(used(read(klipper, ...HOT, 'ACTIVATE_EXTRUDER EXTRUDER=extruder1', 'G1 X9 E1')), [[1, 1]]);
    assert.deepEqual(used(read(marlin, ...HOT, 'ACTIVATE_EXTRUDER EXTRUDER=extruder1', 'G1 X9 E1')), [[0, 1]]);
  });

  it('stay unchanged by a word for a missing tool', () => {
    assert.deepEqual(used(read(oneExtruder, 'M83', 'M104 S210', 'T1', 'G1 X9 E1')), [[0, 1]]);
    assert.deepEqual(used(read(marlin, ...HOT, 'T2', 'G1 X9 E1')), [[0, 1]]);
    assert.deepEqual(used(read(bambu, 'M83', 'T3', 'G1 X9 E1', 'T1000', 'T255', 'G1 X0 E1')), [[3, 2]]);
    assert.equal(
      read(klipper, ...HOT, 'ACTIVATE_EXTRUDER EXTRUDER=extruder7', 'G1 X9 E1').error?.message,
      "The value 'extruder7' is not valid for EXTRUDER",
    );
    assert.equal(read(oneExtruder, 'M104 T1 S210').error?.message, 'Extruder not configured');
    assert.equal(read(oneExtruder, 'M104 T1 S0').error, undefined);
  });

  it('start over at 0 when Klipper changes the extruder, and continue where they were on Marlin', () => {
    const file = ['M82', 'M104 S210', 'M104 T1 S210', 'G92 E0', 'G1 X9 E5', 'T1', 'G1 X0 E6'];
    assert.deepEqual(used(read(klipper, ...file)), [
      [0, 5],
      [1, 6],
    ]);
    assert.deepEqual(used(read(marlin, ...file)), [
      [0, 5],
      [1, 1],
    ]);
  });

  it('extrude nothing for a retraction that is pushed forward again', () => {
    assert.deepEqual(used(read(klipper, ...HOT, 'G1 X9 E3', 'G1 E-0.8', 'G1 X0', 'G1 E0.8', 'G1 X9 E1')), [[0, 4]]);
  });

  it('extrude nothing while cold: Klipper ends the print, Marlin moves on, each by its own heater', () => {
    const file = ['M83', 'M104 S210', 'G1 X9 E1', 'T1', 'G1 X0 E1', 'T0', 'G1 X9 E1'];
    const ended = read(klipper, ...file);
    assert.match(ended.error?.message ?? '', /^Extrude below minimum temp\n/);
    assert.deepEqual(used(ended), [[0, 1]]);
    assert.deepEqual(used(read(marlin, ...file)), [[0, 2]]);
    assert.deepEqual(used(read(klipper, 'M83', 'M104 T1 S210', 'T1', 'G1 X9 E1')), [[1, 1]]);
    assert.deepEqual(read(klipper, 'M83', 'M104 T1 S210', 'T1', 'G1 X9 E1').nozzleTargets, [0, 210]);
    assert.ok(read(klipper, 'M83', 'M104 S210', 'M104 S0', 'G1 X9 E1').error);
    assert.deepEqual(used(read(klipper, 'PRINT_START EXTRUDER_TEMP=215 BED_TEMP=60', 'M83', 'G1 X9 E1')), [[0, 1]]);
  });

  it('extrude within their own time', () => {
    const half = { millimetres: 10, from: 0.5, to: 1 };
    assert.deepEqual(
      [0.4, 0.5, 0.75, 1].map((fraction) => extrudedBy(half, fraction)),
      [0, 0, 5, 10],
    );
  });
});

describe("The truth log of a print's tools", () => {
  const white = filamentOf('pla_white_esun');
  const red = filamentOf('pla_red_esun');
  const jobOf = (feeds: PrintJob['feeds']): { job: PrintJob } => ({ job: { feeds } as PrintJob });
  const whole = { millimetres: 1000, from: 0, to: 1 };

  it("has the material of each tool's slot, and its grams", () => {
    const run = jobOf([{ ...whole, tool: 1, slot: 'nozzle1' }]);
    const fed = { nozzle1: [{ from: 0, filament: white }] };
    const [told] = extrudedTools({ ...run, fed }, 1);
    assert.deepEqual([told?.tool, told?.material], [1, 'pla_white_esun']);
    // A metre of PLA of 1.75 mm weighs about 2.98 g.
    assert.ok(Math.abs((told?.grams ?? 0) - 2.983) < 0.001, String(told?.grams));
    assert.ok(Math.abs(gramsOf(1000, white) - 2.983) < 0.001);
    assert.ok(Math.abs((extrudedTools({ ...run, fed }, 0.25)[0]?.grams ?? 0) - 0.746) < 0.001);
    assert.deepEqual(extrudedTools({ ...run, fed }, 0), []);
  });

  it('distinguishes a spool that was changed during the print, and an empty slot', () => {
    const fed = {
      nozzle0: [
        { from: 0, filament: white },
        { from: 0.5, filament: red },
      ],
      nozzle1: [{ from: 0, filament: null }],
    };
    const run = jobOf([
      { ...whole, tool: 0, slot: 'nozzle0' },
      { ...whole, tool: 1, slot: 'nozzle1' },
    ]);
    assert.deepEqual(extrudedTools({ ...run, fed }, 1), [
      { tool: 0, material: 'pla_white_esun', grams: 1.491 },
      { tool: 0, material: 'pla_red_esun', grams: 1.491 },
      { tool: 1, material: null, grams: 0 },
    ]);
  });

  it('takes type, colour and density from the load, or from the name', () => {
    assert.deepEqual(filamentOf('pacf_black_bambu'), {
      material: 'pacf_black_bambu',
      type: 'PA-CF',
      colour: '000000',
      density: 1.09,
    });
    assert.deepEqual(filamentOf({ material: 'pla_white_esun', type: 'PETG', colour_hex: 'f5f5f5', density: 1.3 }), {
      material: 'pla_white_esun',
      type: 'PETG',
      colour: 'F5F5F5',
      density: 1.3,
    });
    assert.throws(() => filamentOf({ material: '' }), /Say which/);
    assert.throws(() => filamentOf({ material: 'pla', colour_hex: 'white' }), /six hexadecimal digits, not "white"/);
    assert.throws(() => filamentOf({ material: 'pla', density: 0 }), /more than 0, not "0"/);
  });
});
