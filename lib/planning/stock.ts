import { canEverPrint, filamentSetup } from '../fit/judge';
import type { FitSlot } from '../fit/subject';
import type { MaterialId } from '../model/ids';
import type { PlanningJob, PlanningPrinter, Snapshot } from './snapshot';

/**
 * The booked spool of a slot, even if the printer detects a different one: that spool is somewhere, and an operator
 * must look for it.
 */
const bookedIn = ({ materialId, contradiction }: FitSlot): MaterialId | null =>
  materialId ?? contradiction?.booked ?? null;

const known = new WeakMap<Snapshot, Map<MaterialId, number>>();

/** The most grams that one spool of each material has, on the shelf or in a slot; read once for a snapshot. */
function fullest(snapshot: Snapshot): Map<MaterialId, number> {
  const found = known.get(snapshot);
  if (found) return found;
  const most = new Map<MaterialId, number>();
  const count = (material: MaterialId | null, grams: number): void => {
    if (material !== null) most.set(material, Math.max(grams, most.get(material) ?? 0));
  };
  for (const { materialId, grams } of snapshot.shelf ?? []) count(materialId, grams);
  for (const { slots } of snapshot.printers) {
    for (const slot of slots) count(bookedIn(slot), slot.gramsFree);
  }
  known.set(snapshot, most);
  return most;
}

/** Whether one spool, wherever it is, has enough of a material; always if the stock is not known. */
function somewhere(snapshot: Snapshot, material: MaterialId, grams: number): boolean {
  if (!snapshot.shelf) return true;
  const most = fullest(snapshot).get(material);
  return most !== undefined && most >= grams;
}

/** Whether a printer holds what a job prints with, or a spool that could be put in exists. */
export function filamentExists(job: PlanningJob, printer: PlanningPrinter, snapshot: Snapshot): boolean {
  return somewhere(snapshot, job.materialId, job.grams) || filamentSetup(job, printer) === null;
}

/** Returns the reason if a job waits for filament of which no spool has enough; otherwise null. */
export function nobodyHas(job: PlanningJob, snapshot: Snapshot): string | null {
  const able = snapshot.printers.filter((printer) => canEverPrint(job, printer));
  if (able.length === 0 || able.some((printer) => filamentExists(job, printer, snapshot))) return null;
  return missingSpool(job.materialId, job.grams);
}

/** The text for: no spool has enough. */
export const missingSpool = (material: MaterialId, grams: number): string =>
  `no spool of ${material} with ${Math.ceil(grams)} g is in stock`;

/** Promises spools to changes of filament, each spool once. */
export class SpoolPromises {
  readonly #known: boolean;
  readonly #shelf: { spoolId: string; materialId: MaterialId; grams: number }[];
  /** The spools in slots that could be moved. */
  readonly #loaded: { materialId: MaterialId; grams: number; where: string }[];

  constructor(snapshot: Snapshot) {
    this.#known = snapshot.shelf !== undefined;
    this.#shelf = [...(snapshot.shelf ?? [])].sort((a, b) => a.grams - b.grams || (a.spoolId < b.spoolId ? -1 : 1));
    this.#loaded = snapshot.printers.flatMap((printer) =>
      printer.busy
        ? []
        : printer.slots.flatMap((slot) => {
            const materialId = bookedIn(slot);
            const where = `slot ${slot.slot} of ${printer.name}`;
            return materialId === null ? [] : [{ materialId, grams: slot.gramsFree, where }];
          }),
    );
  }

  /**
   * Returns the spool for a filament change: the one on the shelf with the least sufficient amount, otherwise one in a
   * slot. Null: there is none.
   */
  take(material: MaterialId, grams: number): { spoolId: string | null; where: string | null } | null {
    const enough = (spool: { materialId: MaterialId; grams: number }): boolean =>
      spool.materialId === material && spool.grams >= grams;
    const onShelf = this.#shelf.findIndex(enough);
    if (onShelf >= 0) return { spoolId: this.#shelf.splice(onShelf, 1)[0]?.spoolId ?? null, where: null };
    if (!this.#known) return { spoolId: null, where: null };
    const loaded = this.#loaded.findIndex(enough);
    return loaded < 0 ? null : { spoolId: null, where: this.#loaded.splice(loaded, 1)[0]?.where ?? null };
  }
}
