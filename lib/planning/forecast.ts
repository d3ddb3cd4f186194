/** Upper ends of the lead times (minutes) that have residuals of their own. */
const leads = [30, 60, 120, 240, 360, 720, 1440, Number.POSITIVE_INFINITY];
/** Before a farm has a history of its own, the quantiles measured in simulation: [5 %, 95 %] of start − forecast, minutes. */
const prior: [number, number][] = [
  [-8, 30],
  [-10, 45],
  [-15, 90],
  [-45, 400],
  [-120, 720],
  [-300, 900],
  [-600, 1440],
  [-1500, 2880],
];
const kept = 600;
const enough = 60;

/** How far starts were from what was foretold, by lead time, newest history only. */
export class Forecast {
  readonly #errors: number[][] = leads.map(() => []);

  /** One start that has come: `lead` minutes before, it was foretold `error` minutes too early. */
  record(lead: number, error: number): void {
    const own = this.#errors[bucket(lead)];
    if (!own) return;
    own.push(error);
    if (own.length > kept) own.shift();
  }

  /** The 90 % interval around a forecast start, minutes to add; empirical quantiles once there are enough. */
  interval(lead: number): { low: number; high: number } {
    const index = bucket(lead);
    const own = this.#errors[index] ?? [];
    const [low, high] = prior[index] ?? [0, 0];
    if (own.length < enough) return { low, high };
    const sorted = [...own].sort((a, b) => a - b);
    const at = (share: number): number => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))] ?? 0;
    return { low: at(0.05), high: at(0.95) };
  }
}

function bucket(lead: number): number {
  return leads.findIndex((limit) => lead < limit);
}
