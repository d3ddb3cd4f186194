import type { SpoolId } from './ids';
import { gramsOfFilament, type Material } from './material';

/** How much of a print had been extruded at a moment. */
export interface Drawn {
  /** 0..1; null: unknown. */
  progress: number | null;
  /** mm counted by the printer itself; null: it does not count. */
  filamentMm: number | null;
}

/** A spool that was removed from a print's slot after so much had been extruded. */
export interface SpoolTaken extends Drawn {
  spoolId: SpoolId;
}

/** The consumption of a print, actual or planned. */
export interface WholePrint {
  grams: number;
  /** The progress that it reached (0..1). */
  progress: number;
  /** Undefined: the weight of its filament is unknown. */
  material: Pick<Material, 'densityGramsPerCm3' | 'diameterMm'> | undefined;
}

/** Grams of a print that came from one spool. */
export interface SpoolShare {
  spoolId: SpoolId;
  grams: number;
}

/** Rounds grams as they are stored, to hundredths. */
export const roundGrams = (grams: number): number => Math.round(grams * 100) / 100;

/** Returns the grams of a print that had been extruded at a moment, never more than the whole; null if unknown. */
export function gramsDrawn({ progress, filamentMm }: Drawn, print: WholePrint): number | null {
  if (filamentMm !== null && print.material) return Math.min(print.grams, gramsOfFilament(filamentMm, print.material));
  if (progress === null) return null;
  const share = print.progress > 0 ? progress / print.progress : Math.sign(progress);
  return print.grams * Math.min(1, share);
}

/**
 * Splits the grams of a print over its spools, so that the shares add up to exactly these grams: each spool gave
 * what was extruded until its removal. If nothing is known of a change, nothing counts as extruded since the previous
 * one. Grams extruded while no spool was booked belong to the next one, because something was in the slot; the last spool gets the rest.
 *
 * @param taken the spools that were removed, in this order; one may come back
 * @param last the spool in the slot at the end; null: none, and the rest belongs to the one that was removed last
 * @returns the shares by the spools' ids, without empty ones
 */
export function splitGrams(print: WholePrint, taken: readonly SpoolTaken[], last: SpoolId | null): SpoolShare[] {
  const hundredths = new Map<SpoolId, number>();
  const add = (spool: SpoolId, amount: number) => hundredths.set(spool, (hundredths.get(spool) ?? 0) + amount);
  const whole = Math.round(print.grams * 100);
  let drawn = 0;
  for (const change of taken) {
    const now = Math.max(drawn, Math.round((gramsDrawn(change, print) ?? 0) * 100));
    add(change.spoolId, now - drawn);
    drawn = now;
  }
  const rest = last ?? taken.at(-1)?.spoolId;
  if (rest !== undefined) add(rest, whole - drawn);
  return [...hundredths]
    .filter(([, amount]) => amount > 0)
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([spoolId, amount]) => ({ spoolId, grams: amount / 100 }));
}
