import assert from 'node:assert/strict';
import { AttentionJudge } from '../../lib/beds/attention';
import type { PrinterReport } from '../../lib/model/printer';

const printing: PrinterReport = {
  at: '2026-01-01T00:00:00.000Z',
  receivedAt: 0,
  state: 'printing',
  job: { name: 'part.gcode' },
  ending: null,
  progress: 0.5,
  remainingMinutes: 20,
  layer: 10,
  temperatures: [{ name: 'nozzle', current: 219.8, target: 220 }],
  slots: [],
  faults: [],
  timeScale: 1,
};
const minute = 60_000;
/** What the last of these reports, a minute apart, asks for. */
function after(...reports: Partial<PrinterReport>[]): string | null {
  const judge = new AttentionJudge(10);
  return reports.reduce<string | null>(
    (_, report, at) => judge.judge({ ...printing, ...report }, 'ams0-1', at * minute)?.code ?? null,
    null,
  );
}
const times = (count: number, report: Partial<PrinterReport> = {}): Partial<PrinterReport>[] =>
  Array.from({ length: count }, () => report);

describe('What needs a person at a printer', () => {
  const idle = { state: 'idle' as const };
  const dead = { code: 'klippy_disconnected', message: 'Klipper is disconnected.', blocking: false };
  const table: [what: string, reports: Partial<PrinterReport>[], code: string | null][] = [
    ['a print that moves', times(30).map((_, at) => ({ progress: at / 100 })), null],
    ['a print that has stood for less than the limit', times(10), null],
    ['a print that moves no more', times(11), 'standstill'],
    ['a print that hangs while it prepares', times(11, { state: 'preparing', progress: 0, layer: 0 }), 'standstill'],
    [
      'a temperature that only swings',
      times(11).map((_, at) => ({ temperatures: [{ name: 'nozzle', current: 219 + (at % 2), target: 220 }] })),
      'standstill',
    ],
    [
      'a bed that still heats',
      times(20).map((_, at) => ({ temperatures: [{ name: 'bed', current: 20 + 4 * at, target: 100 }] })),
      null,
    ],
    ['a print that moves again', [...times(11), { progress: 0.6 }], null],
    ['a pause', [{ state: 'paused' }], 'paused'],
    ['a run-out', [{ state: 'paused', message: 'Filament ran out' }], 'run_out'],
    [
      'a pause, while the slot that feeds the print is empty',
      [{ state: 'paused', slots: [{ slot: 'ams0-1', present: false }] }],
      'run_out',
    ],
    [
      'a pause, while another slot is empty',
      [
        {
          state: 'paused',
          slots: [
            { slot: 'ams0-0', present: false },
            { slot: 'ams0-1', present: true },
          ],
        },
      ],
      'paused',
    ],
    ['a restart of Klipper', [{ ...idle, state: 'busy', faults: [dead] }], null],
    ['a Klipper that is dead', times(2, { ...idle, state: 'busy', faults: [dead] }), 'klippy_disconnected'],
    ['a word of the firmware that nobody knows', times(2, { state: 'unknown' }), 'unknown_state'],
    [
      'a fault',
      [{ state: 'fault', faults: [{ ...dead, code: 'klippy_shutdown', blocking: true }] }],
      'klippy_shutdown',
    ],
    ['an idle printer', times(30, idle), null],
  ];
  for (const [what, reports, code] of table) {
    it(`${what}: ${code ?? 'nobody'}`, () => assert.equal(after(...reports), code));
  }

  it('names the slot that ran out', () => {
    const report: PrinterReport = { ...printing, state: 'paused', message: 'filament runout detected' };
    const found = new AttentionJudge(10).judge(report, 'ams0-1', 0);
    assert.match(found?.text ?? '', /slot ams0-1/);
    assert.match(found?.remedy ?? '', /slot ams0-1.*resume/);
  });

  it('counts the minutes of the printer, not ours', () => {
    const judge = new AttentionJudge(10);
    const fast = { ...printing, timeScale: 600 };
    assert.equal(judge.judge(fast, null, 0), null);
    assert.equal(judge.judge(fast, null, 1001)?.code, 'standstill');
  });
});
