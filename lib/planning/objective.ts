/** The weights of the plan's cost, each term in weighted hours: one hour of a job of priority 5 weighs 1. */
export interface Weights {
  /** The cost of being late at all, in hours of tardiness (β). */
  lateness: number;
  /** A job without a deadline should be done within `softDueDays`; each hour beyond counts this much. */
  softTardiness: number;
  /** Each hour that a job is in the farm (γ). */
  flow: number;
  /** One change of filament (δ). Higher: fewer changes, deadlines kept less often. */
  change: number;
  /**
   * Each hour that a printer idles waiting for the operator (η); less in a short plan. Counts only if no operator is
   * present part of the day.
   */
  idle: number;
  /** Each hour of a shift beyond the third that one job blocks a printer (λ): long jobs should run at night. */
  block: number;
  /**
   * Each day by which a printer would end after the average one, squared (two days cost four times as much). Counts in
   * a long plan and when no job has come for a long time; otherwise new jobs fill the gaps.
   */
  balance: number;
  /** Each hour between the first finished part of a kit and another one, while the unfinished kit lies about. */
  kit: number;
  /** Moving a job's promised start by a quarter of an hour or more (κ). */
  promise: number;
}

export const defaultWeights: Weights = {
  lateness: 40,
  softTardiness: 0.35,
  flow: 0.08,
  change: 4,
  idle: 1,
  block: 0.1,
  balance: 4,
  kit: 0.3,
  promise: 1,
};

/**
 * How likely a print that should end at `end` misses `due` (minutes): logistic, wider the longer and the further away.
 */
export function lateProbability(end: number, due: number, length: number): number {
  return 1 / (1 + Math.exp((due - end) / (12 + 0.04 * length + 0.02 * Math.max(0, end))));
}
