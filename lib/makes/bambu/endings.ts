import type { Ending, PrinterJob } from '../../model/printer';
import { type JsonObject, numberOf } from '../values';
import { endingByState, endingEvidence, type GcodeState, gcodeState, isRunning } from './report-mapping';

export interface EndingTiming {
  /** How long after FAILED the code that distinguishes a stop from a failure may arrive (ms). */
  cancelCodeMs: number;
  /** How long an old FINISH or FAILED may linger although the ids are already those of the next job (ms). */
  staleStateMs: number;
}

export const defaultEndingTiming: EndingTiming = { cancelCodeMs: 10_000, staleStateMs: 90_000 };

export interface JudgedEnding {
  ending: Ending | null;
  /** The job no longer runs, but how it ended is known only later; in this many ms at the latest. */
  undecidedForMs?: number;
}

interface Seen {
  key: string;
  state: GcodeState | undefined;
}

/**
 * Judges how jobs ended from the sequence of reports. The printer reports FAILED for failures and stops alike; which of
 * the two it was follows seconds later.
 */
export class EndingJudge {
  #last: Seen | undefined;
  #decided: { key: string; ending: Ending } | undefined;
  #ran: string | undefined;
  #staleReason = 0;
  #since: { key: string; at: number; lingering: boolean } | undefined;
  readonly #stopped = new Set<string>();

  constructor(private readonly timing: EndingTiming) {}

  /** Remembers that we requested this job's end. */
  askedToStop(key: string): void {
    this.#stopped.add(key);
  }

  /** Whether the job was seen running. */
  hasRun(key: string): boolean {
    return this.#ran === key;
  }

  /** Handles a new connection: earlier observations do not show transitions. */
  restart(): void {
    this.#last = undefined;
    this.#since = undefined;
  }

  judge(print: JsonObject, job: PrinterJob | null, now: number): JudgedEnding {
    const key = jobKey(job);
    const state = gcodeState(print);
    const previous = this.#last;
    this.#last = { key, state };
    if (isRunning(state)) {
      this.#noteRunning(print, key, state);
      return { ending: null };
    }
    if (job === null || key === '') return { ending: null };
    if (this.#decided?.key === key) return { ending: this.#decided.ending };
    const byState = endingByState(print);
    if (byState === null) return { ending: null };
    if (byState === 'unknown') return { ending: 'unknown' };
    if (this.#since?.key !== key) {
      const lingering = previous !== undefined && previous.key !== key && previous.state === state && this.#ran !== key;
      this.#since = { key, at: now, lingering };
    }
    const elapsed = now - this.#since.at;
    if (this.#since.lingering && elapsed < this.timing.staleStateMs) {
      return { ending: null, undecidedForMs: this.timing.staleStateMs - elapsed };
    }
    if (byState !== 'undecided') return this.#decide(key, byState);
    const evidence = endingEvidence(this.#ran === key ? print : this.#withoutStaleReason(print));
    if (evidence.cancelled || this.#stopped.has(key)) return this.#decide(key, 'cancelled');
    if (evidence.failed || elapsed >= this.timing.cancelCodeMs) return this.#decide(key, 'failed');
    return { ending: null, undecidedForMs: this.timing.cancelCodeMs - elapsed };
  }

  #noteRunning(print: JsonObject, key: string, state: GcodeState | undefined): void {
    this.#since = undefined;
    this.#decided = undefined;
    if (state === 'RUNNING' || state === 'PAUSE') {
      this.#ran = key;
      this.#staleReason = 0;
    } else if (this.#ran !== key) {
      // The reason of the last ending stays until the next job really runs.
      this.#staleReason = numberOf(print.fail_reason) ?? 0;
    }
  }

  #withoutStaleReason(print: JsonObject): JsonObject {
    const reason = numberOf(print.fail_reason) ?? 0;
    return reason !== 0 && reason === this.#staleReason ? { ...print, fail_reason: '0' } : print;
  }

  #decide(key: string, ending: Ending): JudgedEnding {
    this.#decided = { key, ending };
    this.#since = undefined;
    return { ending };
  }
}

/** The key that distinguishes the jobs of a printer. */
export function jobKey(job: PrinterJob | null): string {
  return job?.taskId ?? job?.name ?? '';
}
