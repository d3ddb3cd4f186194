const defaultPause = 60_000;

/**
 * Keeps a fault that comes again and again from filling a log: each kind of it is reported at once and then at most
 * once a minute, with the number of times that it was kept quiet.
 */
export class Seldom {
  readonly #pause: number;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { at: number; quiet: number }>();

  /**
   * @param pause how long a kind stays quiet after a report (ms)
   * @param now a monotonic clock (ms)
   */
  constructor(pause = defaultPause, now: () => number = () => performance.now()) {
    this.#pause = pause;
    this.#now = now;
  }

  /** Undefined: keep quiet. Otherwise how often this kind has come without a report since the last one. */
  due(kind: string): number | undefined {
    const now = this.#now();
    // Kinds can carry texts from outside; what has been quiet for long is forgotten.
    if (this.#kinds.size > 1000) {
      for (const [name, { at }] of this.#kinds) if (now - at > this.#pause) this.#kinds.delete(name);
    }
    const known = this.#kinds.get(kind);
    if (known && now - known.at < this.#pause) {
      known.quiet++;
      return undefined;
    }
    this.#kinds.set(kind, { at: now, quiet: 0 });
    return known?.quiet ?? 0;
  }
}
