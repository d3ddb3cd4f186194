import { deepStrictEqual, strictEqual } from 'node:assert';
import { errorMessage, httpError, rpcError } from '../../../lib/makes/moonraker/errors';
import {
  type MoonrakerState,
  mapCapabilities,
  mapProgress,
  mapSlots,
  mapState,
  mapTemperatures,
  mapToolHead,
  usefulSettings,
  watchedObjects,
} from '../../../lib/makes/moonraker/state-mapping';

describe('Moonraker state', () => {
  it('is a fault after a shutdown, although the print shows as paused', () => {
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

  it('does not use the message from the ready state as the reason of a shutdown', () => {
    const mapped = mapState({
      klippy: 'shutdown',
      klippyMessage: 'MCU lost',
      objects: {
        print_stats: { state: 'printing', filename: 'a.gcode' },
        webhooks: { state: 'ready', state_message: 'Printer is ready' },
      },
      lastJob: undefined,
    });
    strictEqual(mapped.message, 'MCU lost');
  });

  it('is unknown for an unknown word', () => {
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

  it('computes progress from the byte range of the g-code', () => {
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

  it('names heaters and extruders, and uses the sensor to report whether filament is present', () => {
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
      { slot: 'extruder', tool: 0, present: false },
      { slot: 'extruder1', tool: 1, present: false },
    ]);
    deepStrictEqual(
      Object.keys(watchedObjects(['fan', 'extruder', 'heater_generic heater_bed3', 'toolhead'])).length,
      6,
    );
  });
});

describe('The capabilities that Klipper reports', () => {
  const settings = {
    extruder: { nozzle_diameter: 0.6, max_temp: 300 },
    extruder1: { nozzle_diameter: 0.4, max_temp: 280 },
    heater_bed: { max_temp: 120 },
    'gcode_macro start': { gcode: 'G28' },
  };
  const stateOf = (axis_minimum: number[], axis_maximum: number[]): MoonrakerState => ({
    klippy: 'ready',
    klippyMessage: '',
    objects: { extruder1: {}, extruder: {}, toolhead: { axis_minimum, axis_maximum } },
    lastJob: undefined,
  });

  it('are read from its configuration and its axes, nozzles by number', () => {
    const configuration = usefulSettings({ settings });
    deepStrictEqual(Object.keys(configuration), ['extruder', 'extruder1', 'heater_bed']);
    const state = stateOf([-5, -1, -12, 0], [355, 345, 350, 0]);
    deepStrictEqual(mapCapabilities(state, configuration), {
      nozzleDiameters: [0.6, 0.4],
      maxNozzleTemperature: 280,
      maxBedTemperature: 120,
      buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 355, y: 345, z: 350 } },
    });
    deepStrictEqual(mapToolHead(state, configuration).nozzleDiameters, [0.6, 0.4]);
  });

  it('keep the half of a delta that lies behind its origin', () => {
    const { buildVolume } = mapCapabilities(stateOf([-120, -120, -2, 0], [120, 120, 250, 0]), {});
    deepStrictEqual(buildVolume, { min: { x: -120, y: -120, z: 0 }, max: { x: 120, y: 120, z: 250 } });
  });

  it('are missing if it does not report them, or not for every extruder', () => {
    deepStrictEqual(mapCapabilities({ ...stateOf([], []), objects: {} }, {}), {});
    const { nozzleDiameters } = mapToolHead(stateOf([], []), { extruder: settings.extruder });
    deepStrictEqual(nozzleDiameters, []);
  });
});

describe('Moonraker errors', () => {
  it('finds the text in the wrapper of old versions', () => {
    strictEqual(errorMessage("{'error': 'WebRequestError', 'message': 'SD busy'}"), 'SD busy');
    strictEqual(
      errorMessage("{'error': 'WebRequestError', 'message': \"The value 'x' is not valid\"}"),
      "The value 'x' is not valid",
    );
    strictEqual(errorMessage('Unable to open file'), 'Unable to open file');
  });

  it('tolerates HTML from a proxy', () => {
    const error = httpError(504, '<html>504 Gateway Time-out</html>');
    deepStrictEqual([error.status, error.message], [504, 'HTTP 504']);
  });

  it('recognises a rejected login in both forms', () => {
    strictEqual(rpcError({ code: -32602, message: 'Unauthorized' }).unauthorized, true);
    strictEqual(httpError(401, '{"error":{"code":401,"message":"Unauthorized"}}').unauthorized, true);
    strictEqual(rpcError({ code: 400, message: 'SD busy' }).unauthorized, false);
  });
});
