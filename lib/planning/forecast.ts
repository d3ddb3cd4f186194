import type { OperatorCalendar } from './calendar';

/** Upper bounds of the lead-time classes with separate residuals (minutes). */
const leads = [30, 60, 120, 240, 360, 720, 1440, Number.POSITIVE_INFINITY];

/**
 * The situation between now and a start, with respect to the operator: nothing; the end of a shift soon after it, so
 * that a small delay costs a night; or a time without an operator.
 */
export const situations = ['open', 'closing', 'across'] as const;
export type Situation = (typeof situations)[number];

/** A start within this many minutes before the end of a shift may slip past it. */
const closingMinutes = 120;

/** Returns the situation between the calendar's beginning and a start this many minutes later. */
export function situationOf(calendar: OperatorCalendar, start: number): Situation {
  if (calendar.always) return 'open';
  if (start - calendar.present(0, start) > 1) return 'across';
  return closingMinutes - calendar.present(start, start + closingMinutes) > 1 ? 'closing' : 'open';
}

/**
 * The prior for a farm without a history: quantiles from the simulated streams (docs/planning.md), as 5 %,
 * 50 % and 95 % of start − forecast in minutes, by situation and lead.
 */
const prior: Record<Situation, [number, number, number][]> = {
  open: [
    [-5, 0, 5],
    [-4, 0, 5],
    [-5, 0, 8],
    [-8, 1, 93],
    [-35, 2, 532],
    [-200, 8, 1100],
    [-700, 20, 1600],
    [-1571, 176, 4629],
  ],
  closing: [
    [-3, 0, 2],
    [-3, 0, 4],
    [-6, 0, 796],
    [-12, 1, 1003],
    [-50, 3, 1445],
    [-352, 9, 2898],
    [-846, 20, 2898],
    [-1571, 143, 4629],
  ],
  across: [
    [-5, 0, 5],
    [-5, 0, 5],
    [-5, 0, 10],
    [-5, 0, 10],
    [-10, 1, 112],
    [-353, 2, 1550],
    [-904, 5, 2868],
    [-2210, 28, 4484],
  ],
};
/** The weight of the prior, as a number of starts. */
const priorCount = 30;
const kept = 600;
/** The learning rate of the shares (Gibbs & Candès 2021, adaptive conformal inference). */
const haste = 0.01;
/** The target share below, and above, an interval: nine tenths are covered. */
const nearShare = 0.05;
/**
 * From six hours on the target share outside is smaller, and smaller still at first: one delay moves every start of the
 * night, and it is learned only half a day later, so that coverage falls short of the target by several points
 * (docs/planning.md).
 */
const farLead = 360;
const farShare = 0.02;
const farShareAtFirst = 0.015;

interface Residuals {
  errors: number[];
  /** The shares at which the interval is cut, adjusted so that the target share really falls below and above. */
  below: number;
  above: number;
}

/** Minutes to add to a forecast start. */
export interface Band {
  p5: number;
  p10: number;
  p50: number;
  p90: number;
  p95: number;
}

/**
 * The deviations of starts from their forecasts, by situation and lead, from the newest history only. The interval from
 * `p5` to `p95` is kept at nine tenths by its actual coverage.
 */
export class Forecast {
  readonly #residuals = new Map<Situation, Residuals[]>(
    situations.map((situation) => [
      situation,
      leads.map((_, index) => {
        const first = (leads[index - 1] ?? 0) < farLead ? nearShare : farShareAtFirst;
        return { errors: [], below: first, above: 1 - first };
      }),
    ]),
  );

  /** Records a start: `lead` minutes before, it was forecast `error` minutes too early. */
  record(situation: Situation, lead: number, error: number): void {
    const own = this.#residuals.get(situation)?.[bucket(lead)];
    if (!own) return;
    const band = this.band(situation, lead);
    const share = lead < farLead ? nearShare : farShare;
    own.below = within(0.002, own.below + haste * (error < band.p5 ? share - 1 : share), 0.4);
    own.above = within(0.6, own.above - haste * (error > band.p95 ? share - 1 : share), 0.998);
    own.errors.push(error);
    if (own.errors.length > kept) own.errors.shift();
  }

  /** The distribution of a start around its forecast. */
  band(situation: Situation, lead: number): Band {
    const index = bucket(lead);
    const own = this.#residuals.get(situation)?.[index];
    const [low, middle, high] = prior[situation][index] ?? [0, 0, 0];
    const errors = own?.errors ?? [];
    const sorted = [...errors].sort((a, b) => a - b);
    const share = sorted.length / (sorted.length + priorCount);
    const at = (quantile: number, before: number): number => {
      if (sorted.length === 0) return before;
      const found = sorted[Math.min(sorted.length - 1, Math.floor(quantile * sorted.length))] ?? 0;
      return share * found + (1 - share) * before;
    };
    return {
      p5: at(own?.below ?? 0.05, low),
      p10: at(0.1, middle + 0.78 * (low - middle)),
      p50: at(0.5, middle),
      p90: at(0.9, middle + 0.78 * (high - middle)),
      p95: at(own?.above ?? 0.95, high),
    };
  }
}

const within = (low: number, value: number, high: number): number => Math.min(high, Math.max(low, value));

function bucket(lead: number): number {
  return leads.findIndex((limit) => lead < limit);
}
