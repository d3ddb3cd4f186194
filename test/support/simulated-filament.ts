import type { Make } from '../../lib/model/printer';

/**
 * The initial filament of a simulated printer: the one that the farm books for a printer that it sees for
 * the first time, in the order of its slots.
 */
export const simulatedLoads: Readonly<Record<Make, Readonly<Record<string, string>>>> = {
  bambu: { 'ams0-0': 'pla_black_esun', 'ams0-1': 'pla_white_esun', 'ams0-2': 'petg_black_esun' },
  moonraker: { extruder: 'pla_black_esun' },
  snapmaker: { nozzle0: 'pla_black_esun', nozzle1: 'pla_white_esun' },
};
