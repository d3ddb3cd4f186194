import type { MakeTraits } from '../model/make-traits';
import type { Make } from '../model/printer';
import { bambuTraits } from './bambu/traits';
import { moonrakerTraits } from './moonraker/traits';
import { snapmakerTraits } from './snapmaker/traits';

/** What judging, slicing and checking need to know of each make: all that they may import of this folder. */
export const makeTraits: Readonly<Record<Make, MakeTraits>> = {
  bambu: bambuTraits,
  moonraker: moonrakerTraits,
  snapmaker: snapmakerTraits,
};

/** Whether printers of a make take sliced archives (`.gcode.3mf`), and plain G-code only wrapped in one. */
export const takesArchives = (make: Make): boolean => makeTraits[make].printFile.form === 'gcode_3mf';
