import type { MakeTraits } from '../../model/make-traits';

/** Printers with Klipper behind Moonraker. */
export const moonrakerTraits: MakeTraits = {
  printFile: { form: 'gcode', extension: '.gcode' },
  toolName: (tool) => `nozzle ${tool} (T${tool})`,
  toolWords: 'tools',
  numberedSlots: 'extruder',
  addsReportedSlots: true,
  // Commands that Klipper's users write into start and end code; temperatures in them are read and checked.
  extendedCommands: [
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
  ],
  takesMacros: true,
  shareableIds: ['mcu', 'host'],
  readsPastReturns: true,
  vendorCommandsInProfiles: false,
  // PrusaSlicer before 2.6 does not support `klipper`: `marlin` is what Klipper reads, as long as no machine limits are
  // emitted.
  gcodeFlavour: 'marlin',
  pictureSizes: [400, 160, 114, 32],
  // Klipper runs on printers of many makers.
  brands: [],
};
