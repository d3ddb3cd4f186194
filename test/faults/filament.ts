// The contents of the slots of the campaign's printers: arranged so that a tool that never changes, or a slot that is mistaken
// for another, prints in the wrong filament somewhere.

export type Make = 'bambu' | 'moonraker' | 'snapmaker';

/** A slot: its filament, and the tool that it feeds. */
export interface FilledSlot {
  slot: string;
  material: string;
  /** From 0; on a Bambu 0 is the right nozzle, 1 the left one. */
  tool: number;
}

/** The configuration of a simulated printer, and its filament. */
export interface Setup {
  options: { profile?: string; extruders?: number; ams?: string };
  slots: FilledSlot[];
}

const filled = (slot: string, tool: number, material: string): FilledSlot => ({ slot, tool, material });

const bambu: Setup = {
  options: { ams: '0:right,1:left' },
  slots: [
    filled('ams0-0', 0, 'pla_black_esun'),
    filled('ams0-1', 0, 'pla_white_esun'),
    filled('ams0-2', 0, 'petg_black_esun'),
    filled('ams1-0', 1, 'pla_red_esun'),
    filled('ams1-1', 1, 'petg_white_esun'),
  ],
};

/** The first, third … printer of a make, and the second, fourth …. */
const setups: Record<Make, [odd: Setup, even: Setup]> = {
  bambu: [bambu, bambu],
  moonraker: [
    { options: {}, slots: [filled('extruder', 0, 'pla_black_esun')] },
    {
      options: { profile: 'modern', extruders: 2 },
      slots: [filled('extruder', 0, 'petg_black_esun'), filled('extruder1', 1, 'pla_white_esun')],
    },
  ],
  snapmaker: [
    { options: {}, slots: [filled('nozzle0', 0, 'pla_black_esun'), filled('nozzle1', 1, 'pla_white_esun')] },
    { options: {}, slots: [filled('nozzle0', 0, 'petg_black_esun'), filled('nozzle1', 1, 'pla_red_esun')] },
  ],
};

/** @param number from 1, among the printers of its make */
export function setupOf(make: Make, number: number): Setup {
  return setups[make][number % 2 === 1 ? 0 : 1];
}

/** PLA or PETG: the campaign has no others. */
export function typeOf(material: string): 'PLA' | 'PETG' {
  return material.startsWith('petg') ? 'PETG' : 'PLA';
}

/** A material as the campaign's owner defines it for the farm, which has none by default. */
export function descriptionOf(material: string): Record<string, string | number> {
  const type = typeOf(material);
  const colour = material.split('_')[1] ?? '';
  const colours: Record<string, string> = { black: '101010', white: 'F5F5F5', red: 'C62828' };
  return {
    material_id: material,
    name: `eSUN ${type} ${colour}`,
    ...{ type, colour, brand: 'eSUN', colour_hex: colours[colour] ?? '808080', usd_per_kg: 20 },
    ...(type === 'PLA'
      ? { density_g_cm3: 1.24, nozzle_temp: 210, bed_temp: 60 }
      : { density_g_cm3: 1.27, nozzle_temp: 240, bed_temp: 80 }),
  };
}
