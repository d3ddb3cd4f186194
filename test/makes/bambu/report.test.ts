import { deepStrictEqual, strictEqual, throws } from 'node:assert';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { filamentMapping, projectFile } from '../../../lib/makes/bambu/commands';
import { EndingJudge } from '../../../lib/makes/bambu/endings';
import {
  currentErrorCode,
  developerMode,
  extruderOfSlot,
  mapFaults,
  mapJob,
  mapProgress,
  mapSlots,
  mapState,
  mapTemperatures,
  nozzleDiameters,
  storageState,
} from '../../../lib/makes/bambu/report-mapping';
import { applyStatus, mergeReport, parseReport } from '../../../lib/makes/bambu/report-merge';
import { parseSliceInfo, slicedForAnything, slotsOfProject } from '../../../lib/makes/bambu/sliced-file';
import { ReportTracker } from '../../../lib/makes/bambu/tracker';
import type { JsonObject } from '../../../lib/makes/values';

const fixtures = join(__dirname, '..', '..', 'fixtures', 'bambu');
const text = (file: string): string => readFileSync(join(fixtures, file), 'utf8');

function statusOf(payload: string): { full: boolean; fields: JsonObject } {
  const [message] = parseReport(Buffer.from(payload));
  if (message?.kind !== 'status') throw new Error(`not a status: ${message?.kind}`);
  return message;
}

describe('Bambu reports', () => {
  const idle = statusOf(JSON.stringify(JSON.parse(text('bambu-rs/pushall-n1-idle.json')).message));
  const running = statusOf(text('bambu-farm/fullstatus.json'));

  it('reads a full report of an idle A1 mini', () => {
    strictEqual(idle.full, true);
    strictEqual(mapState(idle.fields), 'idle');
    const slots = mapSlots(idle.fields);
    deepStrictEqual(
      slots.slice(0, 4).map(({ slot, materialType, colour }) => [slot, materialType, colour]),
      [
        ['ams0-0', 'PLA', 'DE4343'],
        ['ams0-1', 'PLA', '918669'],
        ['ams0-2', 'PETG', 'D6ABFF'],
        ['ams0-3', 'PLA', '000000'],
      ],
    );
    strictEqual(
      mapTemperatures(idle.fields).some(({ name }) => name === 'bed'),
      true,
    );
  });

  it('passes over AMS units and trays that no printer has', () => {
    const odd = [-1, 4, 127, 136, 1.5, -1_000_000_000_000, 1e300, '1.5', 'NaN', null];
    const tray = (id: unknown) => ({ id, tray_type: 'PLA' });
    for (const id of odd) {
      const ams = {
        tray_exist_bits: 'f',
        ams: [
          { id, tray: [tray(0)] },
          { id: '0', tray: [tray(id), tray('3')] },
        ],
      };
      deepStrictEqual(
        mapSlots({ ams }).map(({ slot, present }) => [slot, present]),
        [['ams0-3', true]],
        String(id),
      );
    }
    const ams = { tray_exist_bits: '10000', ams: [{ id: '128', tray: [tray('0')] }] };
    deepStrictEqual(mapSlots({ ams }), [{ slot: 'ams128-0', present: true, materialType: 'PLA', tool: 0 }]);
  });

  it('reads a full report of a printing P1 and merges a delta', () => {
    strictEqual(mapState(running.fields), 'printing');
    deepStrictEqual(mapJob(running.fields, undefined), { name: 'glowie.gcode' });
    const delta = statusOf(text('bambu-farm/status.json'));
    strictEqual(delta.full, false);
    const merged = applyStatus(running.fields, delta);
    deepStrictEqual(mapProgress(merged), { progress: 0.11, remainingMinutes: 100 });
    strictEqual(merged.gcode_state, 'RUNNING');
  });

  it('reports which nozzle each slot feeds: with one nozzle, all feed that one', () => {
    deepStrictEqual([...new Set(mapSlots(idle.fields).map(({ tool }) => tool))], [0]);
    const dual = {
      device: { extruder: { info: [{ id: 0 }, { id: 1 }] } },
      ams: {
        tray_exist_bits: '1111',
        ams: [
          { id: '0', info: '1003', tray: [{ id: '0' }] },
          { id: '1', info: '1103', tray: [{ id: '0' }] },
          { id: '2', info: 'E03', tray: [{ id: '0' }] },
        ],
      },
      vir_slot: [{ id: '255' }, { id: '254' }],
    };
    deepStrictEqual(
      mapSlots(dual).map(({ slot, tool }) => [slot, tool]),
      [
        ['ams0-0', 0],
        ['ams1-0', 1],
        ['ams2-0', undefined],
        ['ext-right', 0],
        ['ext-left', 1],
      ],
    );
  });

  it('lists nozzles by tool, whatever their order, without those in a rack', () => {
    const told = (info: object[], more: object = {}): number[] =>
      nozzleDiameters({ device: { nozzle: { info } }, ...more });
    const [left, right] = [
      { id: 1, diameter: 0.6 },
      { id: 0, diameter: '0.4' },
    ];
    deepStrictEqual(told([left, right]), [0.4, 0.6]);
    deepStrictEqual(told([right, { id: 16, diameter: 0.2 }, left]), [0.4, 0.6]);
    deepStrictEqual(told([right]), [0.4]);
    deepStrictEqual(told([left]), []);
    deepStrictEqual(told([], { nozzle_diameter: '0.8' }), [0.8]);
  });

  it("does not take the previous job's 100 % for progress of the next one", () => {
    const tracker = new ReportTracker({ cancelCodeMs: 10_000, staleStateMs: 90_000 });
    const shown = (fields: JsonObject) => {
      tracker.takeStatus({ full: false, fields });
      const { state, progress, remainingMinutes } = tracker.at(0);
      return [state, progress, remainingMinutes];
    };
    tracker.takeStatus({ full: true, fields: { gcode_state: 'FINISH', subtask_name: 'a', mc_percent: 100 } });
    deepStrictEqual(shown({ gcode_state: 'PREPARE', subtask_name: 'b' }), ['preparing', null, null]);
    deepStrictEqual(shown({ gcode_state: 'RUNNING', stg_cur: 0, layer_num: 0 }), ['preparing', null, null]);
    deepStrictEqual(shown({ mc_percent: 0, mc_remaining_time: 30 }), ['preparing', 0, 30]);
    deepStrictEqual(shown({ mc_percent: 100, mc_remaining_time: 0, layer_num: 9 }), ['printing', 1, 0]);
  });

  it('reads every recorded frame', () => {
    const files = readdirSync(fixtures, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.json'));
    strictEqual(files.length, 5);
    for (const file of files) {
      const recorded = JSON.parse(text(file));
      // One of them contains a stored report without its frame.
      const frame = recorded.message ?? ('gcode_state' in recorded ? { print: recorded } : recorded);
      const messages = parseReport(Buffer.from(JSON.stringify(frame), 'utf8'));
      const tracker = new ReportTracker({ cancelCodeMs: 10_000, staleStateMs: 90_000 });
      for (const message of messages) {
        if (message.kind === 'status') tracker.takeStatus(message);
        else if (message.kind === 'answer') tracker.takeVersion(message.fields);
      }
      const seen = tracker.at(0);
      if (file.includes('get_version')) strictEqual(typeof seen.firmware, 'string');
      else strictEqual(seen.state === 'unknown', !('gcode_state' in tracker.print), file);
      if (file.includes('paused')) strictEqual(seen.state, 'paused');
    }
  });

  it('merges AMS trays by id and keeps the others', () => {
    const merged = mergeReport(idle.fields, {
      ams: { tray_tar: '0', ams: [{ id: '0', tray: [{ id: '2', state: 9 }] }] },
    });
    strictEqual(mapSlots(merged).length, mapSlots(idle.fields).length);
    strictEqual(mapSlots(merged)[2]?.materialType, 'PETG');
    const withSecond = mergeReport(merged, { ams: { ams: [{ id: '1', tray: [{ id: '0', tray_type: 'ABS' }] }] } });
    strictEqual(
      mapSlots(withSecond).some(({ slot }) => slot === 'ams1-0'),
      true,
    );
  });

  it('replaces other lists', () => {
    deepStrictEqual(mergeReport({ stg: [1, 2, 3], hms: [{ attr: 1 }] }, { stg: [4], hms: [] }), { stg: [4], hms: [] });
  });

  it('keeps answers separate from the state', () => {
    const [answer] = parseReport(
      Buffer.from('{"print":{"command":"project_file","sequence_id":"20001","result":"SUCCESS"}}'),
    );
    deepStrictEqual([answer?.kind, answer?.kind === 'answer' && answer.sequenceId], ['answer', '20001']);
    const [internal] = parseReport(
      Buffer.from('{"print":{"command":"gcode_line","sequence_id":"2023","return_code":"0"}}'),
    );
    strictEqual(internal?.kind, 'answer');
  });

  it('tolerates NUL bytes, line breaks and broken UTF-8', () => {
    const pretty = Buffer.from(
      '{\n    "print": {\n        "command": "push_status", "msg": 0, "gcode_state": "IDLE", "subtask_name": "x"\n    }\n}',
    );
    const payload = Buffer.concat([pretty, Buffer.from([0])]);
    payload[payload.indexOf('x"')] = 0xff;
    strictEqual(parseReport(payload)[0]?.kind, 'status');
    strictEqual(parseReport(Buffer.from('nonsense'))[0]?.kind, 'unreadable');
  });
});

describe('Bambu state', () => {
  it('maps every state word of the printer', () => {
    const states = ['IDLE', 'INIT', 'PREPARE', 'SLICING', 'RUNNING', 'PAUSE', 'FINISH', 'FAILED', 'DANCING'].map(
      (word) => mapState({ gcode_state: word, layer_num: 3 }),
    );
    deepStrictEqual(states, [
      'idle',
      'busy',
      'preparing',
      'preparing',
      'printing',
      'paused',
      'idle',
      'idle',
      'unknown',
    ]);
    strictEqual(mapState({ gcode_state: 'RUNNING', layer_num: 0, mc_percent: 0, stg_cur: 2 }), 'preparing');
  });

  it('tolerates the permanent health messages of a healthy machine', () => {
    const hms = [
      { attr: 0x03000100, code: 0x00030001 },
      { attr: 0x0c000100, code: 0x00020002 },
    ];
    strictEqual(mapState({ gcode_state: 'IDLE', hms }), 'idle');
    strictEqual(mapState({ gcode_state: 'IDLE', hms: [...hms, { attr: 0x03000100, code: 0x00010001 }] }), 'fault');
    strictEqual(mapFaults({ gcode_state: 'IDLE', hms })[0]?.code, '0300_0100_0003_0001');
  });

  it('reads the bit fields, also with 64 bits and negative', () => {
    strictEqual(developerMode({ fun: '4027FF18FFF9CB3' }), true);
    strictEqual(developerMode({ fun: '41AFFF9CFF' }), false);
    strictEqual(developerMode({ fun: '60029FD1A3FF9CB7' }), ((0x60029fd1a3ff9cb7n >> 29n) & 1n) === 0n);
    strictEqual(developerMode({}), undefined);
    strictEqual(storageState({ home_flag: -(2 ** 31) + 256 }), 'present');
    strictEqual(storageState({ sdcard: true, home_flag: 0x300 }), 'read_only');
    strictEqual(storageState({ sdcard: true, home_flag: 0 }), 'present');
    strictEqual(storageState({ sdcard: false, home_flag: 0x100 }), 'missing');
    strictEqual(storageState({ home_flag: 0 }), 'missing');
    strictEqual(storageState({}), undefined);
    strictEqual(
      extruderOfSlot(
        {
          ams: {
            ams: [
              { id: '0', info: '1003' },
              { id: '1', info: '1103' },
            ],
          },
        },
        'ams1-2',
      ),
      1,
    );
    strictEqual(extruderOfSlot({ ams: { ams: [{ id: '0', info: 'E03' }] } }, 'ams0-0'), undefined);
    strictEqual(currentErrorCode({ print_error: 83918929 }), '0500_8051');
  });

  it('unpacks the temperatures of both nozzles', () => {
    const temperatures = mapTemperatures({
      device: {
        extruder: {
          info: [
            { id: 0, temp: (220 << 16) | 218 },
            { id: 1, temp: 30 },
          ],
        },
        ctc: { info: { temp: 35 } },
      },
      bed_temper: 60,
      bed_target_temper: 65,
    });
    deepStrictEqual(temperatures, [
      { name: 'nozzle', current: 218, target: 220 },
      { name: 'nozzle1', current: 30, target: 0 },
      { name: 'bed', current: 60, target: 65 },
      { name: 'chamber', current: 35, target: 0 },
    ]);
  });

  it('identifies the job by our id, else by a real subtask id', () => {
    deepStrictEqual(mapJob({ subtask_name: 'a', subtask_id: '0', task_id: '5239' }, undefined), { name: 'a' });
    deepStrictEqual(mapJob({ subtask_name: 'a', subtask_id: '0', task_id: '5239' }, '5239'), {
      name: 'a',
      taskId: '5239',
    });
    deepStrictEqual(mapJob({ subtask_name: 'a', subtask_id: '77' }, '5239'), { name: 'a', taskId: '77' });
    strictEqual(mapJob({ subtask_name: '', gcode_file: '/data/Metadata/plate_1.gcode' }, undefined), null);
  });
});

describe('Bambu commands', () => {
  it('maps filaments to trays in all three notations', () => {
    deepStrictEqual(filamentMapping(['ams0-2', 'ams0-3', 'ams0-0', 'ams1-2']), {
      use_ams: true,
      ams_mapping: [2, 3, 0, 6],
      ams_mapping2: [
        { ams_id: 0, slot_id: 2 },
        { ams_id: 0, slot_id: 3 },
        { ams_id: 0, slot_id: 0 },
        { ams_id: 1, slot_id: 2 },
      ],
    });
    deepStrictEqual(filamentMapping(['ams128-0', 'ext-left', 'ext-right', '-']), {
      use_ams: true,
      ams_mapping: [128, -1, -1, -1],
      ams_mapping2: [
        { ams_id: 128, slot_id: 0 },
        { ams_id: 254, slot_id: 0 },
        { ams_id: 255, slot_id: 0 },
        { ams_id: 255, slot_id: 255 },
      ],
    });
    strictEqual(filamentMapping(['ext-right']).use_ams, false);
    throws(() => filamentMapping(['ams9-9']));
  });

  it('starts the requested plate of the uploaded file, under our id', () => {
    const command = projectFile(
      {
        identity: { attemptId: 'a', fileName: 'q1_part.gcode.3mf', taskId: 4711, sha256: '', md5: 'abcdef' },
        file: { path: '', size: 1, sha256: '', md5: 'abcdef', lines: 1, estimatedSeconds: null },
        slots: ['ams0-1'],
        tool: 0,
        plate: 3,
      },
      '20001',
    );
    const { print } = JSON.parse(JSON.stringify(command));
    deepStrictEqual(
      [
        print.url,
        print.file,
        print.param,
        print.md5,
        print.task_id,
        print.subtask_id,
        print.project_id,
        print.subtask_name,
        print.use_ams,
      ],
      [
        'ftp:///q1_part.gcode.3mf',
        'q1_part.gcode.3mf',
        'Metadata/plate_3.gcode',
        'ABCDEF',
        '4711',
        '4711',
        '4711',
        'q1_part',
        true,
      ],
    );
  });
});

describe('Files sliced for a Bambu', () => {
  const xml = (maps: string, ids: number[]): string =>
    `<config><plate><metadata key="index" value="1"/><metadata key="filament_maps" value="${maps}"/>` +
    `<metadata key="nozzle_diameters" value="0.4,0.4"/>` +
    `${ids.map((id) => `<filament id="${id}" type="PLA"/>`).join('')}</plate></config>`;

  it("state which of the project's filaments a plate uses, and on which nozzle", () => {
    deepStrictEqual(parseSliceInfo(xml('1 2 1 2', [2, 4]), 1), {
      filaments: [1, 3],
      extruders: [1, 0, 1, 0],
      nozzleDiameters: [0.4, 0.4],
    });
  });

  it('state this for each plate separately, and nothing for a missing plate', () => {
    const plate = (index: number, side: number): string =>
      `<plate><metadata key="index" value="${index}"/><metadata key="filament_maps" value="${side}"/>` +
      `<filament id="${index}" type="PLA"/></plate>`;
    const both = `<config>${plate(1, 1)}${plate(2, 2)}</config>`;
    deepStrictEqual(parseSliceInfo(both, 1).extruders, [1]);
    deepStrictEqual(parseSliceInfo(both, 2), { filaments: [1], extruders: [0], nozzleDiameters: [] });
    deepStrictEqual(parseSliceInfo(both, 3), slicedForAnything);
    deepStrictEqual(parseSliceInfo('<config><plate><filament id="3"/></plate></config>', 2).filaments, [2]);
  });

  it("are mapped by the project's filaments, in either form of the slots", () => {
    const file = parseSliceInfo(xml('1 2 1 2', [2, 4]), 1);
    deepStrictEqual(slotsOfProject(['ams0-1', 'ams1-2'], file), ['-', 'ams0-1', '-', 'ams1-2']);
    deepStrictEqual(slotsOfProject(['-', 'ams0-1', '-', 'ams1-2'], file), ['-', 'ams0-1', '-', 'ams1-2']);
    strictEqual(slotsOfProject(['ams0-1'], file), undefined);
    deepStrictEqual(slotsOfProject(['ams0-1'], slicedForAnything), ['ams0-1']);
    // As sent to a real H2D, and as it reported the mapping.
    deepStrictEqual(filamentMapping(['-', 'ams0-1', '-', 'ams1-2']), {
      use_ams: true,
      ams_mapping: [-1, 1, -1, 6],
      ams_mapping2: [
        { ams_id: 255, slot_id: 255 },
        { ams_id: 0, slot_id: 1 },
        { ams_id: 255, slot_id: 255 },
        { ams_id: 1, slot_id: 2 },
      ],
    });
  });
});

describe('Bambu endings', () => {
  const timing = { cancelCodeMs: 10_000, staleStateMs: 90_000 };
  const ours = { name: 'ours', taskId: '1' };
  const other = { name: 'other', taskId: '2' };
  const ran = (): EndingJudge => {
    const judge = new EndingJudge(timing);
    judge.judge({ gcode_state: 'PREPARE' }, ours, 0);
    judge.judge({ gcode_state: 'RUNNING' }, ours, 1000);
    return judge;
  };

  it('recognises a stop by the code that follows FAILED', () => {
    const judge = ran();
    deepStrictEqual(judge.judge({ gcode_state: 'FAILED', print_error: 0 }, ours, 2000), {
      ending: null,
      undecidedForMs: 10_000,
    });
    strictEqual(judge.judge({ gcode_state: 'FAILED', print_error: 50348044 }, ours, 7600).ending, 'cancelled');
    strictEqual(
      judge.judge({ gcode_state: 'FAILED', print_error: 0, fail_reason: '50348044' }, ours, 90_000).ending,
      'cancelled',
    );
  });

  it('treats FAILED without a code as a failure, after a while', () => {
    const judge = ran();
    judge.judge({ gcode_state: 'FAILED' }, ours, 2000);
    strictEqual(judge.judge({ gcode_state: 'FAILED' }, ours, 12_001).ending, 'failed');
  });

  it('recognises our own stop requests, and failure reasons', () => {
    const asked = ran();
    asked.askedToStop('1');
    strictEqual(asked.judge({ gcode_state: 'FAILED' }, ours, 2000).ending, 'cancelled');
    strictEqual(ran().judge({ gcode_state: 'FAILED', fail_reason: '83902467' }, ours, 2000).ending, 'failed');
  });

  it('does not apply the reason of the last job to one that never ran', () => {
    const judge = new EndingJudge(timing);
    judge.judge({ gcode_state: 'PREPARE', fail_reason: '50348044' }, ours, 0);
    strictEqual(judge.judge({ gcode_state: 'FAILED', fail_reason: '50348044' }, ours, 1000).ending, null);
    strictEqual(judge.judge({ gcode_state: 'FAILED', fail_reason: '50348044' }, ours, 12_000).ending, 'failed');
  });

  it('does not treat an old FINISH under new ids as the end of the new job', () => {
    const judge = new EndingJudge(timing);
    strictEqual(judge.judge({ gcode_state: 'FINISH' }, other, 0).ending, 'finished');
    strictEqual(judge.judge({ gcode_state: 'FINISH' }, ours, 1000).ending, null);
    strictEqual(judge.judge({ gcode_state: 'PREPARE' }, ours, 50_000).ending, null);
    strictEqual(judge.judge({ gcode_state: 'FINISH' }, ours, 60_000).ending, 'finished');
  });

  it('recognises a job that ended before it was seen running', () => {
    const judge = new EndingJudge(timing);
    judge.judge({ gcode_state: 'IDLE' }, null, 0);
    strictEqual(judge.judge({ gcode_state: 'FINISH' }, ours, 1000).ending, 'finished');
  });

  it('keeps an ending after it was dismissed', () => {
    const judge = ran();
    judge.judge({ gcode_state: 'FINISH' }, ours, 2000);
    strictEqual(judge.judge({ gcode_state: 'IDLE' }, ours, 3000).ending, 'finished');
  });
});
