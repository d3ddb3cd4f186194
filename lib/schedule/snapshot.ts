import type { Farm } from '../farm/farm';
import type { JobId, PrinterId } from '../model/ids';
import type { Job } from '../model/job';
import { onlyWishes } from '../model/job-wishes';
import type { Material } from '../model/material';
import { isActive } from '../model/printer';
import type { JobStatus } from '../model/status';
import type { LearnedDurations } from '../planning/durations';
import { wallHours } from '../planning/eligibility';
import { owedEvery } from '../planning/owed';
import { owedAfter } from '../planning/priority';
import type { DeadEnd, PlanningJob, PlanningPrinter, Snapshot } from '../planning/snapshot';
import { type Attempt, openAttempts } from '../store/attempts';
import { databaseNow } from '../store/database';
import { findFarmPause } from '../store/farm-pause';
import { partsOfKits, unfinishedJobs, unmetDependencies } from '../store/jobs';
import { allMaterials, allSpools, type Spool } from '../store/materials';
import { type Closure, closuresAhead, dispatchesSinceOwed } from '../store/planning';
import { allPrinters, type LoadedSlot, loadedSlots, type Printer } from '../store/printers';
import type { Queryable } from '../store/queryable';
import { fitJob, fitPrinter } from './fit-subject';
import { pauseView } from './pause-view';

/** The assumed duration of a print without an estimate (hours). */
const unknownHours = 1;

/** A job in the form that the planner uses. */
export function planningJob(
  job: Job,
  material: Material | undefined,
  openCopies: number,
  unmet: Awaited<ReturnType<typeof unmetDependencies>>,
): PlanningJob {
  const deadEnds = unmet.flatMap(({ id, status }) => deadEnd(id, status));
  const wanted = job.cancelRequestedAt === null && job.givingUp === null;
  return {
    ...fitJob(job, material),
    id: job.id,
    name: job.jobName,
    hours: job.estimatedDurationHours ?? unknownHours,
    priority: job.priority,
    wishes: onlyWishes(job),
    deadline: job.deadlineAt === null ? null : Date.parse(job.deadlineAt),
    createdAt: Date.parse(job.createdAt),
    notBefore: latest(job.notBefore, job.retryAt),
    // A job that an earlier version accepted waits until its file has been read again.
    held: job.hold || job.fileFacts === null,
    waitsFor: unmet.map(({ id }) => id),
    ...(deadEnds.length > 0 && { deadEnds }),
    copiesToStart: wanted ? job.copies - job.copiesDone - openCopies : 0,
    failedOn: job.failedOn,
    ...(job.failedAt !== null && { failedAt: Date.parse(job.failedAt) }),
  };
}

/** Returns the later of two times (ms since 1970); null if there is none. */
function latest(...times: (string | null)[]): number | null {
  const given = times.flatMap((time) => (time === null ? [] : [Date.parse(time)]));
  return given.length === 0 ? null : Math.max(...given);
}

function deadEnd(id: JobId, status: JobStatus | null): DeadEnd[] {
  if (status === null) return [{ id, status: 'gone' }];
  return status === 'failed' || status === 'cancelled' ? [{ id, status }] : [];
}

/** A printer in the form that the planner uses. */
export function planningPrinter(
  printer: Printer,
  slots: LoadedSlot[],
  open: { attempt: Attempt; job: Job | undefined } | undefined,
  now: number,
  closures: readonly Closure[] = [],
): PlanningPrinter {
  const timeScale = printer.report?.timeScale ?? 1;
  return {
    ...fitPrinter(printer, slots),
    busy: busyWith(printer, open, now, timeScale),
    timeScale,
    bedVersion: printer.bedVersion,
    closed: closures
      .filter((closure) => closure.printerId === printer.id)
      .map(({ fromAt, untilAt, reason }) => ({ from: Date.parse(fromAt), until: Date.parse(untilAt), reason })),
  };
}

function busyWith(
  printer: Printer,
  open: { attempt: Attempt; job: Job | undefined } | undefined,
  now: number,
  timeScale: number,
): PlanningPrinter['busy'] {
  const active = printer.report !== null && isActive(printer.report.state) && printer.online;
  if (!open && !active) return null;
  const job = open ? { jobId: open.attempt.jobId, ...(open.job?.kitId && { kit: open.job.kitId }) } : {};
  const name = open?.job ? `"${open.job.jobName}"` : 'something that is not ours';
  if (active && printer.report?.remainingMinutes != null) {
    return { with: name, until: now + (printer.report.remainingMinutes * 60_000) / timeScale, ...job };
  }
  const seconds = open?.attempt.estimatedSeconds ?? (open?.job?.estimatedDurationHours ?? unknownHours) * 3600;
  const since = open?.attempt.startedAt ? Date.parse(open.attempt.startedAt) : now;
  return { with: name, until: Math.max(now, since + (seconds * 1000) / timeScale), ...job };
}

/**
 * Takes a snapshot of the whole farm, for the planner.
 * @param unfinished the jobs, if they have been read already in the same transaction
 */
export async function takeSnapshot(
  db: Queryable,
  { options, learned }: Pick<Farm, 'options' | 'learned'>,
  unfinished?: Job[],
): Promise<Snapshot> {
  const jobs = unfinished ?? (await unfinishedJobs(db));
  const [attempts, printers, slots, materials, closures] = [
    await openAttempts(db),
    await allPrinters(db),
    await loadedSlots(db),
    await allMaterials(db),
    await closuresAhead(db),
  ];
  const now = await databaseNow(db);
  const paused = await findFarmPause(db);
  const ahead = options.operator ? await planningFacts(db, learned) : undefined;
  const materialById = new Map(materials.map((material) => [material.id, material]));
  const jobById = new Map(jobs.map((job) => [job.id, job]));
  const openCopies = new Map<string, number>();
  for (const attempt of attempts) openCopies.set(attempt.jobId, (openCopies.get(attempt.jobId) ?? 0) + 1);
  const places = printers.map((printer) => {
    const attempt = attempts.find((one) => one.printerId === printer.id);
    return planningPrinter(printer, slots, attempt && { attempt, job: jobById.get(attempt.jobId) }, now, closures);
  });
  const kits = await partsOfKits(db, [...new Set(jobs.flatMap((job) => job.kitId ?? []))]);
  const waitedFor = await unmetDependencies(db, [...new Set(jobs.flatMap((job) => job.dependsOn))]);
  const unmet = new Map(waitedFor.map((one) => [one.id, one]));
  return {
    now,
    clearMinutes: options.clearMinutes ?? 5,
    changeMinutes: options.changeMinutes ?? 12.5,
    ...(options.operator && { operator: options.operator }),
    ...(options.quiet && { quiet: options.quiet }),
    ...(options.weights && { weights: options.weights }),
    ...(paused && { paused: pauseView(paused) }),
    shelf: shelfOf(await allSpools(db)),
    jobs: jobs.map((job) => {
      const planned = planningJob(
        job,
        materialById.get(job.materialId),
        openCopies.get(job.id) ?? 0,
        job.dependsOn.flatMap((id) => unmet.get(id) ?? []),
      );
      return {
        ...planned,
        ...(job.kitId !== null && { kit: { id: job.kitId, partsDone: kits.get(job.kitId)?.completed ?? 0 } }),
        ...(ahead && { hoursOn: hoursOn(planned, places, ahead.durations) }),
      };
    }),
    printers: places.map((place) => ({
      ...place,
      ...(ahead && {
        dispatchesSinceOwed: ahead.dispatches.get(place.id) ?? 0,
      }),
    })),
  };
}

/** The facts that only planning ahead needs. */
async function planningFacts(
  db: Queryable,
  learned: Farm['learned'],
): Promise<{
  dispatches: Map<PrinterId, number>;
  durations: LearnedDurations;
}> {
  return {
    dispatches: await dispatchesSinceOwed(db, owedAfter, owedEvery),
    durations: await learned.durations.from(db),
  };
}

/** Spools with filament that are in no slot, minus the grams reserved by open attempts. */
const shelfOf = (spools: readonly Spool[]): NonNullable<Snapshot['shelf']> =>
  spools
    .filter((spool) => spool.printerId === null && spool.gramsFree > 0)
    .map((spool) => ({ spoolId: spool.id, materialId: spool.materialId, grams: spool.gramsFree }));

/** Wall-clock hours on each printer, corrected by the actual durations of its prints of this material. */
function hoursOn(
  job: PlanningJob,
  printers: readonly PlanningPrinter[],
  durations: LearnedDurations,
): Record<PrinterId, number> {
  return Object.fromEntries(
    printers.map((printer) => [printer.id, wallHours(job, printer) * durations.factor(printer.id, job.materialId)]),
  );
}
