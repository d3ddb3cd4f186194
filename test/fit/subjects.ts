import type { FitJob, FitPrinter } from '../../lib/fit/subject';
import { materialId, printerId } from '../../lib/model/ids';
import type { PrinterCapabilities } from '../../lib/model/printer';
import type { SlicedFacts } from '../../lib/model/sliced-facts';

const volume = (x: number, y: number, z: number, fromX = 0) => ({
  min: { x: fromX, y: 0, z: 0 },
  max: { x: fromX + x, y, z },
});

const common: Omit<PrinterCapabilities, 'buildVolume' | 'nozzleDiameters'> = {
  maxNozzleTemperature: 300,
  maxBedTemperature: 110,
  materialTypes: ['PLA', 'PETG', 'ABS'],
  speedFactor: 1,
  usdPerHour: 1,
};

const ready = {
  online: true,
  state: 'idle' as const,
  bed: 'clear' as const,
  bedCause: null,
  busy: null,
};

const spool = (slot: string, tool: number, material: string | null, gramsFree = 1000) => ({
  slot,
  tool,
  materialId: material === null ? null : materialId(material),
  gramsFree,
});

/** An H2D with PLA on both nozzles, a Giga with PLA, an Artisan with PLA on the first and PETG on the second nozzle. */
export const h2d: FitPrinter = {
  ...ready,
  id: printerId('h2d'),
  name: 'H2D',
  make: 'bambu',
  capabilities: {
    ...common,
    buildVolume: volume(325, 320, 325, 25),
    toolVolumes: [volume(325, 320, 325, 25), volume(325, 320, 325)],
    multiNozzleVolume: volume(300, 320, 325, 25),
    nozzleDiameters: [0.4, 0.4],
    acceptsModels: ['Bambu Lab H2D', 'O1D'],
    model: 'O1D',
  },
  slots: [spool('ams0-0', 0, 'pla'), spool('ams0-1', 0, 'petg'), spool('ext-left', 1, 'pla')],
};
export const giga: FitPrinter = {
  ...ready,
  id: printerId('giga'),
  name: 'Giga',
  make: 'moonraker',
  capabilities: {
    ...common,
    buildVolume: volume(800, 800, 1000),
    nozzleDiameters: [0.4],
    nozzleChoices: [0.6],
    materialTypes: ['PLA', 'PETG'],
    acceptsModels: ['Elegoo OrangeStorm Giga'],
  },
  slots: [spool('extruder', 0, 'pla')],
};
export const artisan: FitPrinter = {
  ...ready,
  id: printerId('artisan'),
  name: 'Artisan',
  make: 'snapmaker',
  capabilities: {
    ...common,
    buildVolume: volume(400, 400, 400),
    nozzleDiameters: [0.4, 0.4],
    acceptsModels: ['Snapmaker Artisan', 'A400'],
  },
  slots: [spool('nozzle0', 0, 'pla'), spool('nozzle1', 1, 'petg')],
};

const materials = {
  pla: { name: 'PLA black', type: 'PLA', colourHex: '101010', nozzleTemperature: 210, bedTemperature: 60 },
  petg: { name: 'PETG white', type: 'PETG', colourHex: 'FAFAFA', nozzleTemperature: 240, bedTemperature: 80 },
};

/** The facts of a valid file of a 20 mm cube in PLA for the Giga, with changes. */
export function slicedFacts(changes: Partial<SlicedFacts> = {}): SlicedFacts {
  const box = { min: { x: 90, y: 90, z: 0.2 }, max: { x: 110, y: 110, z: 20 } };
  return {
    slicer: 'PrusaSlicer 2.5.0',
    madeFor: 'OrangeStormGiga',
    box,
    partBox: box,
    travelBox: box,
    extrudingMoves: 1000,
    nozzleTemperature: 210,
    bedTemperature: 60,
    badNumbers: 0,
    dangerousCommands: [],
    hottest: { nozzle: 0, bed: 0, chamber: 0 },
    loneReturns: 0,
    extendedCommands: [],
    commandLines: {},
    vendorCommands: [],
    complete: true,
    tools: [0],
    filaments: [{ filament: 1, tool: 0, type: 'PLA', colourHex: '101010', grams: 4 }],
    nozzleDiameters: [0.4],
    bedType: null,
    ...changes,
  };
}

export interface Wanted extends Partial<Omit<FitJob, 'print'>> {
  material?: keyof typeof materials;
  sliced?: Partial<SlicedFacts>;
  volumes?: string[];
  acceptUnknownMachine?: boolean;
  layerHeight?: number;
}

/** A job for a 20 mm cube in PLA: for a model, or with `sliced` for a file that was made for the Giga. */
export function job(wanted: Wanted = {}): FitJob {
  const { material = 'pla', sliced, volumes = [], acceptUnknownMachine = false, layerHeight, ...rest } = wanted;
  const filament = materials[material];
  return {
    materialId: materialId(material),
    materialType: filament.type,
    nozzleTemperature: filament.nozzleTemperature,
    bedTemperature: filament.bedTemperature,
    modelKind: sliced ? 'gcode' : 'stl',
    dimensions: { x: 20, y: 20, z: 20 },
    grams: 4,
    forcePrinter: null,
    print: {
      facts: { sliced: sliced ? slicedFacts(sliced) : null, volumes },
      material: filament,
      acceptUnknownMachine,
      ...(layerHeight !== undefined && { layerHeight }),
    },
    ...rest,
  };
}
