import type { MakeTraits } from '../../model/make-traits';

const source = 'Submit a .gcode.3mf sliced by Bambu Studio or OrcaSlicer';

/** Bambu Lab's printers: each accepts an archive in which Bambu Studio describes the G-code. */
export const bambuTraits: MakeTraits = {
  printFile: { form: 'gcode_3mf', extension: '.gcode.3mf' },
  toolName: (tool) => (tool === 0 ? 'the right nozzle' : 'the left nozzle'),
  toolWords: 'filaments',
  // The external spool of an H2D feeds one side. An AMS feeds the nozzle that it is assigned to, which the printer
  // reports.
  slotTools: new Map([['ext-left', 1]]),
  addsReportedSlots: true,
  extendedCommands: [],
  takesMacros: false,
  shareableIds: [],
  readsPastReturns: false,
  vendorCommandsInProfiles: true,
  gcodeFlavour: 'marlin',
  pictureSizes: [512, 128],
  brands: ['bambulab', 'bambu', 'bbl'],
  untrustedRemedy: {
    judged: `${source} for this printer, or permit untrusted files for it.`,
    prepared: `${source} for the H2D, or permit untrusted files for this printer.`,
  },
};
