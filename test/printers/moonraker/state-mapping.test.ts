import { deepStrictEqual, strictEqual } from 'node:assert';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { errorMessage, httpError, rpcError } from '../../../lib/printers/moonraker/errors';
import {
  type MoonrakerState,
  mapProgress,
  mapSlots,
  mapState,
  mapTemperatures,
  mergeObjects,
  readHistoryJob,
  watchedObjects,
} from '../../../lib/printers/moonraker/state-mapping';

interface Entry {
  t: number;
  kind: string;
  body?: {
    result?: { status?: Record<string, unknown> };
    method?: string;
    params?: [Record<string, unknown>];
  };
}

/** Replays a transcript and lists what the printer did: each change of state, job and ending. */
function replay(file: string): string[] {
  let state: MoonrakerState = { klippy: 'ready', klippyMessage: '', objects: {}, lastJob: undefined };
  const seen: string[] = [];
  const lines = readFileSync(join(__dirname, '..', '..', 'fixtures', 'moonraker', file), 'utf8').split('\n');
  for (const line of lines.filter((text) => text !== '')) {
    const entry: Entry = JSON.parse(line);
    const status = entry.body?.result?.status;
    const parameter = entry.body?.params?.[0];
    if (entry.kind === 'rpc_resp' && status?.print_stats !== undefined)
      state = { ...state, klippy: 'ready', objects: status };
    else if (entry.kind !== 'notify') continue;
    else if (entry.body?.method === 'notify_status_update') {
      state = { ...state, objects: mergeObjects(state.objects, parameter) };
    } else if (entry.body?.method === 'notify_history_changed') {
      state = { ...state, lastJob: readHistoryJob(parameter?.job) };
    } else if (entry.body?.method === 'notify_klippy_ready') state = { ...state, klippy: 'ready' };
    else if (entry.body?.method === 'notify_klippy_shutdown') state = { ...state, klippy: 'shutdown' };
    else if (entry.body?.method === 'notify_klippy_disconnected') state = { ...state, klippy: 'disconnected' };
    else continue;
    const mapped = mapState(state);
    const text = `${mapped.state} ${mapped.job?.name ?? '-'} ${mapped.ending ?? '-'}`;
    if (text !== seen.at(-1)) seen.push(text);
  }
  return seen;
}

/** Whether the texts occur in this order, others between them allowed. */
function follows(seen: string[], expected: string[]): void {
  let from = 0;
  for (const text of expected) {
    const at = seen.indexOf(text, from);
    strictEqual(at >= 0, true, `"${text}" does not follow in ${JSON.stringify(seen, null, 1)}`);
    from = at + 1;
  }
}

describe('Moonraker transcripts', () => {
  it('print, pause, resume and completion (modern)', () => {
    const seen = replay('modern-giga-1.jsonl');
    strictEqual(seen[0], 'idle - -');
    follows(seen, [
      'preparing pr.gcode -',
      'printing pr.gcode -',
      'paused pr.gcode -',
      'printing pr.gcode -',
      'idle pr.gcode finished',
      'preparing ca.gcode -',
      'idle ca.gcode cancelled',
      'paused heat.gcode -',
      'idle heat.gcode finished',
    ]);
  });

  for (const vintage of ['legacy-giga-1.jsonl', 'modern-giga-2.jsonl']) {
    it(`errors, emergency stop and a killed host (${vintage})`, () => {
      follows(replay(vintage), [
        'idle err.gcode failed',
        'idle fan.gcode failed',
        'printing es.gcode -',
        'fault es.gcode failed',
        'idle es.gcode failed',
        'printing kk.gcode -',
        'busy kk.gcode failed',
        'idle km.gcode finished',
      ]);
    });
  }

  it('cancels that leave no file name (legacy)', () => {
    follows(replay('legacy-giga-1.jsonl'), [
      'printing ca.gcode -',
      'idle ca.gcode cancelled',
      'paused ca.gcode -',
      'idle ca.gcode cancelled',
    ]);
  });

  it('a file that ends at once changes only the name (legacy)', () => {
    follows(replay('legacy-giga-2.jsonl'), ['idle nx.gcode finished', 'idle empty.gcode finished']);
  });
});

describe('Moonraker state', () => {
  it('is a fault after a shutdown, although the print says paused', () => {
    const mapped = mapState({
      klippy: 'shutdown',
      klippyMessage: '',
      objects: {
        print_stats: { state: 'paused', filename: 'a.gcode' },
        webhooks: { state: 'shutdown', state_message: 'MCU lost' },
      },
      lastJob: undefined,
    });
    deepStrictEqual(mapped, { state: 'fault', job: { name: 'a.gcode' }, ending: 'failed', message: 'MCU lost' });
  });

  it('is unknown for a word that nobody knows', () => {
    strictEqual(
      mapState({
        klippy: 'ready',
        klippyMessage: '',
        objects: { print_stats: { state: 'dancing' } },
        lastJob: undefined,
      }).state,
      'unknown',
    );
  });

  it('counts progress between the bytes of the g-code', () => {
    const objects = {
      print_stats: { state: 'printing', print_duration: 60 },
      virtual_sdcard: { file_position: 600, progress: 0.1 },
    };
    deepStrictEqual(mapProgress(objects, { startByte: 100, endByte: 1100, estimatedSeconds: 600 }), {
      progress: 0.5,
      remainingMinutes: 5,
    });
    deepStrictEqual(mapProgress(objects, {}), { progress: 0.1, remainingMinutes: 9 });
  });

  it('names heaters and extruders, and tells by the sensor whether filament is there', () => {
    const objects = {
      extruder: { temperature: 20, target: 0 },
      extruder1: { temperature: 21, target: 5 },
      heater_bed: { temperature: 30, target: 60 },
      'heater_generic heater_bed1': { temperature: 31, target: 0 },
      'filament_switch_sensor fila': { filament_detected: false, enabled: true },
    };
    deepStrictEqual(
      mapTemperatures(objects).map((temperature) => temperature.name),
      ['nozzle', 'nozzle1', 'bed', 'bed1'],
    );
    deepStrictEqual(mapSlots(objects), [
      { slot: 'extruder', present: false },
      { slot: 'extruder1', present: false },
    ]);
    deepStrictEqual(
      Object.keys(watchedObjects(['fan', 'extruder', 'heater_generic heater_bed3', 'toolhead'])).length,
      6,
    );
  });
});

describe('Moonraker errors', () => {
  it('finds the text in what old versions wrap', () => {
    strictEqual(errorMessage("{'error': 'WebRequestError', 'message': 'SD busy'}"), 'SD busy');
    strictEqual(
      errorMessage("{'error': 'WebRequestError', 'message': \"The value 'x' is not valid\"}"),
      "The value 'x' is not valid",
    );
    strictEqual(errorMessage('Unable to open file'), 'Unable to open file');
  });

  it('bears HTML from a proxy', () => {
    const error = httpError(504, '<html>504 Gateway Time-out</html>');
    deepStrictEqual([error.status, error.message], [504, 'HTTP 504']);
  });

  it('knows a refused login in both of its shapes', () => {
    strictEqual(rpcError({ code: -32602, message: 'Unauthorized' }).unauthorized, true);
    strictEqual(httpError(401, '{"error":{"code":401,"message":"Unauthorized"}}').unauthorized, true);
    strictEqual(rpcError({ code: 400, message: 'SD busy' }).unauthorized, false);
  });
});
