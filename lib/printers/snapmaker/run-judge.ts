import type { Ending } from '../../model/printer';
import type { FileInfo } from './commands';
import { endingOfIssue, hasJob, reachedEnd } from './state-mapping';

export interface JudgedRun {
  ending: Ending | null;
  /** The job runs no more, but how it ended can be told only later; in this many ms at the latest. */
  undecidedForMs?: number;
}

/** What is known when a run is judged. */
export interface RunFacts {
  file: FileInfo | undefined;
  line: number | undefined;
  totalLines: number | undefined;
  now: number;
}

const emergencyStop = 11;

/**
 * Judges how jobs ended. The status is the same after a finished and a stopped job; a notice that follows within
 * seconds, and may be lost, tells which it was.
 */
export class RunJudge {
  #status: number | undefined;
  #issue: number | undefined;
  #idleSince: number | undefined;
  #ran: string | undefined;
  #firstLine: number | undefined;
  /** The job in whose run the line count was seen to be its own, not what the job before left behind. */
  #counted: string | undefined;
  #decided: { key: string; ending: Ending } | undefined;

  constructor(private readonly noticeMs: number) {}

  /** A new connection: what happened meanwhile nobody saw. */
  restart(): void {
    this.#status = undefined;
    this.#issue = undefined;
    this.#idleSince = undefined;
  }

  /** Takes a status. True if a job began or ended by it, so that it should be asked which one. */
  status(status: number, now: number): boolean {
    const before = this.#status;
    this.#status = status;
    const runs = hasJob(status);
    const ran = before !== undefined && hasJob(before);
    if (runs && !ran) {
      this.#issue = undefined;
      this.#idleSince = undefined;
      this.#decided = undefined;
    }
    if (!runs && ran) this.#idleSince = now;
    return runs !== ran;
  }

  /** Takes the reason of a stop or of a pause. True if it is that of an ending. */
  issue(code: number): boolean {
    if (endingOfIssue(code) === undefined) return false;
    this.#issue = code;
    return true;
  }

  judge(facts: RunFacts): JudgedRun {
    const { file } = facts;
    if (file === undefined) return { ending: null };
    const key = `${file.name} ${file.md5}`;
    if (this.#status !== undefined && hasJob(this.#status)) {
      if (this.#ran !== key) {
        this.#ran = key;
        this.#firstLine = facts.line;
      }
      const isOld = facts.line === this.#firstLine && reachedEnd(facts.line, facts.totalLines);
      if (!isOld) this.#counted = key;
      return { ending: null };
    }
    if (this.#decided?.key === key) return { ending: this.#decided.ending };
    const told = this.#issue === undefined ? undefined : endingOfIssue(this.#issue);
    if (told !== undefined) return this.#decide(key, told);
    const wasSeen = this.#ran === key;
    if (wasSeen && this.#status === emergencyStop) return this.#decide(key, 'failed');
    if (this.#idleSince !== undefined && wasSeen) {
      const left = this.#idleSince + this.noticeMs - facts.now;
      if (left > 0) return { ending: null, undecidedForMs: left };
    }
    // The line count of a job stays until the next one moves. Of a job that was not seen short of its end it may be that
    // of the job before, which was of the same length if it was the same model.
    if (this.#counted === key && reachedEnd(facts.line, facts.totalLines)) return this.#decide(key, 'finished');
    return { ending: 'unknown' };
  }

  #decide(key: string, ending: Ending): JudgedRun {
    this.#decided = { key, ending };
    return { ending };
  }
}
