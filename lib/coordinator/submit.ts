import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { analysisOf } from '../agent/model-analysis';
import type { FileAnalysis } from '../files/analysis';
import { FileStoreError, printExtensionOf } from '../files/file-store';
import { storedExtension } from '../files/stored-extension';
import { costOf } from '../model/cost';
import { asError, type FieldError, NotFoundError, PlatewiseError, UnacceptableInputError } from '../model/errors';
import { isUuid, type JobId, materialId, type PrinterId } from '../model/ids';
import type { Job } from '../model/job';
import { type Material, materialTolerance } from '../model/material';
import { type JobSubmission, parseJobSubmission } from '../model/messages';
import type { Dimensions } from '../model/printer';
import type { PrintSettings } from '../model/settings';
import type { JobStatus } from '../model/status';
import { impossible, neverBecause } from '../planning/eligibility';
import type { Plan } from '../planning/plan';
import { promiseOf, shiftsBetween } from '../planning/promise';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../planning/snapshot';
import { estimatePrint } from '../slicing/estimate';
import { ProfileError, type SlicingProfile } from '../slicing/profile';
import { keepFiles } from '../store/file-use';
import { findAnalysis } from '../store/files';
import { findSubmission, type KeyedSubmission, keepSubmission } from '../store/idempotency-keys';
import { findJob, insertJob, type NewJob } from '../store/jobs';
import { findMaterial, stockOfMaterials } from '../store/materials';
import { insertPromise } from '../store/planning';
import { allPrinters, type Printer } from '../store/printers';
import { shareFile } from '../store/shared-files';
import type { Farm } from './farm';
import { plannedNow, snapshotNow } from './plan';
import { forecastOf, type PromiseView, promiseView } from './promises';
import { planningJob, planningPrinter } from './snapshot';
import { KeyInUseError, SubmissionKey } from './submission-key';

/** The answer to a submission. */
export interface SubmittedJob {
  job_id: JobId;
  status: JobStatus;
  /** Place in the queue, from 1. */
  queue_position: number | null;
  /** ISO 8601 UTC; null if only an operator can make room. */
  estimated_start_time: string | null;
  /** Why it does not start at once. */
  waiting_reason: string | null;
  warnings: string[];
  /** What is promised, and of its deadline; null without operator hours, or if only an operator can say. */
  promise: PromiseView | null;
  /** Whose end moves back by more than a quarter of an hour because of it. */
  pushes_back: { job_id: JobId; minutes: number | null; breaks_deadline: boolean }[];
}

/** The answer to an upload. */
export interface StoredFile {
  stl_path: string;
  sha256: string;
  dimensions_mm: Dimensions;
  volume_mm3: number;
  triangles: number;
  warnings: string[];
}

/** What the column holds. */
const mostUsd = 99_999_999;
const defaultUploadLimit = 1024 ** 3;

/**
 * Stores an uploaded model or print file and reads it once.
 * @param stream the file's bytes
 * @param originalName only its extension is used
 * @throws FileStoreError `unsupported_extension`, `file_too_large`
 * @throws UnacceptableInputError it cannot be read as what it claims to be
 */
export async function storeFile(farm: Farm, stream: Readable, originalName: string): Promise<StoredFile> {
  const extension = printExtensionOf(originalName);
  if (extension === undefined) {
    stream.destroy();
    throw new FileStoreError(
      'Only .stl, .3mf, .gcode and .gcode.3mf files are kept.',
      'unsupported_extension',
      'Send a file with one of these endings.',
    );
  }
  const maxBytes = farm.options.maxUploadBytes ?? defaultUploadLimit;
  const stored = await farm.files.put(stream, { extension, maxBytes });
  const analysis = await analysisOf(farm.database, stored.sha256, stored.path).catch((error: unknown) => {
    throw unreadable('file', basename(originalName), error);
  });
  return {
    stl_path: stored.path,
    sha256: stored.sha256,
    dimensions_mm: analysis.dimensions,
    volume_mm3: analysis.volumeMm3,
    triangles: analysis.triangles,
    warnings: analysis.warnings,
  };
}

/**
 * Accepts a job, or says what is wrong with it and stores nothing.
 * @param input checked against the schema here
 * @param key an idempotency key: the same submission with the same key is answered with the job that it made before
 * @throws MalformedInputError its shape is wrong
 * @throws UnacceptableInputError material, file, size, deadline or printer cannot be accepted; every field is named
 */
export async function submitJob(farm: Farm, input: unknown, actor: string, key?: string): Promise<SubmittedJob> {
  const submission = parseJobSubmission(input);
  const once = key === undefined ? undefined : new SubmissionKey(key, submission);
  const earlier = once && (await findSubmission(farm.database, once.key));
  if (once && earlier) return answerAgain(farm, once, earlier);
  const { job, material, file } = await examine(farm, submission, actor);
  if (farm.sharesFiles) {
    const kept = farm.files.pathOf(file.sha256, storedExtension[file.analysis.kind]);
    await shareFile(farm.database, file.sha256, kept);
  }
  const before = farm.options.operator ? await farm.planner.make(await snapshotNow(farm)) : undefined;
  try {
    const stored = await farm.database.transaction(async (tx) => {
      await keepFiles(tx);
      if (!(await farm.files.touch(file.sha256, storedExtension[file.analysis.kind]))) {
        const remedy = 'Send the file again.';
        throw refused([{ field: 'stl_path', value: submission.stl_path, remedy }]);
      }
      const inserted = await insertJob(tx, job);
      if (once && !(await keepSubmission(tx, once.key, { requestDigest: once.digest, jobId: inserted.id }))) {
        throw new KeyInUseError();
      }
      return inserted;
    });
    return await answerOf(farm, stored, [...file.analysis.warnings, ...(await stockWarnings(farm, material))], before);
  } catch (error) {
    if (!(error instanceof KeyInUseError) || !once) throw error;
    const winner = await findSubmission(farm.database, once.key);
    if (!winner) throw error;
    return answerAgain(farm, once, winner);
  }
}

/** A submission that can be accepted: the job that it would be, for the database and for the planner, and where it could be printed. */
export interface ExaminedJob {
  job: NewJob;
  material: Material;
  file: { analysis: FileAnalysis; sha256: string };
  planned: PlanningJob;
  places: PlanningPrinter[];
}

/** Checks a submission and estimates it; nothing is stored but what its file tells. @throws UnacceptableInputError */
export async function examine(farm: Farm, submission: JobSubmission, actor: string): Promise<ExaminedJob> {
  const errors: FieldError[] = [];
  const material = await findMaterial(farm.database, submission.material_id);
  if (!material) {
    errors.push({
      field: 'material_id',
      value: submission.material_id,
      remedy: 'Use the id of a material that the farm knows, for example pla_black_esun.',
    });
  }
  checkTimes(submission, errors);
  await checkDependencies(farm, submission, errors);
  const file = await readModel(farm, submission.stl_path).catch((error: unknown) => {
    if (!(error instanceof UnacceptableInputError)) throw error;
    errors.push(...error.errors);
    return undefined;
  });
  const printers = await allPrinters(farm.database);
  if (submission.force_printer != null && !printers.some((printer) => printer.id === submission.force_printer)) {
    errors.push({
      field: 'force_printer',
      value: submission.force_printer,
      remedy: `Use one of ${printers.map((printer) => printer.id).join(', ')}, or leave it out.`,
    });
  }
  const settings = submission.print_settings ?? {};
  const profile = material && (await profileOf(farm, submission, material, errors));
  if (material) checkTemperatures(settings, material, errors);
  if (errors.length > 0 || !material || !file) throw refused(errors);

  const estimate = estimatePrint(file.analysis, undefined, material, settings, profile);
  const job = newJob(farm, submission, file, material, estimate, printers, actor);
  const planned = planningJob({ ...job, ...placeholder } as Job, material, 0, []);
  const places = printers.map((printer) => planningPrinter(printer, [], undefined, Date.now()));
  if (places.every((printer) => neverBecause(planned, printer) !== null)) {
    const field = blame(planned, submission);
    errors.push({ ...field, remedy: `${field.remedy} (${impossible(planned, places)})` });
    throw refused(errors);
  }
  return { job, material, file, planned, places };
}

/** @param before the plan as it was without the job, if it has just come */
async function answerOf(farm: Farm, job: Job, warnings: string[], before?: Plan): Promise<SubmittedJob> {
  const { plan, snapshot } = await plannedNow(farm);
  const line = plan.lines.find((one) => one.jobId === job.id);
  const outlook = before && (await outlookOf(farm, job.id, { before, plan, snapshot }));
  return {
    job_id: job.id,
    status: job.status,
    queue_position: plan.positions[job.id] ?? null,
    estimated_start_time: line?.start ?? null,
    waiting_reason: plan.waiting[job.id] ?? null,
    warnings,
    promise: outlook?.promise ?? null,
    pushes_back: outlook?.pushesBack ?? [],
  };
}

/** What can be promised of a job that has just come, and whom it pushes back. */
async function outlookOf(
  farm: Farm,
  id: JobId,
  { before, plan, snapshot }: { before: Plan; plan: Plan; snapshot: Snapshot },
): Promise<{ promise: PromiseView | null; pushesBack: SubmittedJob['pushes_back'] }> {
  const job = snapshot.jobs.find((one) => one.id === id);
  const promise = job && promiseOf(snapshot, plan, await forecastOf(farm.database), job);
  if (promise) {
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

/** The answer for a job that its key made before. @throws UnacceptableInputError the key made another one */
async function answerAgain(farm: Farm, once: SubmissionKey, earlier: KeyedSubmission): Promise<SubmittedJob> {
  once.checkSame(earlier);
  const job = await findJob(farm.database, earlier.jobId);
  const analysis = (await findAnalysis(farm.database, job.model.sha256)) as FileAnalysis | undefined;
  return answerOf(farm, job, analysis?.warnings ?? []);
}

/** What a job that is not stored yet lacks; the planner reads none of it. */
const placeholder = {
  id: 'new' as JobId,
  status: 'queued' as const,
  createdAt: new Date(0).toISOString(),
  copiesDone: 0,
  cancelRequestedAt: null,
  givingUp: null,
  failedOn: null,
};

/** Says so if there is less of the material than is promised by now: it has to be bought before all of it can be printed. */
async function stockWarnings(farm: Farm, material: Material): Promise<string[]> {
  const stock = (await stockOfMaterials(farm.database)).find((one) => one.materialId === material.id);
  if (!stock || stock.gramsPromised <= stock.gramsLeft) return [];
  const [left, promised] = [Math.floor(stock.gramsLeft), Math.ceil(stock.gramsPromised)];
  return [`There are ${left} g of ${material.name} in stock, and ${promised} g are promised with this job.`];
}

/** The profile of the quality that is asked for; which printer it will be is not known yet. */
async function profileOf(
  farm: Farm,
  submission: JobSubmission,
  material: Material,
  errors: FieldError[],
): Promise<SlicingProfile> {
  const quality = submission.print_settings?.quality;
  const printerId = submission.force_printer ?? 'any';
  try {
    return await farm.profiles.load({ printerId, material, quality });
  } catch (error) {
    if (!(error instanceof ProfileError)) throw error;
    // a damaged file is the operator's to mend, and is told when the job is sliced
    if (quality === undefined) farm.log('warn', error.message);
    else errors.push({ field: 'print_settings.quality', value: quality, remedy: `${error.message} ${error.remedy}` });
    return {};
  }
}

/** What no printed file may have is refused here, before anything is sliced. */
function checkTemperatures(settings: PrintSettings, material: Material, errors: FieldError[]): void {
  const { nozzle_temp: nozzle, bed_temp: bed } = settings;
  const [coldest, hottest] = [-1, 1].map((sign) => material.nozzleTemperature + sign * materialTolerance.nozzle);
  if (nozzle !== undefined && Math.abs(nozzle - material.nozzleTemperature) > materialTolerance.nozzle) {
    const remedy = `${material.name} is printed at ${material.nozzleTemperature} °C; give ${coldest} to ${hottest}.`;
    errors.push({ field: 'print_settings.nozzle_temp', value: nozzle, remedy });
  }
  if (bed !== undefined && bed > material.bedTemperature + materialTolerance.bed) {
    const remedy = `${material.name} wants a bed of ${material.bedTemperature} °C; give at most ${material.bedTemperature + materialTolerance.bed}.`;
    errors.push({ field: 'print_settings.bed_temp', value: bed, remedy });
  }
}

/** The cheapest printer that may print it: what it will be is known when the plan has given it one. */
function estimatedCost(
  farm: Farm,
  submission: JobSubmission,
  material: Material,
  { grams, hours }: { grams: number; hours: number },
  printers: Printer[],
): number {
  const able = printers.filter(
    ({ id, capabilities }) =>
      capabilities.materialTypes.includes(material.type) && (submission.force_printer ?? id) === id,
  );
  const costs = able.map(({ capabilities }) => {
    const own = hours * capabilities.speedFactor;
    return costOf({
      grams,
      material,
      hours: own,
      printer: capabilities,
      startedAt: Date.now(),
      tariff: farm.options.tariff,
    }).totalUsd;
  });
  return Math.min(...costs, Number.MAX_SAFE_INTEGER);
}

function newJob(
  farm: Farm,
  submission: JobSubmission,
  file: { analysis: FileAnalysis; sha256: string },
  material: Material,
  estimate: { grams: number; hours: number },
  printers: Printer[],
  actor: string,
): NewJob {
  return {
    jobName: submission.job_name,
    stlPath: submission.stl_path,
    gcodePath: null,
    materialId: materialId(submission.material_id),
    printSettings: submission.print_settings ?? {},
    estimatedGrams: estimate.grams,
    estimatedCostUsd: Math.min(mostUsd, estimatedCost(farm, submission, material, estimate, printers)),
    estimatedDurationHours: Math.min(999.99, estimate.hours),
    priority: submission.priority ?? 5,
    deadlineAt: submission.deadline_at ?? null,
    createdBy: submission.created_by ?? actor,
    maxRetries: submission.max_retries ?? 2,
    goalId: submission.goal_id ?? null,
    kitId: submission.kit_id ?? null,
    copies: submission.copies ?? 1,
    notBefore: submission.not_before ?? null,
    dependsOn: (submission.depends_on ?? []) as JobId[],
    forcePrinter: (submission.force_printer ?? null) as PrinterId | null,
    hold: submission.hold ?? false,
    model: {
      sha256: file.sha256,
      kind: file.analysis.kind,
      dimensions: file.analysis.dimensions,
      volumeMm3: file.analysis.volumeMm3,
    },
  };
}

/** Finds the file, keeps a copy of its own by content, and reads it once. */
async function readModel(farm: Farm, stlPath: string): Promise<{ analysis: FileAnalysis; sha256: string }> {
  try {
    const path = await farm.files.resolve(stlPath);
    const sha256 = await farm.files.hash(path);
    const analysis = await analysisOf(farm.database, sha256, path);
    // Kept under its content and its true kind, so that nothing that happens to the original matters any more.
    const kept = farm.files.pathOf(sha256, storedExtension[analysis.kind]);
    if (kept !== path) {
      const maxBytes = farm.options.maxUploadBytes ?? defaultUploadLimit;
      await farm.files.put(createReadStream(path), { extension: storedExtension[analysis.kind], maxBytes });
    }
    return { analysis, sha256 };
  } catch (error) {
    throw unreadable('stl_path', stlPath, error);
  }
}

function unreadable(field: string, value: string, error: unknown): Error {
  const uploadFirst = 'Upload the file first (POST files) and send the stl_path of the answer.';
  if (error instanceof NotFoundError) {
    return new UnacceptableInputError(error.message, [{ field, value, remedy: uploadFirst }], 'unreadable_file');
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof PlatewiseError && error.code !== 'database_unavailable') {
    return new UnacceptableInputError(error.message, [{ field, value, remedy: error.remedy }], error.code);
  }
  if (['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'ENAMETOOLONG'].includes(code)) {
    return new UnacceptableInputError(
      'The file cannot be opened.',
      [{ field, value, remedy: uploadFirst }],
      'unreadable_file',
    );
  }
  return asError(error);
}

function checkTimes(submission: JobSubmission, errors: FieldError[]): void {
  if (submission.deadline_at != null && Date.parse(submission.deadline_at) <= Date.now()) {
    errors.push({ field: 'deadline_at', value: submission.deadline_at, remedy: 'Give a time in the future.' });
  }
  if (
    submission.deadline_at != null &&
    submission.not_before != null &&
    Date.parse(submission.not_before) >= Date.parse(submission.deadline_at)
  ) {
    errors.push({ field: 'not_before', value: submission.not_before, remedy: 'Give a time before the deadline.' });
  }
}

async function checkDependencies(farm: Farm, submission: JobSubmission, errors: FieldError[]): Promise<void> {
  const wanted = submission.depends_on ?? [];
  if (wanted.length === 0) return;
  const { rows } = await farm.database.query<{ id: string; status: JobStatus }>(
    'SELECT id, status FROM print_jobs WHERE id = ANY ($1::uuid[])',
    [wanted.filter(isUuid)],
  );
  for (const id of wanted) {
    const found = rows.find((row) => row.id === id.toLowerCase());
    if (!found) errors.push({ field: 'depends_on', value: id, remedy: 'Name jobs that exist.' });
    else if (found.status === 'cancelled') {
      errors.push({
        field: 'depends_on',
        value: id,
        remedy: 'That job was cancelled and will never be completed; leave it out.',
      });
    }
  }
}

/** The field that an operator would have to change for a job that no printer can take. */
function blame(job: PlanningJob, submission: JobSubmission): FieldError {
  if (submission.print_settings?.nozzle_temp !== undefined || submission.print_settings?.bed_temp !== undefined) {
    const cooler = job.nozzleTemperature > 300 || job.bedTemperature > 110;
    if (cooler) {
      return {
        field: 'print_settings',
        value: submission.print_settings,
        remedy: 'Ask for temperatures that a printer reaches.',
      };
    }
  }
  if (submission.force_printer != null) {
    return {
      field: 'force_printer',
      value: submission.force_printer,
      remedy: 'Choose another printer, or leave it out.',
    };
  }
  return {
    field: 'stl_path',
    value: submission.stl_path,
    remedy: 'Scale the part down, split it, or choose another material.',
  };
}

function refused(errors: FieldError[]): UnacceptableInputError {
  const fields = [...new Set(errors.map((error) => error.field))].join(', ');
  return new UnacceptableInputError(`The job cannot be accepted because of: ${fields}.`, errors);
}
