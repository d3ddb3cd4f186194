/** The ratio of one printer's actual durations to the slicer's estimates, as a mean log ratio with forgetting. */
export interface DurationRecord {
  weight: number;
  sum: number;
}

const prior = 5;
const forget = 0.98;

/** Adds one completed, never paused print; failed and paused ones are censored by not being passed. */
export function learn(
  record: DurationRecord | undefined,
  slicerMinutes: number,
  actualMinutes: number,
): DurationRecord {
  const before = record ?? { weight: 0, sum: 0 };
  return {
    weight: before.weight * forget + 1,
    sum: before.sum * forget + Math.log(actualMinutes / slicerMinutes),
  };
}

/**
 * What to multiply the slicer's estimate with: shrunk towards 1 as if by five prints that took exactly as estimated.
 */
export function durationFactor(record: DurationRecord | undefined): number {
  return record ? Math.exp(record.sum / (record.weight + prior)) : 1;
}

/** The farm's own history of durations. */
export class LearnedDurations {
  readonly #printers = new Map<string, DurationRecord>();
  readonly #pairs = new Map<string, DurationRecord>();

  /** Adds a completed print that was never paused, the oldest first. Hours of printer time. */
  add(print: { printerId: string; materialId: string; estimatedHours: number; durationHours: number }): void {
    const ratio = print.durationHours / print.estimatedHours;
    // At such a deviation the print was paused, or the estimate was for a different file.
    if (!(ratio > 1 / believable && ratio < believable)) return;
    const pair = `${print.printerId} ${print.materialId}`;
    const own = durationFactor(this.#printers.get(print.printerId));
    this.#pairs.set(pair, learn(this.#pairs.get(pair), print.estimatedHours * own, print.durationHours));
    this.#printers.set(
      print.printerId,
      learn(this.#printers.get(print.printerId), print.estimatedHours, print.durationHours),
    );
  }

  /** What to multiply an estimate with: the printer's factor, and what the material adds to it. */
  factor(printerId: string, materialId: string): number {
    return (
      durationFactor(this.#printers.get(printerId)) * durationFactor(this.#pairs.get(`${printerId} ${materialId}`))
    );
  }
}

const believable = 3;
