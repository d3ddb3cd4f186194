/** A note is written again when it has changed by so much. */
const worthTelling = 0.1;

/** Tells how far slicing is, now and then, one note at a time; a note that cannot be written is of no weight. */
export class ProgressNote {
  private told = 0;
  private writing: Promise<void> | undefined;

  constructor(private readonly write: (text: string) => Promise<void>) {}

  /** @param fraction 0..1 */
  tell(fraction: number): void {
    if (this.writing || fraction - this.told < worthTelling || fraction >= 1) return;
    this.told = fraction;
    this.writing = this.write(`slicing: ${Math.round(fraction * 100)} %`)
      .catch(() => undefined)
      .finally(() => {
        this.writing = undefined;
      });
  }

  /** Resolves when no note is under way. */
  async settled(): Promise<void> {
    await this.writing;
  }
}
