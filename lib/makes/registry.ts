import type { Make } from '../model/printer';
import type { Pack } from '../slicing/pack';
import { bambuMake } from './bambu/make';
import type { MakeRow, PrinterType } from './make';
import { moonrakerMake } from './moonraker/make';
import { snapmakerMake } from './snapmaker/make';

/** Every make that Platewise drives. */
export const makeRows: Readonly<Record<Make, MakeRow>> = {
  bambu: bambuMake,
  moonraker: moonrakerMake,
  snapmaker: snapmakerMake,
};

/** Packs G-code in the form of the make that it is for. */
export const packForMake: Pack = (sliced, output) => makeRows[sliced.machine.make].pack(sliced, output);

/** The make that a node type is for, and what is assumed of such a printer; undefined if it is no printer's. */
export function printerTypeNamed(name: string): (PrinterType & { row: MakeRow }) | undefined {
  for (const row of Object.values(makeRows)) {
    const found = row.nodeTypes.find(({ type }) => type === name);
    if (found) return { ...found, row };
  }
  return undefined;
}
