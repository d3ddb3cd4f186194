/** One thing that is fed with what no printer should send. */
export interface FuzzTarget {
  name: string;
  /** What each case asserts, for the report. */
  promise: string;
  /**
   * Runs so many cases. Rejects with a counterexample.
   * @returns how many of them ended in the verdict or the success that the promise is about, so that it is seen to be met
   */
  run(cases: number, seed: number): Promise<number>;
}

/** Thrown when a case breaks the promise. */
export function promise(kept: boolean, broken: () => string): void {
  if (!kept) throw new Error(broken());
}
