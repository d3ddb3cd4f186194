import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import fc from 'fast-check';
import type { GcodeAnalysis } from '../../lib/files/analysis';
import { ofGcode } from '../../lib/files/describe';
import { GcodeReader } from '../../lib/files/gcode';
import { machineCommands } from '../../lib/files/machine-commands';
import { UnreadableFileError } from '../../lib/files/unreadable';
import { fixture } from '../fixtures';
import { dialects } from '../support/gcode-dialects';

function read(text: string | Buffer): GcodeAnalysis {
  const reader = new GcodeReader();
  reader.push(Buffer.from(text));
  return reader.finish();
}

/** Compares only the given fields. */
function agrees(found: GcodeAnalysis, expected: Readonly<Partial<Record<keyof GcodeAnalysis, unknown>>>): void {
  const picked = Object.entries(found).filter(([field]) => field in expected);
  assert.deepEqual(Object.fromEntries(picked), expected);
}

/** A print with these commands in the start code, in the body, and in the end code. */
function printWith({ start = '', body = '', end = '', mark = ';LAYER_CHANGE' }): GcodeAnalysis {
  return read(
    `G28\n${start}\nM83\nG1 X9 Y9 E5 F900\n${start}\n${mark}\nG1 Z0.2\nG1 X20 E1\n${body}\nG1 X30 E1\n${end}\n`,
  );
}

describe('G-code of every kind', () => {
  for (const [file, expected] of [
    ['h2d-two-lines.gcode', { badNumbers: 0, dangerousCommands: [], vendorCommands: ['M500'], complete: null }],
    ['r07t_orca_truncated.gcode', { complete: false, slicer: 'OrcaSlicer 2.3.1' }],
    ['r08t_cura_truncated.gcode', { complete: false, slicer: 'Cura_SteamEngine 5.9.1' }],
    ['r16_prusa23.gcode', { complete: true, slicer: 'PrusaSlicer 2.3.3+win64' }],
    [
      'twotool.gcode',
      {
        complete: true,
        tools: [0, 1],
        filaments: [
          { filament: 1, tool: 0, type: 'PLA', colourHex: null, grams: 0.3 },
          { filament: 2, tool: 1, type: 'PETG', colourHex: null, grams: 0.3 },
        ],
      },
    ],
    [
      'abs-as-pla.gcode',
      {
        complete: true,
        filaments: [{ filament: 1, tool: 0, type: 'ABS', colourHex: '29B2B2', grams: 4.28 }],
        nozzleDiameters: [0.4],
        printerModel: 'OrangeStormGiga',
        layerHeight: 0.2,
      },
    ],
    ['petg-as-pla.gcode', { filaments: [{ filament: 1, tool: 0, type: 'PETG', colourHex: '29B2B2', grams: 4.28 }] }],
    ['nozzle08.gcode', { nozzleDiameters: [0.8], badNumbers: 0, dangerousCommands: [], vendorCommands: [] }],
  ] as const) {
    it(`reads ${file}`, () => {
      agrees(read(readFileSync(fixture('field', file))), expected);
    });
  }
});

describe('commands and their numbers', () => {
  it('treats sub-codes as separate commands', () => {
    const found = read('G28\nM83\nM104 S210\nM104.1 S400\nM201.2 K1.0\nM83.1 X\nM82.1\nG1 X10 E1\nG1 X20 E1\nG92.1\n');
    agrees(found, { badNumbers: 0, maxNozzleTemperature: 210, filamentMm: 2 });
    const lifted = read('G28\nM83\nG1 X50 Y50 Z5 F600\nG28.14 S0\nG28.140 S0\nG1 X60 E1\n');
    assert.equal(lifted.bounds.min.x, 50, 'G28.14 does not home');
  });

  it('reads a blank between letter and number, and words without a number in G92', () => {
    const spaced = read('G28\nM83\nG0 Z 7 F 600\nG1 X 10 Y -.5 E 2\nG92 XYZ\nG92 E\nG1 X 5 E1\n');
    assert.equal(spaced.badNumbers, 0);
    assert.equal(spaced.bounds.max.z, 7);
    assert.equal(spaced.bounds.min.y, -0.5);
    assert.equal(spaced.bounds.max.x, 15, 'G92 XYZ makes this position the origin');
  });

  it('ignores numbers in commands that it does not evaluate', () => {
    const harmless = [
      'M400 P100',
      'M400 U1',
      'G29.2 S0',
      'G29.1 Z{+0.0}',
      'M1002 gcode_claim_action : 2',
      'M1002 set_filament_type:PLA',
      'M73 P0 R12',
      'M73.2   R1.0',
      'T1000',
      'T255',
      'T65535',
      'M620 S0A',
      'M621 S0A H1',
      'M623',
      'M104 S140 A',
      'M104 S0 T0; off',
      'M190 R60',
      'M109 T1 S215 C3 W1',
      'M201 X20000 Yx',
      'G3 Z0.4 I1.217 J0 P1 F60000',
      'G29 A1 O X10 Y10 I20 J20 R',
      'START_PRINT BED=60 EXTRUDER=210.5',
      'EXCLUDE_OBJECT_DEFINE NAME=a_1 CENTER=1,2 POLYGON=[[1,2],[3,4]]',
      'M117 50% "done" 1.2.3',
      '_USER_MACRO A="1.2.3"',
    ];
    const found = read(`G28\nM83\n${harmless.join('\n')}\nG1 X10 Y10 E1\n`);
    assert.deepEqual([found.badNumbers, found.dangerousCommands, found.vendorCommands], [0, [], []]);
  });

  it('counts invalid numbers where a machine reads a coordinate, feed rate or temperature', () => {
    for (const line of ['G1 Xnan', 'G1 X1..2', 'G1 F-', 'G1 X Y5', 'G92 Xnan', 'M104 Snan', 'M140 S1.2.3', 'G4 Sinf']) {
      assert.notEqual(read(`G28\n${line}\nM83\nG1 X10 E1\n`).badNumbers, 0, line);
    }
  });
});

describe('commands that change the machine', () => {
  for (const { command, place, why } of machineCommands) {
    it(`accepts ${command} ${place.replaceAll('_', ' ')}: it ${why}`, () => {
      const names = (found: GcodeAnalysis) => [found.dangerousCommands, found.vendorCommands];
      const around = place === 'nowhere' ? [[command], []] : place === 'own_machine' ? [[], [command]] : [[], []];
      assert.deepEqual(names(printWith({ start: command })), around, 'start');
      assert.deepEqual(names(printWith({ end: `${command} P1 ; why` })), around, 'end');
      assert.deepEqual(names(printWith({ body: command.toLowerCase() })), [[command], []], 'body');
      // without layer marks the first extruding move ends the start block
      assert.deepEqual(names(printWith({ start: command, mark: '' })), [[command], []], 'start without marks');
      assert.deepEqual(names(printWith({ end: command, mark: '' })), around, 'end without marks');
    });
  }

  it('lists them all in docs/slicing.md', () => {
    const page = readFileSync(fixture('..', '..', 'docs', 'slicing.md'), 'utf8');
    assert.deepEqual(
      machineCommands.map(({ command }) => command).filter((command) => !page.includes(`\`${command}\``)),
      [],
    );
  });

  it('allows a small shift in height, and none sideways', () => {
    assert.deepEqual(printWith({ start: 'SET_GCODE_OFFSET Z=0.04 MOVE=1' }).vendorCommands, ['SET_GCODE_OFFSET']);
    for (const words of ['X=300', 'Z=50', 'Z_ADJUST=nan', 'Z=0.1 Y_ADJUST=-20']) {
      assert.deepEqual(
        printWith({ start: `SET_GCODE_OFFSET ${words}` }).dangerousCommands,
        ['SET_GCODE_OFFSET'],
        words,
      );
    }
  });

  it('also detects firmware writing with a sub-code, and no other command by its sub-code', () => {
    assert.deepEqual(printWith({ start: 'M997.1' }).dangerousCommands, ['M997.1']);
    const { dangerousCommands, vendorCommands } = printWith({ start: 'M500.1\nG29.9', body: 'G29.2 S1\nM302.1' });
    assert.deepEqual([dangerousCommands, vendorCommands], [[], []]);
  });

  it('reports a command of the end block once it turns out to be in the body', () => {
    const later = read('G28\nM83\n;LAYER:0\nG1 X10 E1\nM500\nG1 E-1\nG1 X20\nG1 X30 E1\n');
    assert.deepEqual([later.dangerousCommands, later.vendorCommands], [['M500'], []]);
  });
});

describe('whole and cut files', () => {
  for (const { name, text, complete } of dialects) {
    it(`recognises a complete file of ${name}`, () => {
      const found = read(text);
      assert.equal(found.complete, complete);
      assert.deepEqual([found.badNumbers, found.dangerousCommands], [0, []]);
      assert.equal(read(text.replaceAll('\n', '\r\n')).complete, complete, 'with CRLF');
    });
  }

  it('never treats a file that was cut before the end of its last extrusion as complete', () => {
    fc.assert(
      fc.property(fc.constantFrom(...dialects), fc.double({ min: 0, max: 1, noNaN: true }), ({ text }, share) => {
        const end = text.lastIndexOf('G1 X20 Y20 E1.2') + 'G1 X20 Y20 E1.2'.length;
        try {
          assert.equal(read(text.slice(0, Math.floor(share * end))).complete, false);
        } catch (error) {
          if (!(error instanceof UnreadableFileError)) throw error;
        }
      }),
      { numRuns: 3000 },
    );
  });

  it('ignores a closing mark that is followed by more extrusion', () => {
    const { text } = dialects.find(({ name }) => name === 'OrcaSlicer') ?? { text: '' };
    assert.equal(read(`${text}G1 X50 Y50 E5\n`).complete, false);
    assert.equal(
      read(`; CONFIG_BLOCK_END\n; EXECUTABLE_BLOCK_END\n${text.slice(0, text.indexOf('; EXECUTABLE_BLOCK_END'))}`)
        .complete,
      false,
    );
  });

  it('requires every heater to be off if the slicer writes no mark', () => {
    const print = (start: string, end: string) => read(`${start}\nG28\nM83\nG1 X10 E1\nG1 X20 E1\n${end}\n`).complete;
    for (const [start, end, complete] of [
      ['', '', null],
      ['M104 S210', '', false],
      ['M104 S210', 'M104 S0', null],
      ['M109 R210', 'M84', false],
      ['M104 S210\nM140 S60', 'M104 S0', false],
      ['M104 S210\nM190 S60', 'M104 S0\nM140 S0', null],
      ['M104 T0 S210\nM104 T1 S210', 'M104 S0', false],
      ['M104 T0 S210\nM104 T1 S210', 'M104 T0 S0\nM104 T1 S0', null],
      ['M104 S140 A', 'M104 S0 A', null],
      ['M140 T0 S60\nM140 T2 S60', 'M140 T0 S0', false],
      ['M140 T0 S60\nM140 T2 S60', 'M140 S0', null],
      ['M141 S50', 'M104 S0', false],
      ['M141 S50', 'M141 S0', null],
      ['M104 S210\nM104 S0', '', false],
      ['START_PRINT', '', false],
      ['START_PRINT', 'M84', null],
      ['START_PRINT\nM104 S210', 'END_PRINT', null],
      ['M104 S210', 'EXCLUDE_OBJECT_END NAME=a', false],
      ['M104 S210', 'TURN_OFF_HEATERS', null],
    ] as const) {
      assert.equal(print(start, end), complete, `${start} … ${end}`);
    }
  });

  it('reports when completeness cannot be proved', () => {
    const text = (complete: boolean | null) => {
      const [row] = dialects.filter((dialect) => dialect.complete === complete);
      return ofGcode('gcode', 1, read(row?.text ?? '')).warnings.join();
    };
    assert.equal(text(true), '');
    assert.match(text(null), /Nothing proves that the G-code is complete/);
    assert.match(
      ofGcode('gcode', 1, read(readFileSync(fixture('field', 'r08t_cura_truncated.gcode')))).warnings.join(),
      /cut off/,
    );
    assert.deepEqual(ofGcode('gcode', 1, read('G28\n')).warnings, ['The G-code extrudes nothing.']);
  });
});
