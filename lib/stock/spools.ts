import { parseNewSpool, parseSlotChange, parseSpoolChange, type SpoolChange } from '../contracts/messages';
import type { Spool as ContractSpool } from '../contracts/stock';
import type { Farm } from '../farm/farm';
import { mayHaveStarted } from '../model/attempt';
import { ConflictError, UnacceptableInputError } from '../model/errors';
import type { SpoolId } from '../model/ids';
import { type Attempt, openAttemptsOfSpool } from '../store/attempts';
import {
  allSpools,
  findSpool,
  findUsableMaterial,
  insertSpool,
  lockSpool,
  publishIfLow,
  type Spool,
} from '../store/materials';
import { findPrinter, loadSlot } from '../store/printers';
import type { Transaction } from '../store/queryable';
import { archiveSpool, setSpoolGrams } from '../store/stock-changes';
import { knownMaterialRemedy } from './materials';
import { changeSpoolOfPrint, lockFedPrint } from './spool-change';

/** A spool in the form of the API. */
export type SpoolView = ContractSpool;

const spoolView = (spool: Spool): SpoolView => ({
  spool_id: spool.id,
  material_id: spool.materialId,
  label: spool.label,
  initial_grams: spool.initialGrams,
  grams_left: spool.gramsLeft,
  printer_id: spool.printerId,
  slot: spool.slot,
});

/** Returns all spools and where they are loaded. */
export async function spools(farm: Farm): Promise<{ spools: SpoolView[] }> {
  return { spools: (await allSpools(farm.database)).map(spoolView) };
}

/** Adds a full spool: {material_id, grams, label}. */
export async function addSpool(farm: Farm, input: unknown): Promise<SpoolView> {
  const spool = parseNewSpool(input);
  return farm.database.transaction(async (tx) => {
    if (!(await findUsableMaterial(tx, spool.material_id))) {
      const remedy = await knownMaterialRemedy(tx);
      throw new UnacceptableInputError('The material is unknown.', [
        { field: 'material_id', value: spool.material_id, remedy },
      ]);
    }
    return spoolView(
      await insertSpool(tx, { materialId: spool.material_id, grams: spool.grams, label: spool.label ?? null }),
    );
  });
}

/**
 * Corrects the remaining grams of a spool: {grams_left}, or {gross_grams, tare_grams} as weighed with the empty spool. A value above
 * the initial grams raises them as well. While a print draws from the spool, `grams_left` is the amount at the time when that print
 * began to draw from it, because the consumption of a print is deducted at its end.
 * @throws ConflictError it was weighed while a print draws from it
 * @throws UnacceptableInputError it weighs less than the empty spool
 */
export async function changeSpool(farm: Farm, id: string, input: unknown): Promise<SpoolView> {
  const change = parseSpoolChange(input);
  const grams = gramsOf(change);
  return farm.database.transaction(async (tx) => {
    const spool = await lockSpool(tx, id);
    const attempts = await openAttemptsOfSpool(tx, spool.id);
    if (change.grams_left === undefined && attempts.some(({ phase }) => mayHaveStarted(phase))) {
      throw new ConflictError(
        'A print draws from this spool, so its remaining weight is unknown.',
        'Weigh it when the print has ended, or give grams_left as it was when the print began to draw from this spool.',
        'spool_in_use',
      );
    }
    await setSpoolGrams(tx, spool.id, grams);
    const lowGrams = farm.agentOptions.lowStockGrams;
    await publishIfLow(tx, spool.id, { before: spool.gramsLeft, after: grams, lowGrams });
    return spoolView(await findSpool(tx, spool.id));
  });
}

function gramsOf({ grams_left, gross_grams = 0, tare_grams = 0 }: SpoolChange): number {
  if (grams_left !== undefined) return grams_left;
  if (gross_grams >= tare_grams) return gross_grams - tare_grams;
  const remedy = `Give the total weight with the spool: at least ${tare_grams} g, the weight of the empty spool.`;
  throw new UnacceptableInputError('The total weight is below the weight of the empty spool.', [
    { field: 'gross_grams', value: gross_grams, remedy },
  ]);
}

/**
 * Archives a spool: it is removed from its slot, and stays in the history.
 * @throws ConflictError a print uses it
 */
export async function removeSpool(farm: Farm, id: string): Promise<{ spool_id: SpoolId; archived: true }> {
  return farm.database.transaction(async (tx) => {
    const spool = await lockSpool(tx, id);
    const [attempt] = await openAttemptsOfSpool(tx, spool.id);
    if (attempt) throw inUse(attempt, 'Archive it when that print has ended, or cancel the print.');
    await archiveSpool(tx, spool.id);
    return { spool_id: spool.id, archived: true };
  });
}

const inUse = ({ printerId }: Attempt, remedy: string): ConflictError =>
  new ConflictError(`A print on ${printerId} uses this spool.`, remedy, 'spool_in_use');

/**
 * Records the spool in a slot: {spool_id}, null for none. If the slot feeds a print, the spools share its grams.
 * @throws ConflictError the print under way cannot continue with it, or another print draws from it
 */
export async function changeSlot(
  farm: Farm,
  printer: string,
  slot: string,
  input: unknown,
): Promise<{
  printer_id: string;
  slot: string;
  spool_id: SpoolId | null;
  material_id: string | null;
  grams_left: number | null;
}> {
  const { spool_id } = parseSlotChange(input);
  return farm.database.transaction(async (tx) => {
    const { id } = await findPrinter(tx, printer);
    const print = await lockFedPrint(tx, id, slot);
    const spool = spool_id === null ? null : await lockSpool(tx, spool_id);
    const feeding = print?.attempt.spoolId ?? null;
    if (spool && spool.id !== feeding) await refuseFeeding(tx, spool);
    // Recording the same spool again is no change.
    if (print && (spool?.id ?? null) !== feeding)
      await changeSpoolOfPrint(tx, print, spool, farm.agentOptions.lowStockGrams);
    const loaded = await loadSlot(tx, id, slot, spool?.id ?? null);
    return {
      printer_id: id,
      slot,
      spool_id: loaded.spoolId,
      material_id: loaded.materialId,
      grams_left: loaded.gramsLeft,
    };
  });
}

/** Refuses to move a spool that a print draws from. */
async function refuseFeeding(tx: Transaction, { id }: Spool): Promise<void> {
  const feeding = (await openAttemptsOfSpool(tx, id)).find(({ spoolId }) => spoolId === id);
  if (feeding) throw inUse(feeding, 'Move it once that print has ended.');
}
