import assert from 'node:assert/strict';
import { slicedFacts as factsOf } from '../../lib/files/facts';
import { GcodeReader } from '../../lib/files/gcode';
import { extendedReasons } from '../../lib/fit/extended';
import { flaws, machineReasons } from '../../lib/fit/sliced';
import type { SlicedFacts } from '../../lib/model/sliced-facts';
import { dialects } from '../support/gcode-dialects';
import { artisan, giga, h2d, slicedFacts } from './subjects';

const read = (text: string): SlicedFacts => {
  const reader = new GcodeReader();
  reader.push(Buffer.from(text));
  return factsOf(reader.finish());
};

describe('The named commands that untrusted G-code may call', () => {
  for (const { name, text } of dialects) {
    it(`is what ${name} writes`, () => {
      assert.deepEqual(extendedReasons(read(text), giga), []);
    });
  }

  const usual = [
    'START_PRINT BED=60',
    'PRINT_START BED_TEMP=60 EXTRUDER_TEMP=210',
    'EXCLUDE_OBJECT_DEFINE NAME=a CENTER=1,2',
    'EXCLUDE_OBJECT_START NAME=a',
    'EXCLUDE_OBJECT_END NAME=a',
    'EXCLUDE_OBJECT NAME=a',
    'SET_VELOCITY_LIMIT ACCEL=5000',
    'SET_PRESSURE_ADVANCE ADVANCE=0.04',
    'TIMELAPSE_TAKE_FRAME',
    'SET_PRINT_STATS_INFO TOTAL_LAYER=12',
    'SET_FAN_SPEED FAN=aux SPEED=0.5',
    'SET_RETRACTION RETRACT_LENGTH=1',
    'G10',
    'G11',
    'M117 hello',
    'T0',
    'PRINT_END',
    'END_PRINT',
  ];
  it('include those that slicers write into every file for Klipper', () => {
    assert.deepEqual(extendedReasons(read(`G28\n${usual.join('\n')}\n`), giga), []);
  });

  const hostile = [
    'PID_CALIBRATE HEATER=extruder TARGET=300',
    'SET_PIN PIN=heater VALUE=1',
    'MANUAL_STEPPER STEPPER=z MOVE=-50',
    'SDCARD_PRINT_FILE FILENAME=other.gcode',
    'UPDATE_DELAYED_GCODE ID=x DURATION=1',
    'TUNING_TOWER COMMAND=SAVE_CONFIG PARAMETER=X START=0 FACTOR=1',
    'SAVE_CONFIG',
    'SAVE_VARIABLE VARIABLE=offset VALUE=-5',
    'RESTORE_GCODE_STATE NAME=a MOVE=1',
    'SET_STEPPER_ENABLE STEPPER=stepper_z ENABLE=0',
    'ANY_MACRO_OF_THE_OWNER',
  ];
  for (const line of hostile) {
    const [command = ''] = line.split(' ');
    it(`do not include ${command}: the error names it, its line and the remedy`, () => {
      for (const disguised of [line, line.toLowerCase(), `; harmless\r${line}`, `N7 ${line}`]) {
        const facts = read(`G28\n${disguised}\n`);
        const [reason] = extendedReasons(facts, giga);
        assert.match(reason?.text ?? '', new RegExp(`\\b${command} in line [23]\\b`), disguised);
        assert.match(reason?.remedy ?? '', /allowed macros/);
        assert.equal(extendedReasons(facts, artisan).length, 1, 'nor on a machine without Klipper');
        assert.equal(extendedReasons(facts, h2d).length, 1);
      }
    });
  }

  it('are listed up to a limit in the error', () => {
    const extendedCommands = Array.from({ length: 9 }, (_, index) => ({ name: `MACRO_${index}`, line: index + 1 }));
    const [reason] = extendedReasons(slicedFacts({ extendedCommands }), giga);
    assert.match(reason?.text ?? '', /MACRO_4 in line 5 and 4 more\.$/);
  });
});

describe('A command that no G-code may contain', () => {
  for (const line of [
    'M851 Z-5',
    'M290 Z-5',
    'M42 P5 S255',
    'M808 L9',

    'G26',
    'G5 X1 Y2',
    'G59.1',
    'G18',
  ]) {
    const [command = ''] = line.split(' ');
    it(`is rejected with its line: ${command}`, () => {
      const texts = flaws(read(`G28\nG1 X1\n${line}\n`)).map(({ text }) => text);
      assert.ok(
        texts.some((text) => text.includes(`${command} in line 3`)),
        texts.join(),
      );
    });
  }

  it('heats a part of the machine beyond its limit', () => {
    for (const [line, code] of [
      ['SET_HEATER_TEMPERATURE HEATER=extruder TARGET=500', 'file_nozzle_heat'],
      ['SET_HEATER_TEMPERATURE HEATER=heater_bed TARGET=150', 'file_bed_heat'],
      ['M141 S200', 'file_chamber_heat'],
      ['START_PRINT EXTRUDER=500', 'file_nozzle_heat'],
    ] as const) {
      const reasons = machineReasons(read(`G28\n${line}\n`), giga, [0], true);
      assert.deepEqual(
        reasons.map((reason) => reason.code),
        [code],
        line,
      );
    }
  });
});
