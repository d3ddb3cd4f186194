import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { JobPreview as ContractJobPreview } from '../contracts/jobs';
import { parseJobSubmission } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import { drawModel } from '../files/analyse-file';
import { storedExtension } from '../files/stored-extension';
import { judge, permanentReasons } from '../fit/judge';
import { asError } from '../model/errors';
import { jobId } from '../model/ids';
import { promiseOf, shiftsBetween } from '../planning/promise';
import type { PlanningJob, Snapshot } from '../planning/snapshot';
import { plannedForAll } from '../schedule/plan';
import { promiseView } from '../schedule/promises';
import { type ExaminedJob, examine } from './examine';

/** The preview of a job before its submission. Hours are printer time, money is USD, both per copy. */
export type JobPreview = ContractJobPreview;

/** Side of the picture (pixels). */
const pictureSize = 320;
const pictureLimits = { timeLimitMs: 20_000 };

/**
 * Returns what a submission would cost, when it would be printed, and which jobs it would delay. No job is stored.
 * @throws MalformedInputError its shape is invalid
 * @throws UnacceptableInputError submitting it would be refused, for the same reasons
 */
export async function previewJob(farm: Farm, input: unknown): Promise<JobPreview> {
  const examined = await examine(farm, parseJobSubmission(input), 'preview');
  const { snapshot, plan: before, memory } = await plannedForAll(farm);
  const { job } = examined;
  const imagined: PlanningJob = {
    ...examined.planned,
    id: jobId('preview'),
    createdAt: snapshot.now,
    copiesToStart: job.copies,
    ...(job.kitId !== null && { kit: kitIn(snapshot, job.kitId) }),
  };
  const changed = { ...snapshot, jobs: [...snapshot.jobs, imagined] };
  const plan = await farm.planner.make(changed, memory);
  const promise = promiseOf(changed, plan, await farm.learned.forecast.from(farm.database), imagined);
  const names = new Map<string, string>(snapshot.jobs.map((one) => [one.id, one.name]));
  return {
    estimated_grams: job.estimatedGrams,
    estimated_hours: job.estimatedDurationHours,
    estimated_cost_usd: job.estimatedCostUsd,
    printers: examined.places.map((printer) => ({
      printer_id: printer.id,
      name: printer.name,
      because: permanentReasons(examined.planned, printer)[0]?.text ?? null,
      ...judge(examined.planned, printer),
    })),
    promise: promise && promiseView(imagined.id, promise),
    waiting_reason: plan.waiting[imagined.id] ?? null,
    pushes_back: shiftsBetween(before, plan, snapshot.jobs)
      .filter(({ minutes }) => minutes === null || minutes > 0)
      .map((shift) => ({
        job_id: shift.jobId,
        job_name: names.get(shift.jobId) ?? shift.jobId,
        minutes: shift.minutes,
        breaks_deadline: shift.breaksDeadline,
      })),
    warnings: examined.warnings,
    thumbnail: await pictureOf(farm, examined.file),
  };
}

/** The kit in the form that the jobs of the snapshot use. */
function kitIn(snapshot: Snapshot, id: string): NonNullable<PlanningJob['kit']> {
  return snapshot.jobs.find(({ kit }) => kit?.id === id)?.kit ?? { id, partsDone: 0 };
}

/** The picture is optional: a file that cannot be drawn is previewed without one. */
async function pictureOf(farm: Farm, { analysis, sha256 }: ExaminedJob['file']): Promise<string | null> {
  if (analysis.kind !== 'stl' && analysis.kind !== '3mf') return null;
  const directory = await mkdtemp(join(tmpdir(), 'platewise-picture-'));
  const path = join(directory, 'model.png');
  try {
    const source = farm.files.pathOf(sha256, storedExtension[analysis.kind]);
    await drawModel(source, [{ path, size: pictureSize }], {
      ...pictureLimits,
      ...(analysis.plate !== undefined && { plate: analysis.plate }),
    });
    return `data:image/png;base64,${(await readFile(path)).toString('base64')}`;
  } catch (error) {
    farm.log('debug', `No picture of ${sha256} was drawn: ${asError(error).message}`);
    return null;
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}
