import type { SubmittedJob as ContractSubmittedJob } from '../contracts/jobs';
import { parseJobSubmission } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import type { FileAnalysis } from '../files/analysis';
import { storedExtension } from '../files/stored-extension';
import { asError } from '../model/errors';
import type { JobId } from '../model/ids';
import type { Job } from '../model/job';
import type { Material } from '../model/material';
import type { Plan } from '../planning/plan-shape';
import { promiseOf, shiftsBetween } from '../planning/promise';
import type { Snapshot } from '../planning/snapshot';
import { plannedForAll, plannedNow } from '../schedule/plan';
import { type PromiseView, promiseView } from '../schedule/promises';
import { DatabaseUnavailableError } from '../store/database';
import { keepFiles } from '../store/file-use';
import { findAnalysis } from '../store/files';
import { findSubmission, type KeyedSubmission, keepSubmission } from '../store/idempotency-keys';
import { findJob, insertJob } from '../store/jobs';
import { stockOfMaterials } from '../store/materials';
import { insertPromise } from '../store/planning';
import { shareFile } from '../store/shared-files';
import { examine, refused } from './examine';
import { KeyInUseError, SubmissionKey } from './submission-key';

/** How long the answer waits for the plan of a stored job (ms). */
const answerWithin = 2000;

/** The answer to a submission. */
export type SubmittedJob = ContractSubmittedJob;

/**
 * Accepts a job, or rejects it with every error and stores nothing.
 * @param input checked against the schema here
 * @param key an idempotency key: repeating the same submission with the same key returns the job that it created before
 * @throws MalformedInputError its shape is invalid
 * @throws UnacceptableInputError material, file, size, deadline or printer cannot be accepted; every field is named
 */
export async function submitJob(farm: Farm, input: unknown, actor: string, key?: string): Promise<SubmittedJob> {
  const submission = parseJobSubmission(input);
  const once = key === undefined ? undefined : new SubmissionKey(key, submission);
  const earlier = once && (await findSubmission(farm.database, once.key));
  if (once && earlier) return answerAgain(farm, once, earlier);
  const { job, material, file, warnings } = await examine(farm, submission, actor);
  if (farm.sharesFiles) {
    const kept = farm.files.pathOf(file.sha256, storedExtension[file.analysis.kind]);
    await shareFile(farm.database, file.sha256, kept);
  }
  const before = farm.options.operator ? (await plannedForAll(farm)).plan : undefined;
  let inserted: Job | undefined;
  try {
    const stored = await farm.database.transaction(async (tx) => {
      await keepFiles(tx);
      if (!(await farm.files.touch(file.sha256, storedExtension[file.analysis.kind]))) {
        const remedy = 'Send the file again.';
        throw refused([{ field: 'stl_path', value: submission.stl_path, remedy }]);
      }
      inserted = await insertJob(tx, job);
      if (once && !(await keepSubmission(tx, once.key, { requestDigest: once.digest, jobId: inserted.id }))) {
        throw new KeyInUseError();
      }
      return inserted;
    });
    return await answerOf(farm, stored, { warnings, material, before });
  } catch (error) {
    // Perhaps only the answer to the COMMIT was lost: a stored job is no failure.
    if (error instanceof DatabaseUnavailableError && inserted && (await isStored(farm, inserted))) {
      return answerOf(farm, inserted, { warnings, material, before });
    }
    if (!(error instanceof KeyInUseError) || !once) throw error;
    const winner = await findSubmission(farm.database, once.key);
    if (!winner) throw error;
    return answerAgain(farm, once, winner);
  }
}

/** Whether the job is stored; false if the database cannot be queried. */
async function isStored(farm: Farm, job: Job): Promise<boolean> {
  return findJob(farm.database, job.id).then(
    () => true,
    () => false,
  );
}

/** What the answer needs besides the job. */
interface Circumstances {
  /** Warnings about its file. */
  warnings: string[];
  /** The material of a new job: the stock is compared with the promised grams. */
  material?: Material;
  /** The plan without the job, if the job is new. */
  before?: Plan | undefined;
}

/**
 * The answer for a stored job. A planning error must not fail the submission: the client would send the job again, and it would be
 * printed twice.
 */
async function answerOf(farm: Farm, job: Job, circumstances: Circumstances): Promise<SubmittedJob> {
  const late = new AbortController();
  const timer = setTimeout(() => late.abort(), answerWithin);
  try {
    return await Promise.race([plannedAnswer(farm, job, circumstances, late.signal), whenAborted(late.signal)]);
  } catch (error) {
    if (!late.signal.aborted) {
      farm.log('warn', `Job ${job.id} was accepted, but could not be planned yet: ${asError(error).message}`);
    }
    return {
      job_id: job.id,
      status: job.status,
      queue_position: null,
      estimated_start_time: null,
      waiting_reason: 'it was accepted; the plan is being made',
      warnings: circumstances.warnings,
      promise: null,
      pushes_back: [],
    };
  } finally {
    clearTimeout(timer);
    late.abort();
  }
}

function whenAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_resolve, reject) => {
    signal.addEventListener('abort', () => reject(new Error('Planning exceeds the time limit of an answer.')), {
      once: true,
    });
  });
}

/** @param late aborts when the answer is due; nothing is promised any more after that */
async function plannedAnswer(
  farm: Farm,
  job: Job,
  { warnings, material, before }: Circumstances,
  late: AbortSignal,
): Promise<SubmittedJob> {
  const ofStock = material ? await stockWarnings(farm, material) : [];
  const { plan, snapshot } = await plannedNow(farm);
  const line = plan.lines.find((one) => one.jobId === job.id);
  const outlook = before && (await outlookOf(farm, job.id, { before, plan, snapshot }, late));
  return {
    job_id: job.id,
    status: job.status,
    queue_position: plan.positions[job.id] ?? null,
    estimated_start_time: line?.start ?? null,
    waiting_reason: plan.waiting[job.id] ?? null,
    warnings: [...warnings, ...ofStock],
    promise: outlook?.promise ?? null,
    pushes_back: outlook?.pushesBack ?? [],
  };
}

/** The promise for a new job, and the jobs that it delays. */
async function outlookOf(
  farm: Farm,
  id: JobId,
  { before, plan, snapshot }: { before: Plan; plan: Plan; snapshot: Snapshot },
  late: AbortSignal,
): Promise<{ promise: PromiseView | null; pushesBack: SubmittedJob['pushes_back'] }> {
  const job = snapshot.jobs.find((one) => one.id === id);
  const promise = job && promiseOf(snapshot, plan, await farm.learned.forecast.from(farm.database), job);
  if (promise && !late.aborted) {
    await insertPromise(farm.database, {
      jobId: id,
      situation: promise.situation,
      leadMinutes: promise.leadMinutes,
      startAt: plan.lines.find((line) => line.jobId === id)?.start ?? promise.start.p50,
      p10At: promise.start.p10,
      p90At: promise.start.p90,
    });
  }
  return {
    promise: promise ? promiseView(id, promise) : null,
    pushesBack: shiftsBetween(before, plan, snapshot.jobs)
      .filter(({ minutes }) => minutes === null || minutes > 0)
      .map((shift) => ({ job_id: shift.jobId, minutes: shift.minutes, breaks_deadline: shift.breaksDeadline })),
  };
}

/** The answer for the job that the key created before. @throws UnacceptableInputError the key belongs to another submission */
async function answerAgain(farm: Farm, once: SubmissionKey, earlier: KeyedSubmission): Promise<SubmittedJob> {
  once.checkSame(earlier);
  const job = await findJob(farm.database, earlier.jobId);
  const analysis = (await findAnalysis(farm.database, job.model.sha256)) as FileAnalysis | undefined;
  return answerOf(farm, job, { warnings: analysis?.warnings ?? [] });
}

/** Warns if the stock of the material is below the promised grams: it must be bought before all of it can be printed. */
async function stockWarnings(farm: Farm, material: Material): Promise<string[]> {
  const stock = (await stockOfMaterials(farm.database)).find((one) => one.materialId === material.id);
  if (!stock || stock.gramsPromised <= stock.gramsLeft) return [];
  const [left, promised] = [Math.floor(stock.gramsLeft), Math.ceil(stock.gramsPromised)];
  return [`There are ${left} g of ${material.name} in stock, and ${promised} g are promised with this job.`];
}
