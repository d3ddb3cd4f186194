import type { JobId } from '../model/ids';
import type { Plan } from './plan-shape';
import type { Snapshot } from './snapshot';

/** A start within this time is a promise that the plan should keep (ms). */
const promisedWithin = 4 * 3_600_000;
/** After a setup has been due for this long (ms), the operator is assumed to be away for the next hour. */
const patience = 30 * 60_000;
const awayFor = 60 * 60_000;

/** The information about earlier plans that the next plan needs. */
export interface PlanMemory {
  /** The previous plan, to start from. */
  previous: Pick<Plan, 'lines'> | null;
  /** Starts (ms since 1970) that are near enough to be promises. */
  promised: Readonly<Record<JobId, number>>;
  /** Since when (ms since 1970) each filament change has been due: `printer slot material`. */
  asked: Readonly<Record<string, number>>;
}

export const noMemory: PlanMemory = { previous: null, promised: {}, asked: {} };

/** Returns the snapshot with the promised starts, and without an operator who is assumed to be away. */
export function remembered(snapshot: Snapshot, { promised, asked }: PlanMemory): Snapshot {
  const { now } = snapshot;
  // An operator who did not come an hour and a half ago may be there by now.
  const isAway = Object.values(asked).some((at) => now - at > patience && now - at <= patience + awayFor);
  return {
    ...snapshot,
    ...(isAway && { operatorFrom: now + awayFor }),
    jobs: snapshot.jobs.map((job) => {
      const promisedStart = promised[job.id];
      return promisedStart === undefined ? job : { ...job, promisedStart };
    }),
  };
}

/** Returns the memory after this plan. */
export function memoryAfter(memory: PlanMemory, snapshot: Snapshot, plan: Plan): PlanMemory {
  return { previous: plan, promised: promisesAfter(memory, snapshot, plan), asked: askedAfter(memory, snapshot, plan) };
}

/** Keeps a promise as long as its job waits and is planned soon. */
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

/** A due setup that is still in the plan keeps its time, unless the plan has dropped it for now. */
function askedAfter({ asked }: PlanMemory, { now }: Snapshot, { lines }: Plan): Record<string, number> {
  const keysOf = (line: Plan['lines'][number]): string[] =>
    (line.changes ?? []).map(({ slot, to }) => `${line.printerId} ${slot} ${to}`);
  const isDue = ({ setupAt }: Plan['lines'][number]): boolean => !!setupAt && Date.parse(setupAt) <= now;
  const due = new Set(lines.filter(isDue).flatMap(keysOf));
  const wanted = new Set(lines.flatMap(keysOf));
  const isLater = lines.some(({ setupAt }) => setupAt && Date.parse(setupAt) > now);
  const kept = Object.entries(asked).filter(
    ([key, at]) => now - at <= patience + awayFor && (due.has(key) || (isLater && wanted.has(key))),
  );
  return { ...Object.fromEntries([...due].map((key) => [key, now])), ...Object.fromEntries(kept) };
}
