import type { JobId } from '../model/ids';
import type { Plan } from './plan-shape';
import type { Snapshot } from './snapshot';

/** A start that is so near is a promise which the plan should keep (ms). */
const promisedWithin = 4 * 3_600_000;
/** An operator who has not done what was asked for so long (ms) is taken to be away for the next hour. */
const patience = 30 * 60_000;
const awayFor = 60 * 60_000;

/** What the next plan needs to know of those before. */
export interface PlanMemory {
  /** The plan before, to start from. */
  previous: Pick<Plan, 'lines'> | null;
  /** Starts (ms since 1970) that are near enough to be promises. */
  promised: Readonly<Record<JobId, number>>;
  /** Since when (ms since 1970) each change of filament was asked for and not done: `printer slot material`. */
  asked: Readonly<Record<string, number>>;
}

export const noMemory: PlanMemory = { previous: null, promised: {}, asked: {} };

/** A snapshot with what was promised, and without an operator who does not come. */
export function remembered(snapshot: Snapshot, { promised, asked }: PlanMemory): Snapshot {
  const longest = Math.min(Number.POSITIVE_INFINITY, ...Object.values(asked));
  return {
    ...snapshot,
    ...(snapshot.now - longest > patience && { operatorFrom: snapshot.now + awayFor }),
    jobs: snapshot.jobs.map((job) => {
      const promisedStart = promised[job.id];
      return promisedStart === undefined ? job : { ...job, promisedStart };
    }),
  };
}

/** What is to be remembered once this plan stands. */
export function memoryAfter(memory: PlanMemory, snapshot: Snapshot, plan: Plan): PlanMemory {
  return { previous: plan, promised: promisesAfter(memory, snapshot, plan), asked: askedAfter(memory, snapshot, plan) };
}

/** A promise stays as long as its job waits and is planned soon. */
function promisesAfter(memory: PlanMemory, snapshot: Snapshot, plan: Plan): Record<JobId, number> {
  const waiting = new Set(snapshot.jobs.filter((job) => job.copiesToStart > 0).map((job) => job.id));
  const promised: Record<JobId, number> = {};
  const planned = new Set<JobId>();
  for (const { jobId, start } of plan.lines) {
    if (start === null || planned.has(jobId)) continue;
    planned.add(jobId);
    const at = Date.parse(start);
    if (at - snapshot.now <= promisedWithin) promised[jobId] = memory.promised[jobId] ?? at;
  }
  for (const [id, at] of Object.entries(memory.promised) as [JobId, number][]) {
    if (!planned.has(id) && waiting.has(id)) promised[id] = at;
  }
  return Object.fromEntries(Object.entries(promised).filter(([id]) => waiting.has(id as JobId)));
}

/** A setup that was asked for and is still to be done keeps its time, unless the plan has given it up for now. */
function askedAfter({ asked }: PlanMemory, { now }: Snapshot, { lines }: Plan): Record<string, number> {
  const keysOf = (line: Plan['lines'][number]): string[] =>
    (line.changes ?? []).map(({ slot, to }) => `${line.printerId} ${slot} ${to}`);
  const isDue = ({ setupAt }: Plan['lines'][number]): boolean => !!setupAt && Date.parse(setupAt) <= now;
  const due = new Set(lines.filter(isDue).flatMap(keysOf));
  const wanted = new Set(lines.flatMap(keysOf));
  const isLater = lines.some(({ setupAt }) => setupAt && Date.parse(setupAt) > now);
  const kept = Object.entries(asked).filter(([key]) => due.has(key) || (isLater && wanted.has(key)));
  return { ...Object.fromEntries([...due].map((key) => [key, now])), ...Object.fromEntries(kept) };
}
