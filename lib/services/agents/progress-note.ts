/** The change of progress (0..1) after which a note is written again. */
const worthNoting = 0.1;

/** Writes notes about the progress of slicing, one at a time; a note that cannot be written is dropped. */
export class ProgressNote {
  private noted = 0;
  private writing: Promise<void> | undefined;

  constructor(private readonly write: (text: string) => Promise<void>) {}

  /** @param fraction 0..1 */
  tell(fraction: number): void {
    if (this.writing || fraction - this.noted < worthNoting || fraction >= 1) return;
    this.noted = fraction;
    this.writing = this.write(`slicing: ${Math.round(fraction * 100)} %`)
      .catch(() => undefined)
      .finally(() => {
        this.writing = undefined;
      });
  }

  /** Resolves when no note is being written. */
  async settled(): Promise<void> {
    await this.writing;
  }
}
