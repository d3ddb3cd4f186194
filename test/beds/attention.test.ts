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
/** The code that the last of these reports, a minute apart, raises. */
function codeAfter(...reports: Partial<PrinterReport>[]): string | null {
  const judge = new AttentionJudge(10);
  return reports.reduce<string | null>(
    (_, report, at) => judge.judge({ ...printing, ...report }, 'ams0-1', at * minute)?.code ?? null,
    null,
  );
}
const times = (count: number, report: Partial<PrinterReport> = {}): Partial<PrinterReport>[] =>
  Array.from({ length: count }, () => report);

describe('Attention at a printer', () => {
  const idle = { state: 'idle' as const };
  const dead = { code: 'klippy_disconnected', message: 'Klipper is disconnected.', blocking: false };
  const table: [what: string, reports: Partial<PrinterReport>[], code: string | null][] = [
    ['a print that advances', times(30).map((_, at) => ({ progress: at / 100 })), null],
    ['a print that has stood still for less than the limit', times(10), null],
    ['a print that no longer advances', times(11), 'standstill'],
    ['a print that hangs during preparation', times(11, { state: 'preparing', progress: 0, layer: 0 }), 'standstill'],
    [
      'a temperature that only fluctuates',
      times(11).map((_, at) => ({ temperatures: [{ name: 'nozzle', current: 219 + (at % 2), target: 220 }] })),
      'standstill',
    ],
    [
      'a bed that is still heating',
      times(20).map((_, at) => ({ temperatures: [{ name: 'bed', current: 20 + 4 * at, target: 100 }] })),
      null,
    ],
    ['a print that advances again', [...times(11), { progress: 0.6 }], null],
    ['a pause', [{ state: 'paused' }], 'paused'],
    ['a run-out', [{ state: 'paused', message: 'Filament ran out' }], 'run_out'],
    [
      'a pause, while the slot that feeds the print is empty',
      [{ state: 'paused', slots: [{ slot: 'ams0-1', present: false }] }],
      'run_out',
    ],
    [
      'a pause while a different slot is empty',
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
    ['a Klipper that stays disconnected', times(2, { ...idle, state: 'busy', faults: [dead] }), 'klippy_disconnected'],
    ['an unknown firmware state', times(2, { state: 'unknown' }), 'unknown_state'],
    [
      'a fault',
      [{ state: 'fault', faults: [{ ...dead, code: 'klippy_shutdown', blocking: true }] }],
      'klippy_shutdown',
    ],
    ['an idle printer', times(30, idle), null],
  ];
  for (const [what, reports, code] of table) {
    it(`${what}: ${code ?? 'nothing'}`, () => assert.equal(codeAfter(...reports), code));
  }

  it('names the slot that ran out', () => {
    const report: PrinterReport = { ...printing, state: 'paused', message: 'filament runout detected' };
    const found = new AttentionJudge(10).judge(report, 'ams0-1', 0);
    assert.match(found?.text ?? '', /slot ams0-1/);
    assert.match(found?.remedy ?? '', /slot ams0-1.*resume/);
  });

  it('counts printer minutes, not wall-clock minutes', () => {
    const judge = new AttentionJudge(10);
    const fast = { ...printing, timeScale: 600 };
    assert.equal(judge.judge(fast, null, 0), null);
    assert.equal(judge.judge(fast, null, 1001)?.code, 'standstill');
  });

  it('restarts the wait after a pause, and after a state that has passed', () => {
    const paused = { state: 'paused' as const };
    assert.equal(codeAfter(...times(10), paused, ...times(10)), null);
    const strange = { state: 'unknown' as const };
    assert.equal(codeAfter(strange, { state: 'idle' }, strange), null);
    const dead = (code: string) => ({ state: 'busy' as const, faults: [{ code, message: 'Dead.', blocking: false }] });
    assert.equal(codeAfter(dead('one'), dead('other')), null, 'a different fault has only just begun');
    assert.equal(codeAfter(strange, dead('one')), null);
    assert.equal(codeAfter(strange, {}, strange), null, 'it printed in between');
    const fan = { code: 'fan', message: 'A fan is slow.', blocking: false };
    assert.equal(codeAfter(...times(3, { state: 'idle', faults: [fan] })), null, 'an idle printer may show a fault');
    assert.equal(codeAfter(...times(3, { state: 'busy' })), null, 'a printer that is homing is not faulty');
  });

  it('counts from the last movement of any kind', () => {
    const begin = 100 * minute;
    const moves: Partial<PrinterReport>[] = [
      { layer: 11 },
      { progress: 0.501 },
      { temperatures: [{ name: 'nozzle', current: 222.8, target: 220 }] },
      { temperatures: [...printing.temperatures, { name: 'bed', current: 20, target: 60 }] },
    ];
    for (const move of moves) {
      const judge = new AttentionJudge(10);
      assert.equal(judge.judge(printing, null, begin), null);
      assert.equal(judge.judge({ ...printing, ...move }, null, begin + 10 * minute), null, JSON.stringify(move));
      assert.equal(judge.judge({ ...printing, ...move }, null, begin + 19 * minute), null);
      assert.equal(judge.judge({ ...printing, ...move }, null, begin + 20 * minute)?.code, 'standstill');
    }
    const both = [...printing.temperatures, { name: 'bed', current: 20, target: 60 }];
    const judge = new AttentionJudge(10);
    judge.judge({ ...printing, temperatures: both }, null, begin);
    const warmer = both.map((one) => (one.name === 'bed' ? { ...one, current: 30 } : one));
    assert.equal(
      judge.judge({ ...printing, temperatures: warmer }, null, begin + 10 * minute),
      null,
      'one change is enough',
    );
    const fewer = { ...printing, temperatures: warmer.slice(0, 1) };
    assert.equal(judge.judge(fewer, null, begin + 20 * minute), null, 'a heater that is no longer reported');
  });

  it('notices the first layer and the first percent', () => {
    const { layer: _, ...without } = printing;
    const judge = new AttentionJudge(10);
    judge.judge({ ...without, progress: null }, null, 0);
    assert.equal(judge.judge({ ...without, layer: 1, progress: null }, null, 10 * minute), null);
    assert.equal(judge.judge({ ...without, layer: 0, progress: 0.001 }, null, 20 * minute), null);
  });

  /** The code of the last of these reports after this delay (ms). */
  const words = (report: Partial<PrinterReport>, slot: string | null, wait = 0) => {
    const judge = new AttentionJudge(10);
    judge.judge({ ...printing, ...report }, slot, 7);
    return judge.judge({ ...printing, ...report }, slot, 7 + wait);
  };
  const fault = (message: string, more: Partial<PrinterReport['faults'][number]> = {}) => ({
    code: 'f1',
    message,
    blocking: true,
    ...more,
  });

  it('waits half a minute for a state to pass', () => {
    assert.equal(words({ state: 'unknown' }, null, 29_999), null);
    assert.equal(words({ state: 'unknown' }, null, 30_000)?.code, 'unknown_state');
  });

  it('states what is wrong and what to do', () => {
    const table: [found: ReturnType<typeof words>, code: string, text: string, remedy: string][] = [
      [
        words({}, null, 10 * minute),
        'standstill',
        'It reports that it is printing, but nothing has moved for 10 min.',
        'Look at the printer. If it hangs, stop the print at its screen and switch it off and on.',
      ],
      [
        words({ state: 'preparing' }, null, 10 * minute),
        'standstill',
        'It reports that it is preparing, but nothing has moved for 10 min.',
        'Look at the printer. If it hangs, stop the print at its screen and switch it off and on.',
      ],
      [
        words({ state: 'unknown' }, null, minute),
        'unknown_state',
        'It reports an unknown state, so nothing is started on it.',
        'Look at the printer. If it is ready, report this state together with its firmware version.',
      ],
      [
        words({ state: 'unknown', message: 'odd', faults: [fault('A fan.', { blocking: false })] }, null, minute),
        'unknown_state',
        'It reports an unknown state ("odd"), so nothing is started on it.',
        'Look at the printer. If it is ready, report this state together with its firmware version.',
      ],
      [
        words({ state: 'busy', faults: [fault('Dead.', { blocking: false })] }, null, minute),
        'f1',
        'Dead.',
        'Look at the printer, and clear the fault there.',
      ],
      [
        words({ state: 'fault', faults: [fault('Dead.', { remedy: 'Restart it.' })] }, null),
        'f1',
        'Dead.',
        'Restart it.',
      ],
      [
        words({ state: 'paused' }, null),
        'paused',
        'The print is paused.',
        'Fix the cause at the printer, then resume or cancel the print.',
      ],
      [
        words({ state: 'paused', message: '' }, null),
        'paused',
        'The print is paused.',
        'Fix the cause at the printer, then resume or cancel the print.',
      ],
      [
        words({ state: 'paused', message: 'Door open', remedy: 'Close it.' }, null),
        'paused',
        'The print is paused: Door open.',
        'Close it. Then resume or cancel the print.',
      ],
      [
        words({ state: 'paused', message: 'Door open.', faults: [fault('Door open.'), fault('Lid v2.1 open')] }, null),
        'paused',
        'The print is paused: Door open. Lid v2.1 open.',
        'Fix the cause at the printer, then resume or cancel the print.',
      ],
      [
        words(
          { state: 'paused', faults: [fault('A fan.', { blocking: false, remedy: 'Mend it.' }), fault('Door.')] },
          null,
        ),
        'paused',
        'The print is paused: Door.',
        'Fix the cause at the printer, then resume or cancel the print.',
      ],
      [
        words({ state: 'paused', faults: [fault('A fan.', { blocking: false, remedy: 'Mend it.' })] }, null),
        'paused',
        'The print is paused: A fan.',
        'Mend it. Then resume or cancel the print.',
      ],
      [
        words({ state: 'paused', message: 'Filament', faults: [fault('ran out')] }, null),
        'run_out',
        'The print is paused because the filament in its slot has run out: Filament ran out.',
        'Load the same material in its slot, record the spool if it is a different one, then resume the print.',
      ],
    ];
    for (const [found, code, text, remedy] of table) {
      assert.deepEqual(found, { code, text, remedy });
    }
  });
});
