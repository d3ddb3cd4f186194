import type { MakeTraits } from '../../model/make-traits';

/** Snapmaker's Artisan. */
export const snapmakerTraits: MakeTraits = {
  printFile: { form: 'gcode', extension: '.gcode' },
  toolName: (tool) => `nozzle ${tool} (T${tool})`,
  toolWords: 'tools',
  numberedSlots: 'nozzle',
  // Its nozzles are those of the configured head.
  addsReportedSlots: false,
  extendedCommands: [],
  takesMacros: false,
  shareableIds: [],
  readsPastReturns: false,
  vendorCommandsInProfiles: false,
  gcodeFlavour: 'marlin2',
  pictureSizes: [300],
  brands: ['snapmaker'],
};
