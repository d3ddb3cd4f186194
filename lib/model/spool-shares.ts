import type { SpoolId } from './ids';
import { gramsOfFilament, type Material } from './material';

/** How much of a print had come out at a moment. */
export interface Drawn {
  /** 0..1; null: not known. */
  progress: number | null;
  /** mm that the printer itself had counted; null: it counts nothing. */
  filamentMm: number | null;
}

/** A spool that was taken out of a print's slot when so much had come out. */
export interface SpoolTaken extends Drawn {
  spoolId: SpoolId;
}

/** What a print took in all, or is going to take. */
export interface WholePrint {
  grams: number;
  /** How far it came (0..1). */
  progress: number;
  /** Undefined: it cannot be told what its millimetres weigh. */
  material: Pick<Material, 'densityGramsPerCm3' | 'diameterMm'> | undefined;
}

/** Grams of a print that came from one spool. */
export interface SpoolShare {
  spoolId: SpoolId;
  grams: number;
}

/** Grams as they are stored: in whole hundredths. */
export const roundGrams = (grams: number): number => Math.round(grams * 100) / 100;

/** Grams of a print that had come out at a moment, never more than the whole; null if nothing is known of it. */
export function gramsDrawn({ progress, filamentMm }: Drawn, print: WholePrint): number | null {
  if (filamentMm !== null && print.material) return Math.min(print.grams, gramsOfFilament(filamentMm, print.material));
  if (progress === null) return null;
  const share = print.progress > 0 ? progress / print.progress : Math.sign(progress);
  return print.grams * Math.min(1, share);
}

/**
 * Splits the grams of a print over the spools that it was printed from, so that their sum is exactly these grams: each gave
 * what came out until it was taken out. Where nothing is known of a change, nothing counts as having come out since the one
 * before. What came out while none was booked is the next one's, because something was in the slot; the last takes the rest.
 *
 * @param taken the spools that were taken out, in this order; one may come back
 * @param last the spool in the slot at the end; null: none, and the rest is of the one that was taken out last
 * @returns by the spools' ids, none without grams
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
