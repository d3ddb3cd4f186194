import type { Machine } from '../machine';
import { filamentUsed } from '../print-run';
import { AMBIENT_CELSIUS, type Temperature, temperaturesOf } from '../temperatures';
import { extruderCount, extruderName } from './extruders';
import type { Profile } from './profiles';
import type { MoonrakerState, PrintStats } from './state';

export type PrinterObject = Record<string, unknown>;

const GCODES_FOLDER = '/home/elegoo/printer_data/gcodes';
const ADDITIONAL_BEDS = ['heater_generic heater_bed1', 'heater_generic heater_bed2', 'heater_generic heater_bed3'];
/** The travel of the carriage by the number of its heads (mm). */
const X_MAXIMUM: Readonly<Record<number, number>> = { 1: 815.5, 2: 405.5, 4: 205.5 };
export const FILAMENT_SENSOR = 'filament_switch_sensor fila';

/** Klipper's print_stats at this moment. */
export function printStats(machine: Machine<MoonrakerState>): PrintStats {
  const { run, progress } = machine.engine;
  if (run === null || progress === undefined) return machine.extra.idleStats;
  const { facts } = run.job;
  const extruding = progress.layer > 0;
  return {
    filename: run.job.fileName,
    total_duration: progress.totalSeconds,
    print_duration: progress.printSeconds,
    filament_used: filamentUsed(run.job, progress.fraction),
    state: run.paused === null ? 'printing' : 'paused',
    message: '',
    info: {
      total_layer: extruding ? facts.layers : null,
      current_layer: extruding ? progress.layer : null,
    },
  };
}

/** All objects that the printer has, with their present values (protocol notes, section 3). */
export function printerObjects(machine: Machine<MoonrakerState>, profile: Profile): Record<string, PrinterObject> {
  const { engine, extra } = machine;
  const stats = printStats(machine);
  const temperatures = temperaturesOf(engine);
  const { run, progress } = engine;
  const size = run?.job.size ?? engine.last?.job.size ?? 0;
  const complete = run === null && stats.state === 'complete';
  const held = run === null && (complete || stats.state === 'error' || stats.state === 'cancelled');
  const fraction = run === null ? (complete ? 1 : held ? (engine.last?.fraction ?? 0) : 0) : (progress?.fraction ?? 0);
  const busy = run !== null && run.paused === null;
  const running = progress?.totalSeconds ?? 0;
  const bed = { temperature: rounded(temperatures.bed.current), target: temperatures.bed.target };
  const extruders = Array.from({ length: extruderCount(machine) }, (_, tool) => extruderName(tool));
  const power = (target: number): number => (target > 0 ? 0.4 : 0);
  const objects: Record<string, PrinterObject> = {
    configfile: {
      settings: {
        mcu: { serial: `/dev/serial/by-id/usb-Klipper_stm32f446xx_${machine.hardwareId.toUpperCase()}-if00` },
      },
    },
    webhooks: { state: extra.klippy, state_message: extra.klippyMessage },
    print_stats: { ...stats },
    virtual_sdcard: {
      file_path: run === null ? null : `${GCODES_FOLDER}/${run.job.fileName}`,
      progress: fraction,
      is_active: busy,
      file_position: Math.floor(fraction * size),
      file_size: run !== null || held ? size : 0,
    },
    display_status: { progress: fraction, message: extra.displayMessage },
    pause_resume: { is_paused: !profile.gigaMacros && run?.paused != null },
    idle_timeout: {
      state: busy ? 'Printing' : 'Ready',
      printing_time: busy ? running : 0,
      ...(profile.legacy ? {} : { idle_timeout: 7200 }),
    },
    toolhead: {
      homed_axes: 'xyz',
      axis_minimum: [-5, -1, -12, 0],
      axis_maximum: [X_MAXIMUM[extra.heads] ?? 815.5, 805.5, 1020, 0],
      print_time: 28.7 + running,
      stalls: 0,
      estimated_print_time: 28.7 + running,
      extruder: extruderName(machine.extra.heads > 1 ? 0 : temperatures.active),
      position: busy
        ? [100 + ((progress?.line ?? 0) % 50), 102, Math.max(0.2, fraction * (run?.job.facts.height ?? 0)), 12]
        : [25, 29, 210, 12],
      max_velocity: 500,
      max_accel: 5000,
      ...(profile.legacy ? { max_accel_to_decel: 2500 } : { minimum_cruise_ratio: 0.5, extra_axes: { extruder: 3 } }),
      square_corner_velocity: 5,
    },
    extruder: {},
    heater_bed: { ...bed, power: power(bed.target) },
    gcode_move: { speed_factor: 1, extrude_factor: 1, absolute_coordinates: true, absolute_extrude: true },
    heaters: { available_heaters: ['heater_bed', ...ADDITIONAL_BEDS, ...extruders], available_sensors: [] },
  };
  // M140 and M190 that name no zone heat all four of a Giga.
  const zone = profile.gigaMacros
    ? { ...bed, power: power(bed.target) }
    : { temperature: AMBIENT_CELSIUS, target: 0, power: 0 };
  for (const name of ADDITIONAL_BEDS) objects[name] = { ...zone };
  for (const [tool, name] of extruders.entries()) {
    // Heads that ride together are heated together.
    const heater = extra.heads > 1 ? temperatures.nozzle : temperatures.tool(tool);
    objects[name] = extruderObject(heater, power(heater.target));
    // The macros by which a file picks an extruder; Klipper itself has no such commands.
    if (machine.options.extruders !== undefined && machine.options.extruders > 1) objects[`gcode_macro T${tool}`] = {};
  }
  // The one sensor watches the first extruder; a machine with several to pick from is often built without.
  if (machine.options.extruders === undefined || machine.options.extruders === 1) {
    const isRunOut = run?.paused?.cause === 'runout';
    const detected = !isRunOut && machine.filamentIn(extruderName(0)) !== null;
    objects[FILAMENT_SENSOR] = { filament_detected: detected, enabled: true };
  }
  return objects;
}

function extruderObject({ current, target }: Temperature, power: number): PrinterObject {
  return {
    temperature: rounded(current),
    target,
    power,
    can_extrude: current >= 170,
    pressure_advance: 0.02,
    smooth_time: 0.04,
    motion_queue: null,
  };
}

/** The objects and fields that were asked for; null or missing fields mean all, an unknown object is empty. */
export function selectObjects(
  all: Record<string, PrinterObject>,
  wanted: Record<string, readonly string[] | null>,
): Record<string, PrinterObject> {
  const selected: Record<string, PrinterObject> = {};
  for (const [name, fields] of Object.entries(wanted)) {
    const object = all[name] ?? {};
    selected[name] =
      fields === null ? object : Object.fromEntries(Object.entries(object).filter(([field]) => fields.includes(field)));
  }
  return selected;
}

function rounded(celsius: number): number {
  return Math.round(celsius * 100) / 100;
}
