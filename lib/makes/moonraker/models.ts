import { type PrinterModel, unknownVolume, volumeTo } from '../model-table';

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

/** An Elegoo Neptune 4; all of them heat the nozzle equally. Sizes as sold; the axes travel a little further. */
const neptune4 = (token: string, name: string, size: [x: number, y: number, z: number], more = {}): PrinterModel => ({
  token,
  name,
  capabilities: {
    buildVolume: volumeTo(...size),
    nozzleDiameters: [0.4],
    acceptsModels: [name, name.replace('Elegoo ', '')],
    maxNozzleTemperature: 300,
    maxBedTemperature: 110,
    materialTypes: ['PLA', 'PETG', 'ABS', 'TPU'],
    speedFactor: 1,
    usdPerHour: 0.4,
    ...more,
  },
  slots: [{ slot: 'extruder', tool: 0 }],
});

/** Machines with Klipper that an owner can choose by name. What the machine reports takes precedence. */
export const klipperModels: readonly PrinterModel[] = [
  neptune4('neptune_4', 'Elegoo Neptune 4', [225, 225, 265]),
  neptune4('neptune_4_pro', 'Elegoo Neptune 4 Pro', [225, 225, 265], { usdPerHour: 0.45 }),
  neptune4('neptune_4_plus', 'Elegoo Neptune 4 Plus', [320, 320, 385], { maxBedTemperature: 85, usdPerHour: 0.5 }),
  neptune4('neptune_4_max', 'Elegoo Neptune 4 Max', [420, 420, 480], { maxBedTemperature: 85, usdPerHour: 0.6 }),
];

/**
 * Any machine with Klipper. Its own configuration has its size, temperatures and nozzles; if it does not, temperatures
 * and nozzle of nearly every machine are assumed, but no size.
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
