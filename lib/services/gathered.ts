interface Waiting<Item> {
  item: Item;
  resolve(): void;
  reject(error: unknown): void;
}

/** Batches work that costs as much for one item as for many: items added during one batch form the next. */
export class Gathered<Item> {
  readonly #work: (items: Item[]) => Promise<void>;
  #waiting: Waiting<Item>[] = [];
  #busy = false;

  constructor(work: (items: Item[]) => Promise<void>) {
    this.#work = work;
  }

  /** Resolves when the work for this item is done; rejects if it failed. */
  add(item: Item): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ item, resolve, reject });
      if (!this.#busy) void this.#go();
    });
  }

  async #go(): Promise<void> {
    this.#busy = true;
    // Items added in the same turn of the event loop join this batch.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#work(batch.map(({ item }) => item));
        for (const { resolve } of batch) resolve();
      } catch (error) {
        for (const { reject } of batch) reject(error);
      }
    }
    this.#busy = false;
  }
}
