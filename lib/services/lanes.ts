import type { OutboxRow } from '../store/outbox';

/** How long a failed message holds back those behind it (ms). */
export const holdBack = 5000;

type Message = Pick<OutboxRow, 'id' | 'lane'>;

/**
 * Tracks which messages must not be sent now: in each lane (a job, the bed of a printer) those behind one that is in flight, or
 * that has just failed. A message without a lane stands for itself.
 */
export class Lanes {
  readonly #flying = new Map<number, string | number>();
  /** Lanes, or ids of messages without one, with a failed message, and until when they wait (monotonic, ms). */
  readonly #held = new Map<string | number, number>();

  /** The number of messages in flight. */
  get flying(): number {
    return this.#flying.size;
  }

  /** Notes that a message is in flight. */
  depart({ id, lane }: Message): void {
    this.#flying.set(id, lane ?? id);
  }

  /** Notes that it has arrived, or when it failed (monotonic, ms). */
  land({ id, lane }: Message, failedAt?: number): void {
    this.#flying.delete(id);
    if (failedAt !== undefined) this.#held.set(lane ?? id, failedAt + holdBack);
  }

  /** Lets failed messages go out again immediately. */
  release(): void {
    this.#held.clear();
  }

  /** Returns what must be skipped at a moment (monotonic, ms): lanes, and messages without one. */
  busy(now: number): { lanes: string[]; ids: number[] } {
    for (const [key, until] of this.#held) if (until <= now) this.#held.delete(key);
    const keys = [...this.#held.keys(), ...this.#flying.values()];
    return {
      lanes: keys.filter((key) => typeof key === 'string'),
      ids: keys.filter((key) => typeof key === 'number'),
    };
  }
}
