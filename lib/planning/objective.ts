/** What the plan minimises, each term in weighted hours: one hour of a job of priority 5 weighs 1. */
export interface Weights {
  /** Being late at all costs as much as so many hours of tardiness (β). */
  lateness: number;
  /** A job without a deadline should be done within 1 + priority / 2 days; each hour beyond counts this much. */
  softTardiness: number;
  /** Each hour that a job is in the farm (γ). */
  flow: number;
  /** One change of filament (δ). Higher: fewer changes, deadlines kept less often. */
  change: number;
  /**
   * Each hour that a printer stands idle waiting for the operator (η); less in a short plan. Counts only if nobody is there
   * part of the day.
   */
  idle: number;
  /** Each hour of a shift beyond the third that one job blocks a printer (λ): long jobs belong into the night. */
  block: number;
  /**
   * A day by which a printer would end after the average one costs as much as so many days, two days four times that; in
   * a long plan and where no job has come for long. Elsewhere new jobs fill the gaps.
   */
  balance: number;
  /** Each hour that a part of a kit is done after the first one: so long the kit lies about unfinished. */
  kit: number;
  /** Moving the start that was promised to a job by a quarter of an hour or more (κ). */
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

/** What an hour of a job weighs: it doubles every two steps of priority, 1 being the highest. */
export const weightOf = (priority: number): number => 2 ** ((5 - priority) / 2);

/** How likely a print that should end at `end` misses `due` (minutes): logistic, wider the longer and the further away. */
export function lateProbability(end: number, due: number, length: number): number {
  return 1 / (1 + Math.exp((due - end) / (12 + 0.04 * length + 0.02 * Math.max(0, end))));
}
