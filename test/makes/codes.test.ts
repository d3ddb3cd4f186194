import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { AttentionJudge } from '../../lib/beds/attention';
import { bambuCode, bambuCodes, severityOf } from '../../lib/makes/bambu/codes';
import { mapFaults as bambuFaults } from '../../lib/makes/bambu/report-mapping';
import { klipperReason, klipperReasons, whyNotReady } from '../../lib/makes/moonraker/reasons';
import { mapFaults as klipperFaults } from '../../lib/makes/moonraker/state-mapping';
import { faultCode, issueCode, snapmakerFaults, snapmakerIssues } from '../../lib/makes/snapmaker/codes';
import { mapFault } from '../../lib/makes/snapmaker/state-mapping';
import type { JsonObject } from '../../lib/makes/values';
import type { PrinterReport } from '../../lib/model/printer';
import { failureKindOf } from '../../lib/model/retry-policy';

/** Every code that a pattern matches. */
function codesOf(pattern: string): string[] {
  const digits = (all: string): string[] => all.split('');
  const choices: Readonly<Record<string, string[]>> = {
    AM: ['07', '18'],
    uu: digits('01234567').map((digit) => `0${digit}`),
    h: digits('01234567'),
    s: digits('0123'),
    t: digits('0123456789ABCDEF'),
    e: ['E', 'F'],
  };
  const letters = /AM|uu|[hste]/.exec(pattern)?.[0];
  if (letters === undefined) return [pattern];
  return (choices[letters] ?? []).flatMap((choice) => codesOf(pattern.replace(letters, choice)));
}

function complete(words: string, remedy: string): void {
  assert.match(words, /^[A-Z].*\.$/s);
  assert.doesNotMatch(words, /[{}]|undefined|NaN|\$\d/);
  assert.match(remedy, /^[A-Z].{10,}\.$/s);
}

describe('The codes of Bambu', () => {
  const rows = bambuCodes.map(({ pattern }) => pattern);

  it('cover at least 150 codes, a family counted once', () => {
    assert.ok(rows.length >= 150, `${rows.length}`);
    assert.ok(rows.filter((pattern) => pattern.length > 9).length >= 150);
    assert.equal(new Set(rows).size, rows.length);
  });

  it('have a valid code, a text and a remedy, and each code has one meaning', () => {
    const meanings = new Map<string, string>();
    for (const pattern of rows) {
      for (const code of codesOf(pattern)) {
        assert.match(code, /^[0-9A-F]{4}(_[0-9A-F]{4}|(_[0-9A-F]{4}){3})$/);
        assert.equal(meanings.get(code), undefined, `${code}: ${pattern} and ${meanings.get(code)}`);
        meanings.set(code, pattern);
        const { words, remedy } = bambuCode(code);
        complete(words, remedy);
        assert.ok(words.endsWith(` (${code}).`), words);
        assert.doesNotMatch(remedy, /[Rr]esume/, 'the view that shows the pause adds the advice to resume');
      }
    }
    assert.ok(meanings.size > 1500, `${meanings.size}`);
  });

  const named: [code: string, words: string][] = [
    ['0700_2000_0002_0001', 'The filament in slot 1 of AMS A (ams0-0) has run out (0700_2000_0002_0001).'],
    ['0703_2200_0002_0001', 'The filament in slot 3 of AMS D (ams3-2) has run out (0703_2200_0002_0001).'],
    ['1801_2000_0002_0001', 'The filament in slot 1 of AMS HT B (ams129-0) has run out (1801_2000_0002_0001).'],
    ['1200_2300_0002_0001', 'The filament in slot 4 of AMS A (ams0-3) has run out (1200_2300_0002_0001).'],
    ['0500_0400_0002_0016', 'The tag of the spool in slot 3 of AMS B (ams1-2) cannot be read (0500_0400_0002_0016).'],
    ['0582_4096', 'The printer does not find AMS HT C (0582_4096).'],
    ['0501_4098', 'The printer does not find AMS B (0501_4098).'],
    ['0702_8011', 'The filament in AMS C has run out (0702_8011).'],
    ['07FF_8011', 'The filament on the external spool (right) has run out (07FF_8011).'],
    ['18FE_2000_0002_0001', 'The filament on the external spool (left) has run out (18FE_2000_0002_0001).'],
    ['0300_0100_0001_0003', 'The bed is too hot (0300_0100_0001_0003).'],
    ['0300_0200_0001_0002', 'The heater of the nozzle (the right one of two) may be open (0300_0200_0001_0002).'],
    ['0500_4004', 'The printer is busy (0500_4004).'],
    ['0C00_0300_0003_0008', 'The camera may have seen spaghetti (0C00_0300_0003_0008).'],
  ];
  for (const [code, words] of named) it(words, () => assert.equal(bambuCode(code).words, words));

  it('show their severity by their digits', () => {
    assert.equal(severityOf('0300_0100_0001_0001'), 'fatal');
    assert.equal(severityOf('0300_0300_0002_0002'), 'serious');
    assert.equal(severityOf('0300_9400_0003_0001'), 'common');
    assert.equal(severityOf('0500_0000_0004_0001'), 'info');
    assert.equal(severityOf('0300_4000'), 'fatal');
    assert.equal(severityOf('0300_8003'), 'serious');
    assert.equal(severityOf('0C00_C004'), 'common');
  });

  it('close a printer if they are fatal, but not for a tag, a lens or the cloud', () => {
    const closed = ['0300_0100_0001_0001', '0300_8044', '0500_0300_0001_0006', '0300_400F'];
    const open = [
      '0700_2000_0001_0082',
      '0C00_0100_0001_0004',
      '0500_0400_0001_0002',
      '0300_4000',
      '0300_0300_0002_0002',
    ];
    for (const code of closed) assert.ok(bambuCode(code).blocking, code);
    for (const code of open) assert.ok(!bambuCode(code).blocking, code);
  });

  it('are shown unchanged if they are unknown', () => {
    // An H2D of a real farm has shown it for weeks.
    const health = bambuCode('0500_0600_0002_00A0');
    assert.equal(health.words, 'Health message 0500_0600_0002_00A0.');
    assert.match(health.remedy, /wiki\.bambulab\.com.*0500_0600_0002_00A0/);
    assert.equal(health.blocking, false);
    assert.equal(bambuCode('0500_9999').words, 'Error 0500_9999.');
    assert.equal(bambuCode('FFFF_FFFF_0001_FFFF').blocking, true);
    complete(health.words, health.remedy);
  });

  const kinds: [kind: string, patterns: RegExp][] = [
    [
      'run_out',
      /^(0300_8004|0300_8015|AM(uu|Fe)_8011|12(uu|FF)_8011|(AM|12)uu_2s00_000(2_000[125]|3_0001)|(AMFe|12FF)_2000_0002_000[12]|AMuu_7000_0002_0007)$/,
    ],
    ['spaghetti', /^(0300_8003|0C00_C004|0C00_0300_0003_00(08|10)|0C00_80(40|3F))$/],
    ['adhesion', /^(0300_8002|0C00_8001|0C00_0300_0003_0007)$/],
  ];
  it('are classified correctly by the retry policy', () => {
    for (const { pattern } of bambuCodes) {
      const [code = ''] = codesOf(pattern);
      const kind = kinds.find(([, patterns]) => patterns.test(pattern))?.[0] ?? null;
      assert.equal(failureKindOf(bambuCode(code).words), kind, pattern);
    }
  });

  it('have texts in the reports of a printer', () => {
    const hms = [
      { attr: 0x05000500, code: 0x00010007 },
      { attr: 0x07012100, code: 0x00020001 },
    ];
    // The error was recorded on an A1 mini that waits for its external spool.
    const recorded = join(__dirname, '..', 'fixtures', 'bambu', 'bambu-rs', 'status-paused-no-source.json');
    const faults = bambuFaults({ ...(JSON.parse(readFileSync(recorded, 'utf8')) as JsonObject), hms });
    assert.deepEqual(
      faults.map(({ code, message, blocking }) => [code, message, blocking]),
      [
        ['0300_8015', 'The filament on the external spool has run out (0300_8015).', true],
        [
          '0500_0500_0001_0007',
          'The printer has refused a command from the network, because it is not signed (0500_0500_0001_0007).',
          true,
        ],
        ['0701_2100_0002_0001', 'The filament in slot 2 of AMS B (ams1-1) has run out (0701_2100_0002_0001).', false],
      ],
    );
    for (const { message, remedy } of faults) complete(message, remedy ?? '');
  });
});

describe('The codes of Snapmaker', () => {
  it('have a text and a remedy', () => {
    for (const code of Object.keys(snapmakerFaults)) {
      const { words, remedy } = faultCode(code);
      complete(words, remedy);
      assert.ok(words.endsWith(` (${code}).`), words);
    }
    for (const code of Object.keys(snapmakerIssues)) {
      const { words, remedy } = issueCode(Number(code));
      complete(words, remedy ?? '');
      assert.ok(words.endsWith(` (ac/01 ${code}).`), words);
    }
    assert.ok(Object.keys(snapmakerFaults).length >= 40);
  });

  it('name the heater, and distinguish a run-out from a fault', () => {
    assert.equal(mapFault({ level: 0, owner: 13, state: 3 }).message, 'Nozzle 0 heats out of control (13/3).');
    assert.equal(mapFault({ level: 0, owner: 515, state: 8 }).message, 'Zone 1 of the bed is too hot (515/8).');
    assert.equal(mapFault({ level: 0, owner: 13, state: 11 }).blocking, false);
    assert.equal(failureKindOf(faultCode('13/11').words), 'run_out');
    assert.equal(failureKindOf(issueCode(2).words), 'run_out');
    const others = Object.keys(snapmakerFaults).filter((code) => code !== '13/11');
    for (const code of others) assert.equal(failureKindOf(faultCode(code).words), null, code);
  });

  it('are shown unchanged if they are unknown', () => {
    assert.equal(faultCode('99/1').words, 'Fault 99/1.');
    assert.equal(issueCode(200).words, 'Reason 200.');
    complete(faultCode('99/1').words, faultCode('99/1').remedy);
    assert.deepEqual(issueCode(12), { words: 'The print was stopped.' });
  });
});

describe('The reasons of Klipper', () => {
  const long =
    '\nOnce the underlying issue is corrected, use the\n"FIRMWARE_RESTART" command to reset the firmware.\nPrinter is shutdown\n';
  const told: [message: string, words: string][] = [
    ["MCU 'mcu' shutdown: Timer too close", 'The host was too slow for the board'],
    [
      "Previous MCU 'mcu' shutdown: Missed scheduling of next digital out event",
      'The board waited in vain for the host',
    ],
    ["MCU 'mcu' shutdown: ADC out of range", 'A temperature is outside of its limits: a sensor may be open or short'],
    ["MCU 'mcu' shutdown: Rescheduled timer in the past", 'The board was to step faster than it can'],
    ["MCU 'mcu' shutdown: Command request", 'The emergency stop was asked for'],
    ['Shutdown due to webhooks request', 'The emergency stop was asked for'],
    ['Shutdown due to M112 command', 'The emergency stop was asked for'],
    ["Lost communication with MCU 'head'", 'The host lost the board head'],
    ["MCU 'mcu' spontaneous restart", 'The board mcu has restarted by itself'],
    ["mcu 'mcu': Unable to connect", 'The host does not reach the board mcu'],
    ['MCU Protocol error', 'The board has another firmware than the host'],
    ["MCU 'mcu' error during config: Pin PA1 is not valid", 'The board mcu does not accept its configuration'],
    ["Unable to configure MCU 'mcu'", 'The board mcu does not accept its configuration'],
    ["Can not update MCU 'mcu' config as it is shutdown", 'The board mcu is still stopped'],
    ['Heater extruder not heating at expected rate', 'Heater extruder does not heat as it should'],
    ['Extrude below minimum temp', 'The file extrudes while the nozzle is cold'],
    ["Unable to read tmc uart 'stepper_x' register IFCNT", 'The driver of motor stepper_x does not answer'],
    ["Unable to write tmc spi 'stepper_y' register GCONF", 'The driver of motor stepper_y takes no settings'],
    ["TMC 'extruder' reports error: DRV_STATUS: 0001 ot=1", 'The driver of motor extruder reports an error'],
    ['No trigger on probe after full movement', 'The probe did not touch the bed'],
    ['No trigger on z after full movement', 'Axis z did not reach its end stop'],
    ['Endstop x still triggered after retract', 'The end stop of axis x stays pressed'],
    ['Probe triggered prior to movement', 'The probe was pressed before it moved'],
    ['Probe samples exceed samples_tolerance', 'The probe measures too unevenly'],
    ['Communication timeout during homing z', 'The boards did not answer in time while homing'],
    ['Must home axis first: 1.000 2.000 3.000 [4.000]', 'A move was asked for before the printer was homed'],
    ['Move out of range: 9999.000 105.000 10.000 [17.000]', 'A move went beyond what the axes reach'],
    ['Move exceeds maximum extrusion (1.2mm^2 vs 0.6mm^2)', 'A move extrudes more than the configuration allows'],
    ["Option 'pni' is not valid in section 'fan'", 'The configuration has an unknown option pni in fan'],
    ["Option 'pin' in section 'fan' must be specified", 'The configuration lacks the option pin in fan'],
    ["Unable to parse option 'max_z' in section 'bed'", 'The configuration has a wrong value of max_z in bed'],
    ["Section 'fam' is not a valid config section", 'The configuration has an unknown section fam'],
    ['Unable to open config file /home/pi/printer.cfg', 'The configuration cannot be opened'],
    ['Internal error during ready callback: No active exception', 'The software of the host has failed'],
  ];
  for (const [message, words] of told) {
    it(message, () => {
      const found = klipperReason(message + long);
      assert.equal(found?.words, `${words} (${message}).`);
      complete(found.words, found.remedy);
      assert.equal(failureKindOf(found.words), null);
    });
  }

  it('are all tested, each matched first by one of the messages', () => {
    const first = told.map(([message]) => klipperReasons.find(({ pattern }) => pattern.test(message)));
    assert.deepEqual(
      klipperReasons.filter((reason) => !first.includes(reason)),
      [],
    );
  });

  it("are Klipper's own first line if they are unknown", () => {
    assert.equal(klipperReason(`Something new${long}`), undefined);
    assert.deepEqual(whyNotReady('shutdown', `Something new${long}`).words, 'Something new');
    const [fault] = klipperFaults({ klippy: 'disconnected', klippyMessage: '', objects: {}, lastJob: undefined });
    assert.equal(fault?.message, 'Klipper is disconnected.');
    assert.match(fault.remedy ?? '', /Start Klipper/);
  });
});

describe('The attention for a code', () => {
  const report: PrinterReport = {
    at: '2026-01-01T00:00:00.000Z',
    receivedAt: 0,
    state: 'paused',
    job: { name: 'part' },
    ending: null,
    progress: 0.5,
    remainingMinutes: 20,
    temperatures: [],
    slots: [],
    faults: [],
    timeScale: 1,
  };
  const told = (changed: Partial<PrinterReport>) =>
    new AttentionJudge(10).judge({ ...report, ...changed }, 'ams0-1', 0);

  it('has the remedy of the fault, and reports that the print waits', () => {
    const faults = bambuFaults({ gcode_state: 'PAUSE', print_error: 0x03008003 });
    const attention = told({ message: faults[0]?.message ?? '', faults });
    assert.equal(
      attention?.text,
      'The print is paused: The camera saw spaghetti: filament was drawn into the air (0300_8003).',
    );
    assert.match(attention.remedy, /^Look at the print\..* Then resume or cancel the print\.$/);
  });

  it('ignores other faults that the printer reports beside the reason of its pause', () => {
    const hms = [
      { attr: 0x0c000100, code: 0x00020017 },
      { attr: 0x07002300, code: 0x00020002 },
    ];
    const attention = told({ faults: bambuFaults({ gcode_state: 'PAUSE', print_error: 0x03008013, hms }) });
    assert.equal(attention?.code, 'paused');
    assert.equal(attention.text, 'The print is paused: Somebody has paused the print (0300_8013).');
    const alone = told({ faults: bambuFaults({ gcode_state: 'PAUSE', hms: hms.slice(1) }) });
    assert.equal(alone?.code, 'run_out');
  });

  it('has the remedy of the reason if there is no fault', () => {
    const { words, remedy } = issueCode(16);
    const attention = told({ message: words, ...(remedy !== undefined && { remedy }) });
    assert.match(attention?.text ?? '', /door.*\(ac\/01 16\)\.$/);
    assert.match(attention?.remedy ?? '', /^Close the door of the enclosure\. Then resume/);
  });

  it('has the remedy of the fault that keeps a printer closed', () => {
    const faults = bambuFaults({ gcode_state: 'IDLE', hms: [{ attr: 0x03000100, code: 0x00010003 }] });
    const attention = told({ state: 'fault', faults });
    assert.match(attention?.text ?? '', /bed is too hot/);
    assert.match(attention?.remedy ?? '', /Switch the printer off/);
  });
});
