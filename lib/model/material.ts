import type { MaterialId } from './ids';

/** A filament as it is bought. */
export interface Material {
  id: MaterialId;
  name: string;
  /** `PLA`, `PETG`, `ABS` … */
  type: string;
  colour: string;
  /** RRGGBB */
  colourHex: string;
  brand: string;
  densityGramsPerCm3: number;
  diameterMm: number;
  usdPerKg: number;
  nozzleTemperature: number;
  bedTemperature: number;
}

/** °C by which a print may differ from what its material wants: the nozzle either way, the bed upwards. */
export const materialTolerance = { nozzle: 60, bed: 40 };

/** Grams of a length of filament. */
export function gramsOfFilament(
  lengthMm: number,
  material: Pick<Material, 'densityGramsPerCm3' | 'diameterMm'>,
): number {
  const crossSectionMm2 = Math.PI * (material.diameterMm / 2) ** 2;
  return (lengthMm * crossSectionMm2 * material.densityGramsPerCm3) / 1000;
}
