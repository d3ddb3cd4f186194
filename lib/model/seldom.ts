const defaultPause = 60_000;

/**
 * Keeps recurring errors from filling a log: each kind is reported immediately and then at most
 * once a minute, with the number of suppressed reports.
 */
export class Seldom {
  readonly #pause: number;
  readonly #now: () => number;
  readonly #kinds = new Map<string, { at: number; quiet: number }>();

  /**
   * @param pause how long a kind is suppressed after a report (ms)
   * @param now a monotonic clock (ms)
   */
  constructor(pause = defaultPause, now: () => number = () => performance.now()) {
    this.#pause = pause;
    this.#now = now;
  }

  /** Undefined: suppress it. Otherwise the number of suppressed reports of this kind since the last one. */
  due(kind: string): number | undefined {
    const now = this.#now();
    // Kinds can contain foreign texts, so those that have been quiet for long are dropped.
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
