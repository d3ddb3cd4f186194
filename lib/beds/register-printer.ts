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

/** The filaments in the slots of a simulated printer when it is first registered, in the order of the slots. */
export const simulatedFilaments = ['pla_black_esun', 'pla_white_esun', 'petg_black_esun'] as MaterialId[];
const simulatedGrams = 1000;

/**
 * Registers a printer with the farm. A real printer's bed is occupied until an operator has checked it; a simulated one
 * that was never connected begins with a clear bed and full spools, because no operator can check it.
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

/** Stores the additional properties of a printer that it reports after its registration. */
export async function refinePrinter(
  farm: Farm,
  id: PrinterId,
  capabilities: PrinterCapabilities,
  slots: readonly { slot: string; tool: number }[],
): Promise<void> {
  await farm.database.transaction((tx) => storeDescription(tx, id, capabilities, slots));
}
