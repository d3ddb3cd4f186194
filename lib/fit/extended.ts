import type { FitReason } from '../model/fit';
import type { Make } from '../model/printer';
import type { SlicedFacts } from '../model/sliced-facts';
import { fileReason } from './file-reason';
import type { TargetMachine } from './sliced';

/** What slicers write for objects, speed, pressure and progress. Firmware that does not know it passes over it. */
const ofSlicers = [
  'ACTIVATE_EXTRUDER',
  'EXCLUDE_OBJECT',
  'EXCLUDE_OBJECT_DEFINE',
  'EXCLUDE_OBJECT_END',
  'EXCLUDE_OBJECT_START',
  'SET_FAN_SPEED',
  'SET_PRESSURE_ADVANCE',
  'SET_PRINT_STATS_INFO',
  'SET_RETRACTION',
  'SET_VELOCITY_LIMIT',
  'TIMELAPSE_TAKE_FRAME',
];

/** Beside these what Klipper's users write into start and end code; temperatures in it are read and judged. */
const ofKlipper = [
  ...ofSlicers,
  'BED_MESH_CALIBRATE',
  'BED_MESH_CLEAR',
  'BED_MESH_PROFILE',
  'CLEAR_PAUSE',
  'END_PRINT',
  'PAUSE',
  'PRINT_END',
  'PRINT_START',
  'QUAD_GANTRY_LEVEL',
  'RESPOND',
  'SET_DISPLAY_TEXT',
  'SET_GCODE_OFFSET',
  'SET_HEATER_TEMPERATURE',
  'START_PRINT',
  'TEMPERATURE_WAIT',
  'TIMELAPSE_RENDER',
  'TURN_OFF_HEATERS',
  'Z_TILT_ADJUST',
];

/**
 * The commands with names that a printer of each make takes from anybody's file. What any other does, only its owner knows: a
 * macro, or a command of Klipper that moves, heats or switches what nobody checks.
 */
const extendedCommandsOf: Readonly<Record<Make, ReadonlySet<string>>> = {
  bambu: new Set(ofSlicers),
  moonraker: new Set(ofKlipper),
  snapmaker: new Set(ofSlicers),
};

const mostNamed = 5;

/** What a submitted file calls by name that the printer does not take from a file. */
export function extendedReasons(facts: SlicedFacts, machine: TargetMachine): FitReason[] {
  const { make, name, capabilities } = machine;
  const own = new Set(capabilities.allowedMacros?.map((macro) => macro.toUpperCase()));
  const strange = facts.extendedCommands.filter(
    (command) => !extendedCommandsOf[make].has(command.name) && !own.has(command.name),
  );
  if (strange.length === 0) return [];
  const named = strange.slice(0, mostNamed).map((command) => `${command.name} in line ${command.line}`);
  const more = strange.length > mostNamed ? ` and ${strange.length - mostNamed} more` : '';
  return [
    fileReason(
      'extended_commands',
      `The G-code has commands that ${name} takes from no file: ${named.join(', ')}${more}.`,
      make === 'moonraker'
        ? `Take them out. A macro of ${name} that anybody may run belongs into the allowed macros of its node.`
        : `Take them out, or slice the model for ${name}.`,
    ),
  ];
}

/** Klipper reads on after a carriage return: what stands behind it would be read otherwise here than there. */
export function lineEndReasons({ loneReturns }: SlicedFacts, { make, name }: TargetMachine): FitReason[] {
  if (make !== 'moonraker' || loneReturns === 0) return [];
  const text = `The G-code has ${loneReturns} lines that end with a carriage return alone, which ${name} reads otherwise.`;
  return [
    fileReason('line_ends', text, 'Save it with line feeds (Unix) or with both (Windows), or slice the model again.'),
  ];
}
