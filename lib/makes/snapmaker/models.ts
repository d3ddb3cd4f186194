import type { PrinterCapabilities } from '../../model/printer';
import { type PrinterModel, volumeTo } from '../model-table';

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
