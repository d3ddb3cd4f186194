import type { Farm } from '../farm/farm';
import type { MaterialId, PrinterId } from '../model/ids';
import type { PrinterCapabilities } from '../model/printer';
import { insertSpool } from '../store/materials';
import {
  clearBed,
  loadedSlots,
  loadSlot,
  lockPrinter,
  type Printer,
  type PrinterRegistration,
  registerPrinter,
  storeDescription,
} from '../store/printers';

/** What lies in the slots of a simulated printer when it is seen for the first time, in their order. */
export const simulatedFilaments = ['pla_black_esun', 'pla_white_esun', 'petg_black_esun'] as MaterialId[];
const simulatedGrams = 1000;

/**
 * Makes a printer known to the farm. A real printer's bed is occupied until an operator has looked; a simulated one
 * that was never connected begins with a clear bed and full spools, because there is nobody who could look.
 */
export async function announcePrinter(
  farm: Farm,
  registration: PrinterRegistration,
  simulated: boolean,
): Promise<Printer> {
  return farm.database.transaction(async (tx) => {
    const printer = await registerPrinter(tx, registration);
    if (!simulated || printer.firstConnectedAt !== null || printer.bedCause !== 'unknown') return printer;
    const locked = await lockPrinter(tx, printer.id);
    const slots = (await loadedSlots(tx)).filter((slot) => slot.printerId === printer.id);
    for (const [index, slot] of slots.entries()) {
      const material = simulatedFilaments[index];
      if (slot.spoolId !== null || material === undefined) continue;
      const spool = await insertSpool(tx, { materialId: material, grams: simulatedGrams, label: 'simulated' });
      await loadSlot(tx, printer.id, slot.slot, spool.id);
    }
    return clearBed(tx, locked, undefined, 'simulator');
  });
}

/** More is known of a printer than when it was made known: it has reported. */
export async function refinePrinter(
  farm: Farm,
  id: PrinterId,
  capabilities: PrinterCapabilities,
  slots: readonly { slot: string; tool: number }[],
): Promise<void> {
  await farm.database.transaction((tx) => storeDescription(tx, id, capabilities, slots));
}
