import type { OutboxRow } from '../store/outbox';

/** How long a message that failed holds back those behind it (ms). */
export const holdBack = 5000;

type Message = Pick<OutboxRow, 'id' | 'lane'>;

/**
 * Which messages must not be sent at a moment: of each lane (a job, the bed of a printer) those behind one that is on its way, or
 * that failed a moment ago. A message without a lane stands for itself.
 */
export class Lanes {
  readonly #flying = new Map<number, string | number>();
  /** Lanes, or ids of messages without one, of which a message failed, and until when they wait (monotonic, ms). */
  readonly #held = new Map<string | number, number>();

  /** How many messages are on their way. */
  get flying(): number {
    return this.#flying.size;
  }

  /** A message is on its way. */
  depart({ id, lane }: Message): void {
    this.#flying.set(id, lane ?? id);
  }

  /** It has arrived, or it has failed at a moment (monotonic, ms). */
  land({ id, lane }: Message, failedAt?: number): void {
    this.#flying.delete(id);
    if (failedAt !== undefined) this.#held.set(lane ?? id, failedAt + holdBack);
  }

  /** What failed need not wait any longer. */
  release(): void {
    this.#held.clear();
  }

  /** What is to be left out at a moment (monotonic, ms): lanes, and messages without one. */
  busy(now: number): { lanes: string[]; ids: number[] } {
    for (const [key, until] of this.#held) if (until <= now) this.#held.delete(key);
    const keys = [...this.#held.keys(), ...this.#flying.values()];
    return {
      lanes: keys.filter((key) => typeof key === 'string'),
      ids: keys.filter((key) => typeof key === 'number'),
    };
  }
}
