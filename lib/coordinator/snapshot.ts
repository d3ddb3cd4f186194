import type { Job } from '../model/job';
import type { Material } from '../model/material';
import { isActive } from '../model/printer';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../planning/snapshot';
import { type Attempt, openAttempts } from '../store/attempts';
import { databaseNow, type Queryable } from '../store/database';
import { unfinishedJobs, unmetDependencies } from '../store/jobs';
import { allMaterials } from '../store/materials';
import { allPrinters, type LoadedSlot, loadedSlots, type Printer } from '../store/printers';

/** Without any estimate a print is taken to last so long (hours). */
const unknownHours = 1;

/** What the planner needs to know of a job. */
export function planningJob(
  job: Job,
  material: Material | undefined,
  openCopies: number,
  waitsFor: Job['dependsOn'],
): PlanningJob {
  const wanted = job.cancelRequestedAt === null && job.givingUp === null;
  return {
    id: job.id,
    name: job.jobName,
    materialId: job.materialId,
    materialType: material?.type ?? 'unknown',
    nozzleTemperature: job.printSettings.nozzle_temp ?? material?.nozzleTemperature ?? 0,
    bedTemperature: job.printSettings.bed_temp ?? material?.bedTemperature ?? 0,
    modelKind: job.model.kind,
    dimensions: job.model.dimensions,
    hours: job.estimatedDurationHours ?? unknownHours,
    grams: job.estimatedGrams ?? 0,
    priority: job.priority,
    deadline: job.deadlineAt === null ? null : Date.parse(job.deadlineAt),
    createdAt: Date.parse(job.createdAt),
    notBefore: job.notBefore === null ? null : Date.parse(job.notBefore),
    forcePrinter: job.forcePrinter,
    held: job.hold,
    waitsFor,
    copiesToStart: wanted ? job.copies - job.copiesDone - openCopies : 0,
    failedOn: job.failedOn,
  };
}

/** What the planner needs to know of a printer. */
export function planningPrinter(
  printer: Printer,
  slots: LoadedSlot[],
  open: { attempt: Attempt; job: Job | undefined } | undefined,
  now: number,
): PlanningPrinter {
  const timeScale = printer.report?.timeScale ?? 1;
  return {
    id: printer.id,
    name: printer.name,
    make: printer.make,
    capabilities: printer.capabilities,
    slots: slots
      .filter((slot) => slot.printerId === printer.id)
      .map((slot) => ({ slot: slot.slot, materialId: slot.materialId, gramsFree: slot.gramsFree ?? 0 })),
    online: printer.online,
    state: printer.report?.state ?? null,
    bed: printer.bedState,
    bedCause: printer.bedCause,
    busy: busyWith(printer, open, now, timeScale),
    timeScale,
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
  const name = open?.job ? `"${open.job.jobName}"` : 'something that is not ours';
  if (active && printer.report?.remainingMinutes != null) {
    return { with: name, until: now + (printer.report.remainingMinutes * 60_000) / timeScale };
  }
  const seconds = open?.attempt.estimatedSeconds ?? (open?.job?.estimatedDurationHours ?? unknownHours) * 3600;
  const since = open?.attempt.startedAt ? Date.parse(open.attempt.startedAt) : now;
  return { with: name, until: Math.max(now, since + (seconds * 1000) / timeScale) };
}

/** The whole farm at this moment, for the planner. */
export async function takeSnapshot(
  db: Queryable,
  minutes: { clearMinutes?: number | undefined; changeMinutes?: number | undefined },
): Promise<Snapshot> {
  const [jobs, attempts, printers, slots, materials] = [
    await unfinishedJobs(db),
    await openAttempts(db),
    await allPrinters(db),
    await loadedSlots(db),
    await allMaterials(db),
  ];
  const now = await databaseNow(db);
  const materialById = new Map(materials.map((material) => [material.id, material]));
  const jobById = new Map(jobs.map((job) => [job.id, job]));
  const openCopies = new Map<string, number>();
  for (const attempt of attempts) openCopies.set(attempt.jobId, (openCopies.get(attempt.jobId) ?? 0) + 1);
  const unmet = new Set(await unmetDependencies(db, [...new Set(jobs.flatMap((job) => job.dependsOn))]));
  return {
    now,
    clearMinutes: minutes.clearMinutes ?? 5,
    changeMinutes: minutes.changeMinutes ?? 12.5,
    jobs: jobs.map((job) =>
      planningJob(
        job,
        materialById.get(job.materialId),
        openCopies.get(job.id) ?? 0,
        job.dependsOn.filter((id) => unmet.has(id)),
      ),
    ),
    printers: printers.map((printer) => {
      const attempt = attempts.find((one) => one.printerId === printer.id);
      return planningPrinter(printer, slots, attempt && { attempt, job: jobById.get(attempt.jobId) }, now);
    }),
  };
}
