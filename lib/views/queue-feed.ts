import { randomUUID } from 'node:crypto';
import type { Farm } from '../farm/farm';
import type { FarmPauseView } from '../schedule/pause-view';
import { latestPlan } from '../schedule/plan';
import { unfinishedJobs } from '../store/jobs';
import { countsOf, inQueueOrder, type QueueLine, queueLines } from './queries';

/** A line of the queue with a short number that stays its own while the job is in the queue. */
export type NumberedLine = QueueLine & { number: number };

/** The state of the queue at a revision. A listener that has another revision, or one of another feed, requests the whole queue. */
interface QueueState {
  feed: string;
  revision: number;
  total_jobs: number;
  queued: number;
  printing: number;
  /** The pause, during which nothing new starts; null: the farm is not paused. */
  paused: FarmPauseView | null;
}

/** The whole queue in its order. */
export type WholeQueue = QueueState & { jobs: NumberedLine[] };

/** The differences from the previous revision. */
export type QueueChanges = QueueState & {
  /** Lines that are new, or that differ in more than place and times. */
  changed: NumberedLine[];
  /** The numbers of all lines in their order; null if lines were only removed, or none has moved. */
  order: number[] | null;
  gone: number[];
  /** [number, start, end] of lines that differ in their times only. */
  times: [number, string | null, string | null][];
};

/** Smaller changes of a time are not reported (ms): with every plan all of them move a little. */
const noticeable = 30_000;

/**
 * The queue for listeners that keep a copy: sent whole once, then as differences, because thousands of lines would be too
 * much for every event. The jobs are current, and in the order of the latest plan: listeners see a change without waiting for the
 * next plan; once that is made, they ask again.
 */
export class QueueFeed {
  readonly #feed = randomUUID();
  #revision = 0;
  #count = 0;
  #lines = new Map<string, NumberedLine>();
  #state: Omit<QueueState, 'feed' | 'revision'> = { total_jobs: 0, queued: 0, printing: 0, paused: null };
  #turn: Promise<unknown> = Promise.resolve();
  /** A caller waits for the differences. */
  #asked = false;

  /**
   * @param whole returns the whole queue of the last revision, for one listener; otherwise the differences since then, for all
   * @returns undefined: nothing has changed, or an earlier caller will receive the differences
   */
  tell(farm: Farm, whole: boolean): Promise<WholeQueue | QueueChanges | undefined> {
    if (!whole && this.#asked) return Promise.resolve(undefined);
    if (!whole) this.#asked = true;
    const answer = this.#turn.then(async () => {
      if (!whole) this.#asked = false;
      if (whole && this.#revision > 0) return this.#whole();
      const changes = await this.#changes(farm);
      return whole ? this.#whole() : changes;
    });
    this.#turn = answer.catch(() => undefined);
    return answer;
  }

  #now(): QueueState {
    return { feed: this.#feed, revision: this.#revision, ...this.#state };
  }

  #whole(): WholeQueue {
    return { ...this.#now(), jobs: [...this.#lines.values()] };
  }

  async #changes(farm: Farm): Promise<QueueChanges | undefined> {
    const plan = await latestPlan(farm);
    const jobs = await unfinishedJobs(farm.database);
    const before = this.#lines;
    const lines = new Map<string, NumberedLine>();
    const changed: NumberedLine[] = [];
    const times: QueueChanges['times'] = [];
    for (const line of queueLines(inQueueOrder(jobs, plan), plan)) {
      const known = before.get(line.job_id);
      const numbered = { ...line, number: known?.number ?? ++this.#count };
      lines.set(line.job_id, numbered);
      if (!known || !sameButPlace(known, numbered)) changed.push(numbered);
      else if (
        moved(known.estimated_start_time, numbered.estimated_start_time) ||
        moved(known.estimated_end_time, numbered.estimated_end_time)
      ) {
        times.push([numbered.number, numbered.estimated_start_time, numbered.estimated_end_time]);
      } else {
        numbered.estimated_start_time = known.estimated_start_time;
        numbered.estimated_end_time = known.estimated_end_time;
      }
    }
    const gone = [...before.values()].filter((line) => !lines.has(line.job_id)).map((line) => line.number);
    const left = [...before.values()].filter((line) => lines.has(line.job_id)).map((line) => line.number);
    const now = [...lines.values()].map((line) => line.number);
    const order = now.length === left.length && now.every((number, index) => number === left[index]) ? null : now;
    const paused = plan.paused ?? null;
    const samePause = JSON.stringify(paused) === JSON.stringify(this.#state.paused);
    if (samePause && this.#revision > 0 && changed.length + times.length + gone.length === 0 && order === null)
      return undefined;
    this.#lines = lines;
    this.#revision++;
    this.#state = { ...countsOf(jobs), paused };
    return { ...this.#now(), changed, order, gone, times };
  }
}

/** Whether two lines of a job are equal except for place and times. */
function sameButPlace(a: QueueLine, b: QueueLine): boolean {
  return (Object.keys(a) as (keyof QueueLine)[]).every((name) => {
    if (name === 'queue_position' || name === 'estimated_start_time' || name === 'estimated_end_time') return true;
    return name === 'waiting_reason' ? timeless(a[name]) === timeless(b[name]) : a[name] === b[name];
  });
}

/** Returns a reason without the times in it. */
const timeless = (reason: string | null): string | null => reason?.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '') ?? null;

function moved(before: string | null, now: string | null): boolean {
  if (before === null || now === null) return before !== now;
  return Math.abs(Date.parse(now) - Date.parse(before)) >= noticeable;
}
