import type { Make } from '../model/printer';
import type { Pack } from '../slicing/pack';
import { bambuMake } from './bambu/make';
import type { MakeRow, PrinterType } from './make';
import { moonrakerMake } from './moonraker/make';
import { snapmakerMake } from './snapmaker/make';

/** Every supported make. */
export const makeRows: Readonly<Record<Make, MakeRow>> = {
  bambu: bambuMake,
  moonraker: moonrakerMake,
  snapmaker: snapmakerMake,
};

/** Packs G-code in the format of its make. */
export const packForMake: Pack = (sliced, output) => makeRows[sliced.machine.make].pack(sliced, output);

/** Returns the make of a node type, with the defaults for such a printer; undefined if it is not a printer node. */
export function printerTypeNamed(name: string): (PrinterType & { row: MakeRow }) | undefined {
  for (const row of Object.values(makeRows)) {
    const found = row.nodeTypes.find(({ type }) => type === name);
    if (found) return { ...found, row };
  }
  return undefined;
}
