import assert from 'node:assert/strict';
import type { GcodeAnalysis } from '../../lib/files/analysis';
import { GcodeReader } from '../../lib/files/gcode';

function read(text: string, chunk = text.length): GcodeAnalysis {
  const reader = new GcodeReader();
  const bytes = Buffer.from(text, 'latin1');
  for (let at = 0; at < bytes.length; at += Math.max(1, chunk))
    reader.push(bytes.subarray(at, at + Math.max(1, chunk)));
  return reader.finish();
}
const names = (text: string): string[] => read(`G28\n${text}\n`).extendedCommands.map(({ name }) => name);

describe('The ends of lines in G-code', () => {
  for (const [name, end] of [
    ['line feeds', '\n'],
    ['both', '\r\n'],
    ['carriage returns', '\r'],
  ] as const) {
    it(`may be ${name}, in pieces of any size`, () => {
      const text = ['G28', '; a comment', 'G1 X10', '', 'M997', 'SET_PIN PIN=a', ''].join(end);
      for (let chunk = 1; chunk <= text.length; chunk++) {
        const { dangerousCommands, commandLines, extendedCommands, lines, loneReturns } = read(text, chunk);
        assert.deepEqual([dangerousCommands, commandLines], [['M997'], { M997: 5 }], `pieces of ${chunk}`);
        assert.deepEqual(extendedCommands, [{ name: 'SET_PIN', line: 6 }]);
        assert.equal(lines, 6);
        assert.equal(loneReturns > 0, end === '\r');
      }
    });
  }

  it('hide nothing behind a comment', () => {
    assert.deepEqual(read('G28\n; harmless\rM112\n').dangerousCommands, ['M112']);
    assert.equal(read('G28\nG1 X10\r\r\nG1 X20\n').loneReturns, 0, 'a superfluous one');
  });
});

describe('Commands with names', () => {
  it('are recorded with the line of their first occurrence', () => {
    const { extendedCommands } = read('G28\nstart_print BED=60\nSET_PIN PIN=a VALUE=1\nG1 X1\nSET_PIN PIN=a VALUE=0\n');
    assert.deepEqual(extendedCommands, [
      { name: 'START_PRINT', line: 2 },
      { name: 'SET_PIN', line: 3 },
    ]);
  });

  it('are found behind line numbers and after non-letters', () => {
    for (const line of ['N10 SET_PIN PIN=a', 'N SET_PIN', 'N-1.5 SET_PIN', '  set_pin', '\tSET_PIN\tPIN=a']) {
      assert.deepEqual(names(line), ['SET_PIN'], line);
    }
    assert.deepEqual(names('NOZZLE_CLEAN'), ['NOZZLE_CLEAN'], 'a name that begins with N');
    for (const line of ['1 SET_PIN PIN=a', '%SET_PIN', '(SET_PIN)', '"SET_PIN"', 'Y2000']) {
      assert.equal(names(line).length, 1, line);
      assert.ok(!names(line).includes('SET_PIN'), line);
    }
    assert.deepEqual(names('%\n*\n;SET_PIN\n12 ; SET_PIN\nN5 G1 X1*33\nT1\nT255\nG1 X5 ; SET_PIN'), []);
    assert.deepEqual(read('\u00ef\u00bb\u00bfSET_PIN PIN=a\nG28\n').extendedCommands[0]?.name, 'SET_PIN');
  });
});

describe('The temperatures that a file requests', () => {
  const cases: [string, Partial<GcodeAnalysis['hottest']>][] = [
    ['M104 S500', { nozzle: 500 }],
    ['M109 T1 R410', { nozzle: 410 }],
    ['m140 s150', { bed: 150 }],
    ['M190 R150', { bed: 150 }],
    ['M141 S200', { chamber: 200 }],
    ['M191 S200', { chamber: 200 }],
    ['SET_HEATER_TEMPERATURE HEATER=extruder TARGET=500', { nozzle: 500 }],
    ['set_heater_temperature target=500 heater=extruder1 ; hot', { nozzle: 500 }],
    ['SET_HEATER_TEMPERATURE HEATER="extruder" TARGET="+500.5"', { nozzle: 500.5 }],
    ['SET_HEATER_TEMPERATURE HEATER=extruder TARGET=1 TARGET=500', { nozzle: 500 }],
    ['SET_HEATER_TEMPERATURE HEATER=heater_bed TARGET=150', { bed: 150 }],
    ['SET_HEATER_TEMPERATURE HEATER=heater_bed_outer TARGET=150', { bed: 150 }],
    ['SET_HEATER_TEMPERATURE HEATER="heater_generic chamber" TARGET=200', { chamber: 200 }],
    ['TEMPERATURE_WAIT SENSOR=extruder MINIMUM=500', { nozzle: 500 }],
    ['TEMPERATURE_WAIT SENSOR="temperature_sensor chamber" MINIMUM=200', { chamber: 200 }],
    ['TEMPERATURE_WAIT SENSOR=heater_bed MAXIMUM=40', {}],
    ['START_PRINT BED=150 EXTRUDER=500 CHAMBER=90', { nozzle: 500, bed: 150, chamber: 90 }],
    ['PRINT_START BED_TEMP=150 HOTEND_TEMP=500 AREA=1,2', { nozzle: 500, bed: 150 }],
    ['PRINT_START TOOL_TEMP=500 BED_MESH=default', { nozzle: 500 }],
  ];
  for (const [line, wanted] of cases) {
    it(`are read from ${line}`, () => {
      const { hottest, badNumbers } = read(`G28\n${line}\n`);
      assert.deepEqual(hottest, { nozzle: 0, bed: 0, chamber: 0, ...wanted });
      assert.equal(badNumbers, 0);
    });
  }

  it('are invalid if they refer to a stored value of the machine', () => {
    assert.equal(read('G28\nM104 I1\n').badNumbers, 1);
  });

  for (const words of [
    'HEATER=extruder TARGET=5e2',
    'HEATER=extruder TARGET=5_00',
    'HEATER=extruder TARGET=inf',
    'HEATER=extruder TARGET="5"00',
    'HEATER=extruder TARGET=500#',
    'HEATER=extruder TARGET=5\\00',
    'HEATER=extruder TARGET="500',
  ]) {
    it(`are invalid in ${words}`, () => {
      assert.equal(read(`G28\nSET_HEATER_TEMPERATURE ${words}\n`).badNumbers, 1);
    });
  }
});

describe('A command that may heat or lift, written so that a careless reader misses it', () => {
  for (const line of [
    'START_PRINT EXTRUDER_TEMP=400 BED_TEMP=200 # hi',
    'START_PRINT EXTRUDER_TEMP=400*12 "',
    'START_PRINT "EXTRUDER_TEMP"=400',
    'START_PRINT EXTRUDER_TEMP=4e2',
    'START_PRINT EXTRUDER_TEMP=4_00',
  ]) {
    it(`is refused: ${line}`, () => assert.ok(read(`G28\n${line}\n`).badNumbers > 0));
  }
  for (const line of [
    'SET_GCODE_OFFSET "Z_ADJUST"=-20',
    'SET_GCODE_OFFSET Z"_ADJUST"=-20',
    'SET_GCODE_OFFSET Z\\=-20',
    Array.from({ length: 10 }, () => 'SET_GCODE_OFFSET Z_ADJUST=-2 MOVE=1').join('\n'),
  ]) {
    it(`is refused: ${line.split('\n', 1)[0]}`, () => {
      assert.deepEqual(read(`G28\n${line}\n`).dangerousCommands, ['SET_GCODE_OFFSET']);
    });
  }
  it('is not found in the names of objects', () => {
    assert.equal(read('G28\nEXCLUDE_OBJECT_DEFINE NAME="Bed #1" CENTER=1,2 POLYGON=[[0,0]]\n').badNumbers, 0);
    assert.deepEqual(read('G28\nSET_GCODE_OFFSET Z=0.05\n').dangerousCommands, []);
  });
});
