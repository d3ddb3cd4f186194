import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { parseReport } from '../../lib/makes/bambu/report-merge';
import { ReportTracker } from '../../lib/makes/bambu/tracker';
import { damage, grafts, regraft, spoil } from './mutate';
import { type FuzzTarget, promise } from './target';

type Fields = Record<string, unknown>;
const fieldsOf = (value: unknown): Fields =>
  typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : {};

/** Reports of real printers. */
function recorded(): object[] {
  const read = (file: string): Fields =>
    JSON.parse(readFileSync(join(__dirname, '..', '..', 'test', 'fixtures', 'bambu', file), 'utf8'));
  return [
    fieldsOf(read('bambu-rs/pushall-n1-idle.json').message),
    fieldsOf(read('bambu-rs/get_version-a1mini.json').message),
    read('bambu-farm/fullstatus.json'),
    read('bambu-farm/status.json'),
    read('bambu-rs/status-paused-no-source.json'),
  ];
}

/** Sequences of reports, real and generated, corrupted as JSON or as bytes. */
export const bambu: FuzzTarget = {
  name: 'bambu',
  promise: 'nothing throws, and a job is reported as finished only if gcode_state was FINISH while that job was shown',
  run(cases, seed) {
    let finished = 0;
    const id = fc.constantFrom('0', '', '4711', '4712');
    const number = fc.constantFrom(0, '3', 128, 255, -1, 1.5, -1e12, 1e300, 'NaN');
    const tray = fc.record({ id: number, tray_type: fc.constantFrom('PLA', '') }, { requiredKeys: [] });
    const unit = fc.record({ id: number, tray: fc.array(tray, { maxLength: 2 }) }, { requiredKeys: [] });
    const ams = fc.record({
      tray_exist_bits: fc.constantFrom('f', '1000f', ''),
      ams: fc.array(unit, { maxLength: 2 }),
    });
    const made = fc
      .record(
        {
          gcode_state: fc.constantFrom('IDLE', 'PREPARE', 'RUNNING', 'PAUSE', 'FINISH', 'FAILED', 'DANCING'),
          msg: fc.constantFrom(0, 1),
          task_id: id,
          subtask_id: id,
          subtask_name: fc.constantFrom('ours', 'other', ''),
          print_error: fc.constantFrom(0, 50348044, 83902467, 117473298),
          fail_reason: fc.constantFrom('0', '50348044', '50364419'),
          hms: fc.constantFrom([], [{ attr: 50331904, code: 65538 }]),
          ams,
          result: fc.constantFrom('SUCCESS', 'failed'),
        },
        { requiredKeys: ['msg'] },
      )
      .map((print) => ({ print: { command: 'push_status', ...print } }));
    const step = fc.record({
      message: fc.oneof({ weight: 6, arbitrary: made }, { weight: 1, arbitrary: fc.constantFrom(...recorded()) }),
      grafts: fc.oneof({ weight: 2, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: grafts }),
      damages: fc.oneof({ weight: 3, arbitrary: fc.constant([]) }, { weight: 1, arbitrary: damage }),
      wait: fc.constantFrom(0, 1500, 11_000, 100_000),
    });
    const property = fc.property(fc.array(step, { minLength: 1, maxLength: 8 }), (steps) => {
      const tracker = new ReportTracker({ cancelCodeMs: 10_000, staleStateMs: 90_000 });
      tracker.expect(4711);
      let now = 0;
      let shown: Fields = {};
      const done = new Set<string>();
      for (const { message, grafts: changes, damages, wait } of steps) {
        now += wait;
        const payload = spoil(Buffer.from(JSON.stringify(regraft(message, changes)) ?? ''), damages);
        for (const read of parseReport(payload)) {
          if (read.kind === 'answer') tracker.takeVersion(read.fields);
          if (read.kind !== 'status') continue;
          shown = { ...shown, ...read.fields };
          tracker.takeStatus(read);
          if (/^finish$/i.test(String(shown.gcode_state))) {
            for (const name of ['task_id', 'subtask_id', 'subtask_name', 'gcode_file']) {
              done.add(String(shown[name] ?? '').replace(/^.*\//, ''));
            }
          }
          const seen = tracker.at(now);
          if (seen.ending !== 'finished') continue;
          finished++;
          const known = done.has(seen.job?.taskId ?? '') || done.has(seen.job?.name.replace(/^.*\//, '') ?? '');
          promise(known, () => `${JSON.stringify(seen.job)} is reported as finished`);
        }
        tracker.at(now);
      }
    });
    fc.assert(property, { numRuns: cases, seed, endOnFailure: true });
    return Promise.resolve(finished);
  },
};
