import { SimulatorRequestError } from './request-error';

/** A filament as loaded into a slot. */
export interface Filament {
  /** Its id in the stock, for example pla_white_esun. */
  material: string;
  /** As an AMS reports it: PLA, PETG … */
  type: string;
  /** RRGGBB */
  colour: string;
  /** g/cm³ */
  density: number;
}

/** The data given when a filament is loaded; everything except the material is derived from its name if missing. */
export interface FilamentSpecification {
  material: string;
  type?: string;
  colour_hex?: string;
  density?: number;
}

const DIAMETER = 1.75;
const AREA = (Math.PI / 4) * DIAMETER * DIAMETER;
const ANY_DENSITY = 1.24;

/** g/cm³, as makers state them for common brands. */
const DENSITIES: Readonly<Record<string, number>> = {
  PLA: 1.24,
  PETG: 1.27,
  ABS: 1.06,
  ASA: 1.07,
  TPU: 1.21,
  'PA-CF': 1.09,
};

const COLOURS: Readonly<Record<string, string>> = {
  black: '000000',
  white: 'FFFFFF',
  red: 'C62828',
  grey: '808080',
  clear: 'E8EEF2',
  gold: 'D4AF37',
};

/** @throws SimulatorRequestError if it is no filament */
export function filamentOf(given: string | FilamentSpecification): Filament {
  const { material, type, colour_hex, density } =
    typeof given === 'string' ? ({ material: given } as FilamentSpecification) : given;
  if (typeof material !== 'string' || material.trim() === '') {
    throw new SimulatorRequestError('Say which: {"slot": "…", "material": "pla_white_esun"}; null takes it out.');
  }
  if (colour_hex !== undefined && !/^[0-9a-f]{6}$/i.test(colour_hex)) {
    throw new SimulatorRequestError(`colour_hex is six hexadecimal digits, not "${colour_hex}".`);
  }
  if (density !== undefined && !(density > 0)) {
    throw new SimulatorRequestError(`density is g/cm³ and more than 0, not "${density}".`);
  }
  const words = material.toLowerCase().split('_');
  const kind = type ?? typeOf(words[0] ?? '');
  return {
    material,
    type: kind,
    colour: (colour_hex ?? COLOURS[words.find((word) => word in COLOURS) ?? ''] ?? '808080').toUpperCase(),
    density: density ?? DENSITIES[kind] ?? ANY_DENSITY,
  };
}

/** Converts mm of a 1.75 mm filament to grams. */
export function gramsOf(millimetres: number, { density }: Pick<Filament, 'density'>): number {
  return (millimetres * AREA * density) / 1000;
}

function typeOf(word: string): string {
  return word === 'pacf' ? 'PA-CF' : word.toUpperCase();
}
