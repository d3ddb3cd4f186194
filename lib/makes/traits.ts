import type { MachineIdentity } from '../model/machine-identity';
import type { MakeTraits } from '../model/make-traits';
import type { Make } from '../model/printer';
import { bambuTraits } from './bambu/traits';
import { moonrakerTraits } from './moonraker/traits';
import { snapmakerTraits } from './snapmaker/traits';

/**
 * The facts about each make that fit checks, slicing and print checks need; the only module of this folder that they
 * may import.
 */
export const makeTraits: Readonly<Record<Make, MakeTraits>> = {
  bambu: bambuTraits,
  moonraker: moonrakerTraits,
  snapmaker: snapmakerTraits,
};

/**
 * Whether printers of a make accept only sliced archives (`.gcode.3mf`), so that plain G-code must be wrapped in one.
 */
export const takesArchives = (make: Make): boolean => makeTraits[make].printFile.form === 'gcode_3mf';

/** Whether all ids that two machines of a make have in common are of kinds that different machines may share. */
export const mayShare = (make: Make, one: MachineIdentity, other: MachineIdentity): boolean =>
  Object.entries(one)
    .filter(([kind, id]) => other[kind] === id)
    .every(([kind]) => makeTraits[make].shareableIds.includes(kind));
