import { randomUUID } from 'node:crypto';
import type { Farm } from '../farm/farm';
import type { FarmPauseView } from '../schedule/pause-view';
import { latestPlan } from '../schedule/plan';
import { unfinishedJobs } from '../store/jobs';
import { countsOf, inQueueOrder, type QueueLine, queueLines } from './queries';

/** A line of the queue with a short number of its own, as long as the job is in it. */
export type NumberedLine = QueueLine & { number: number };

/** How the queue is since a revision. A listener that has another one, or one of another feed, asks for the whole. */
interface QueueState {
  feed: string;
  revision: number;
  total_jobs: number;
  queued: number;
  printing: number;
  /** Nothing new starts; null: the farm is not paused. */
  paused: FarmPauseView | null;
}

/** The whole queue in its order. */
export type WholeQueue = QueueState & { jobs: NumberedLine[] };

/** What is different from the revision before. */
export type QueueChanges = QueueState & {
  /** Lines that are new, or of which anything but place and times is different. */
  changed: NumberedLine[];
  /** The numbers of all lines in their order; null if only lines have gone, or nothing has moved. */
  order: number[] | null;
  gone: number[];
  /** [number, start, end] of lines whose times alone have moved. */
  times: [number, string | null, string | null][];
};

/** A time that moves by less is not told anew (ms): with every plan all of them move a little. */
const noticeable = 30_000;

/**
 * The queue for listeners that keep it: told whole once, and then what changes, because thousands of lines would be too
 * much for every event. The jobs are as they are, in the order of the plan that was made last: nobody has to wait for the
 * next one to see what was done; when it is there, ask again.
 */
export class QueueFeed {
  readonly #feed = randomUUID();
  #revision = 0;
  #count = 0;
  #lines = new Map<string, NumberedLine>();
  #state: Omit<QueueState, 'feed' | 'revision'> = { total_jobs: 0, queued: 0, printing: 0, paused: null };
  #turn: Promise<unknown> = Promise.resolve();
  /** Somebody waits to be told what has changed. */
  #asked = false;

  /**
   * @param whole tells one listener everything as it was told last; without it, what has changed since, for all
   * @returns undefined: nothing has changed, or whoever asked before will be told
   */
  tell(farm: Farm, whole: boolean): Promise<WholeQueue | QueueChanges | undefined> {
    if (!whole && this.#asked) return Promise.resolve(undefined);
    if (!whole) this.#asked = true;
    const told = this.#turn.then(async () => {
      if (!whole) this.#asked = false;
      if (whole && this.#revision > 0) return this.#whole();
      const changes = await this.#changes(farm);
      return whole ? this.#whole() : changes;
    });
    this.#turn = told.catch(() => undefined);
    return told;
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
    const told = JSON.stringify(paused) === JSON.stringify(this.#state.paused);
    if (told && this.#revision > 0 && changed.length + times.length + gone.length === 0 && order === null)
      return undefined;
    this.#lines = lines;
    this.#revision++;
    this.#state = { ...countsOf(jobs), paused };
    return { ...this.#now(), changed, order, gone, times };
  }
}

/** Whether two lines of a job say the same, but for where it stands and when it is printed. */
function sameButPlace(a: QueueLine, b: QueueLine): boolean {
  return (Object.keys(a) as (keyof QueueLine)[]).every((name) => {
    if (name === 'queue_position' || name === 'estimated_start_time' || name === 'estimated_end_time') return true;
    return name === 'waiting_reason' ? timeless(a[name]) === timeless(b[name]) : a[name] === b[name];
  });
}

/** A reason without the times in it. */
const timeless = (reason: string | null): string | null => reason?.replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, '') ?? null;

function moved(before: string | null, now: string | null): boolean {
  if (before === null || now === null) return before !== now;
  return Math.abs(Date.parse(now) - Date.parse(before)) >= noticeable;
}
