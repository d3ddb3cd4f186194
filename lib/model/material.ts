import type { MaterialId } from './ids';

/** A filament product. */
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

/** °C by which a print may differ from the temperatures of its material: the nozzle either way, the bed upwards. */
export const materialTolerance = { nozzle: 60, bed: 40 };

/** Other names of a type: PrusaSlicer calls TPU `FLEX`. */
const typeNames: Readonly<Record<string, string>> = { FLEX: 'TPU', NYLON: 'PA', PAHT: 'PA' };

/**
 * Whether two names may denote the same type of filament: `PLA`, `PLA+` and `PLA Silk` do; `PLA-CF` does not, because
 * fibres need another nozzle, nor does `PLA-S`, which is for supports. `PA6-CF` and `PA-CF` do: a Bambu AMS distinguishes
 * them, a label often does not.
 */
export function isSameType(one: string, other: string): boolean {
  const parts = (name: string) => {
    const upper = name.trim().toUpperCase();
    const base = /^[A-Z]*/.exec(upper)?.[0] ?? '';
    return `${typeNames[base] ?? base} ${/\b(CF|GF)\b|-S$/.exec(upper)?.[0] ?? ''}`;
  };
  return parts(one) === parts(other);
}

/** The weight of a length of filament (grams). */
export function gramsOfFilament(
  lengthMm: number,
  material: Pick<Material, 'densityGramsPerCm3' | 'diameterMm'>,
): number {
  const crossSectionMm2 = Math.PI * (material.diameterMm / 2) ** 2;
  return (lengthMm * crossSectionMm2 * material.densityGramsPerCm3) / 1000;
}
