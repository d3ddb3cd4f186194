import type { PrinterCapabilities, Volume } from '../model/printer';

/** A place for filament that a model comes with, and the tool that it feeds. */
export interface ModelSlot {
  slot: string;
  tool: number;
}

/** What is known of a machine model before any machine of it has answered. */
export interface PrinterModel {
  /** The word by which the maker, or else we, name the model. */
  token: string;
  /** As its maker calls it. */
  name: string;
  capabilities: PrinterCapabilities;
  slots: readonly ModelSlot[];
}

/** The volume from the origin to this corner, mm. */
export const volumeTo = (x: number, y: number, z: number): Volume => ({
  min: { x: 0, y: 0, z: 0 },
  max: { x, y, z },
});

/** No size is known: nothing fits, until somebody or the printer itself says how large it is. */
export const unknownVolume: Volume = volumeTo(0, 0, 0);

/** Elegoo's OrangeStorm Giga with one head. Volume as sold; its axes travel a little further. */
export const orangeStormGiga: PrinterModel = {
  token: 'orangestorm_giga',
  name: 'Elegoo OrangeStorm Giga',
  capabilities: {
    buildVolume: volumeTo(800, 800, 1000),
    nozzleDiameters: [0.4],
    acceptsModels: ['Elegoo OrangeStorm Giga', 'OrangeStorm Giga', 'EOGiga', 'EOS Giga'],
    maxNozzleTemperature: 300,
    maxBedTemperature: 110,
    materialTypes: ['PLA', 'PETG', 'TPU'],
    speedFactor: 1.2,
    usdPerHour: 1.4,
    // Elegoo's own profile: the bed heats in four quarters.
    bedZones: [
      { tool: 0, min: { x: 0, y: 0 }, max: { x: 405, y: 402.5 } },
      { tool: 1, min: { x: 405, y: 0 }, max: { x: 810, y: 402.5 } },
      { tool: 2, min: { x: 405, y: 402.5 }, max: { x: 810, y: 805 } },
      { tool: 3, min: { x: 0, y: 402.5 }, max: { x: 405, y: 805 } },
    ],
  },
  slots: [{ slot: 'extruder', tool: 0 }],
};

const artisanCapabilities: PrinterCapabilities = {
  buildVolume: volumeTo(400, 400, 400),
  nozzleDiameters: [0.4, 0.4],
  acceptsModels: ['Snapmaker Artisan', 'Artisan', 'A400', 'Snapmaker A400', 'Snapmaker Artisan Dual'],
  maxNozzleTemperature: 300,
  maxBedTemperature: 110,
  materialTypes: ['PLA', 'PETG', 'ABS', 'ASA', 'TPU'],
  speedFactor: 1.35,
  usdPerHour: 0.8,
};

/** Snapmaker's Artisan with its dual extruder; the same used with its left nozzle only. */
export const artisans: readonly [PrinterModel, ...PrinterModel[]] = [
  {
    token: 'artisan',
    name: 'Snapmaker Artisan',
    capabilities: artisanCapabilities,
    slots: [
      { slot: 'nozzle0', tool: 0 },
      { slot: 'nozzle1', tool: 1 },
    ],
  },
  {
    token: 'artisan_single',
    name: 'Snapmaker Artisan, left nozzle only',
    capabilities: { ...artisanCapabilities, nozzleDiameters: [0.4] },
    slots: [{ slot: 'nozzle0', tool: 0 }],
  },
];

/**
 * Any machine with Klipper. Its size, temperatures and nozzles stand in its own configuration; where that does not tell, what
 * nearly every machine can do is assumed of temperatures and nozzle, and nothing of its size.
 */
export const anyKlipper: PrinterModel = {
  token: 'klipper',
  name: 'Klipper printer',
  capabilities: {
    buildVolume: unknownVolume,
    nozzleDiameters: [0.4],
    maxNozzleTemperature: 250,
    maxBedTemperature: 100,
    materialTypes: ['PLA', 'PETG', 'ABS', 'ASA', 'TPU'],
    speedFactor: 1,
    usdPerHour: 0.5,
  },
  slots: [{ slot: 'extruder', tool: 0 }],
};
