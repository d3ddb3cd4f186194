import { simulatedFilaments } from '../beds/register-printer';
import type { MaterialId } from '../model/ids';
import type { Material } from '../model/material';
import { anyMaterial } from '../store/materials';
import type { Transaction } from '../store/queryable';
import { addUnknownMaterial } from '../store/stock-changes';

type Row = [
  id: string,
  name: string,
  type: string,
  colour: string,
  colourHex: string,
  brand: string,
  densityGramsPerCm3: number,
  usdPerKg: number,
  nozzleTemperature: number,
  bedTemperature: number,
];

const rows: readonly Row[] = [
  ['pla_black_esun', 'eSUN PLA+ black', 'PLA', 'black', '101010', 'eSUN', 1.24, 19.99, 210, 60],
  ['pla_white_esun', 'eSUN PLA+ white', 'PLA', 'white', 'F5F5F5', 'eSUN', 1.24, 19.99, 210, 60],
  ['pla_red_esun', 'eSUN PLA+ red', 'PLA', 'red', 'C62828', 'eSUN', 1.24, 19.99, 210, 60],
  ['pla_grey_polymaker', 'PolyTerra PLA grey', 'PLA', 'grey', '808080', 'Polymaker', 1.31, 21.99, 210, 60],
  ['petg_black_esun', 'eSUN PETG black', 'PETG', 'black', '151515', 'eSUN', 1.27, 21.99, 240, 80],
  ['petg_white_esun', 'eSUN PETG white', 'PETG', 'white', 'FAFAFA', 'eSUN', 1.27, 21.99, 240, 80],
  ['petg_clear_prusament', 'Prusament PETG clear', 'PETG', 'clear', 'E8EEF2', 'Prusament', 1.27, 29.99, 250, 85],
  ['abs_black_esun', 'eSUN ABS+ black', 'ABS', 'black', '121212', 'eSUN', 1.06, 22.99, 250, 100],
  ['asa_grey_polymaker', 'PolyLite ASA grey', 'ASA', 'grey', '7A7F85', 'Polymaker', 1.07, 29.99, 250, 95],
  ['tpu_black_sainsmart', 'SainSmart TPU 95A black', 'TPU', 'black', '0D0D0D', 'SainSmart', 1.21, 27.99, 225, 50],
  ['pacf_black_bambu', 'Bambu PA-CF black', 'PA-CF', 'black', '1B1B1B', 'Bambu Lab', 1.09, 89.99, 280, 100],
  ['pla_silk_gold_esun', 'eSUN Silk PLA gold', 'PLA', 'gold', 'D4AF37', 'eSUN', 1.23, 24.99, 220, 60],
];

/** The materials of the demonstration farm. A real farm has only those that its owner adds. */
export const demoMaterials: readonly Material[] = rows.map(
  ([
    id,
    name,
    type,
    colour,
    colourHex,
    brand,
    densityGramsPerCm3,
    usdPerKg,
    nozzleTemperature,
    bedTemperature,
  ]): Material => ({
    ...{ id: id as MaterialId, name, type, colour, colourHex, brand, densityGramsPerCm3, diameterMm: 1.75, usdPerKg },
    ...{ nozzleTemperature, bedTemperature },
  }),
);

/**
 * Adds the materials of the demonstration: all of them to a farm without materials, otherwise only those in the slots of simulated
 * printers. Existing materials do not change.
 */
export async function addDemoMaterials(tx: Transaction): Promise<void> {
  const wanted = (await anyMaterial(tx))
    ? demoMaterials.filter(({ id }) => simulatedFilaments.includes(id))
    : demoMaterials;
  for (const material of wanted) await addUnknownMaterial(tx, material);
}
