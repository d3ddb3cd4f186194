/** A reader that is fed with malformed input. */
export interface FuzzTarget {
  name: string;
  /** What each case asserts, for the report. */
  promise: string;
  /**
   * Runs this many cases. Rejects with a counterexample.
   * @returns the number of cases that ended in the promised verdict or success, which shows that it was exercised
   */
  run(cases: number, seed: number): Promise<number>;
}

/** Thrown when a case breaks the promise. */
export function promise(kept: boolean, broken: () => string): void {
  if (!kept) throw new Error(broken());
}
