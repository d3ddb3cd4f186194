import { materialId } from '../../lib/model/ids';
import type { Material } from '../../lib/model/material';
import type { Make } from '../../lib/model/printer';
import type { SlicingMachine } from '../../lib/slicing/slicer';

export const pla: Material = {
  id: materialId('pla_black'),
  name: 'PLA black',
  type: 'PLA',
  colour: 'black',
  colourHex: '101010',
  brand: 'eSun',
  densityGramsPerCm3: 1.24,
  diameterMm: 1.75,
  usdPerKg: 20,
  nozzleTemperature: 215,
  bedTemperature: 60,
};

function machine(
  printerId: string,
  make: Make,
  model: string,
  [x, y, z]: [number, number, number],
  nozzles: number[],
): SlicingMachine {
  return {
    printerId,
    make,
    tool: 0,
    capabilities: {
      buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x, y, z } },
      nozzleDiameters: nozzles,
      maxNozzleTemperature: 300,
      maxBedTemperature: 110,
      materialTypes: ['PLA'],
      speedFactor: 1,
      usdPerHour: 1,
      acceptsModels: make === 'bambu' ? [model, 'O1D'] : [model],
    },
  };
}

export const giga = machine('elegoo_giga', 'moonraker', 'Elegoo OrangeStorm Giga', [800, 800, 1000], [0.4]);
export const artisan = machine('snapmaker_artisan', 'snapmaker', 'Snapmaker Artisan', [400, 400, 400], [0.4, 0.4]);
export const h2d = machine('bamboo_h2d', 'bambu', 'Bambu Lab H2D', [325, 320, 325], [0.4, 0.4]);
