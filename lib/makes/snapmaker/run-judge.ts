import type { Ending } from '../../model/printer';
import type { FileInfo } from './commands';
import { endingOfIssue, hasJob, reachedEnd } from './state-mapping';

export interface JudgedRun {
  ending: Ending | null;
  /** The job no longer runs, but how it ended is known only later; in this many ms at the latest. */
  undecidedForMs?: number;
}

/** The inputs for the judgement of a run. */
export interface RunFacts {
  file: FileInfo | undefined;
  line: number | undefined;
  /** When the line was reported, on the clock of `now`. */
  lineAt: number | undefined;
  totalLines: number | undefined;
  now: number;
}

const emergencyStop = 11;

/**
 * Judges how jobs ended. The status is the same after a finished and a stopped job; a notice that follows within
 * seconds, and may be lost, distinguishes them.
 */
export class RunJudge {
  #status: number | undefined;
  #issue: number | undefined;
  #idleSince: number | undefined;
  /** Since when no job runs, as seen on this connection. */
  #restingSince: number | undefined;
  /** The job that the printer reports, and since when. */
  #named: { key: string; since: number } | undefined;
  #ran: string | undefined;
  #decided: { key: string; ending: Ending } | undefined;

  constructor(private readonly noticeMs: number) {}

  /** Handles a new connection: events in between were not observed. */
  restart(): void {
    this.#status = undefined;
    this.#issue = undefined;
    this.#idleSince = undefined;
    this.#restingSince = undefined;
    this.#named = undefined;
  }

  /** Takes a status. Returns true if a job began or ended with it, so that the job should be queried. */
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
    if (runs) this.#restingSince = undefined;
    else this.#restingSince ??= now;
    return runs !== ran;
  }

  /** Takes the reason of a stop or of a pause. Returns true if it is an ending. */
  issue(code: number): boolean {
    if (endingOfIssue(code) === undefined) return false;
    this.#issue = code;
    return true;
  }

  judge(facts: RunFacts): JudgedRun {
    const { file } = facts;
    if (file === undefined) return { ending: null };
    const key = `${file.name} ${file.md5}`;
    if (this.#named?.key !== key) this.#named = { key, since: facts.now };
    if (this.#status !== undefined && hasJob(this.#status)) {
      this.#ran = key;
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
    // The count returns to 0 with each start and then stays until the next: a count reported now belongs to this job.
    // One reported before may belong to the previous job, which has the same length if it is the same model.
    const since = Math.max(this.#restingSince ?? facts.now, this.#named.since);
    if (facts.lineAt === undefined || facts.lineAt <= since) {
      const left = since + this.noticeMs - facts.now;
      return left > 0 ? { ending: null, undecidedForMs: left } : { ending: 'unknown' };
    }
    return reachedEnd(facts.line, facts.totalLines) ? this.#decide(key, 'finished') : { ending: 'unknown' };
  }

  #decide(key: string, ending: Ending): JudgedRun {
    this.#decided = { key, ending };
    return { ending };
  }
}
