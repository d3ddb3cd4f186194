import type { JobSubmission } from '../contracts/messages';
import type { Farm } from '../farm/farm';
import type { FileAnalysis, GcodeAnalysis } from '../files/analysis';
import { fileFacts } from '../files/facts';
import { canEverPrint, permanentReasons } from '../fit/judge';
import { remarks } from '../fit/sliced';
import { costOf } from '../model/cost';
import { type FieldError, UnacceptableInputError } from '../model/errors';
import type { FitReason } from '../model/fit';
import { isUuid, type JobId, materialId } from '../model/ids';
import type { Job } from '../model/job';
import { printerWishes, snakeCase, wishesOf } from '../model/job-wishes';
import { atMost, mostGrams, mostJobHours } from '../model/limits';
import { type Material, materialTolerance } from '../model/material';
import type { PrintSettings } from '../model/settings';
import type { FileFacts } from '../model/sliced-facts';
import type { PlanningJob, PlanningPrinter } from '../planning/snapshot';
import { planningJob, planningPrinter } from '../schedule/snapshot';
import { readModel } from '../shared-files/take-file';
import { estimatePrint } from '../slicing/estimate';
import { ProfileError, type SlicingProfile } from '../slicing/profile';
import { knownMaterialRemedy } from '../stock/materials';
import { type NewJob, unmetDependencies } from '../store/jobs';
import { findUsableMaterial } from '../store/materials';
import { allPrinters, loadedSlots, type Printer } from '../store/printers';
import type { Queryable } from '../store/queryable';

/** An acceptable submission: its job, for the database and for the planner, and the printers that could print it. */
export interface ExaminedJob {
  job: NewJob;
  material: Material;
  file: { analysis: FileAnalysis; sha256: string };
  planned: PlanningJob;
  places: PlanningPrinter[];
  /** Sentences for the submitter. */
  warnings: string[];
}

/** Checks a submission and estimates it; stores nothing but the facts of its file. @throws UnacceptableInputError */
export async function examine(farm: Farm, submission: JobSubmission, actor: string): Promise<ExaminedJob> {
  const errors: FieldError[] = [];
  const material = await findUsableMaterial(farm.database, submission.material_id);
  if (!material) {
    errors.push({
      field: 'material_id',
      value: submission.material_id,
      remedy: await knownMaterialRemedy(farm.database),
    });
  }
  const { deadline_at, not_before, depends_on = [] } = submission;
  errors.push(...timeErrors(submission, { deadlineAt: deadline_at ?? null, notBefore: not_before ?? null }));
  errors.push(...(await dependencyErrors(farm.database, depends_on)));
  const file = await readModel(farm, submission.stl_path, submission.plate).catch((error: unknown) => {
    if (!(error instanceof UnacceptableInputError)) throw error;
    errors.push(...error.errors);
    return undefined;
  });
  const printers = await allPrinters(farm.database);
  errors.push(...unknownPrinters(submission, printers));
  const settings = submission.print_settings ?? {};
  const profile = material && (await profileOf(farm, submission, material, errors));
  if (material) checkTemperatures(settings, material, errors);
  if (file?.analysis.print) checkAgainstFile(settings, file.analysis.print, errors);
  if (errors.length > 0 || !material || !file) throw refused(errors);

  const estimate = estimatePrint(file.analysis, undefined, material, settings, profile);
  const facts = fileFacts(file.analysis);
  const job = newJob(farm, submission, { ...file, facts }, material, estimate, printers, actor);
  const planned = planningJob({ ...job, ...placeholder } as Job, material, 0, []);
  const slots = await loadedSlots(farm.database);
  const places = printers.map((printer) => planningPrinter(printer, slots, undefined, Date.now()));
  const able = places.filter((printer) => canEverPrint(planned, printer));
  if (able.length === 0) throw refused(misfits(planned, places, submission));
  if (able.every(({ neverConnected }) => neverConnected)) throw neverConnected(able, submission);
  return { job, material, file, planned, places, warnings: warningsOf(planned, file.analysis, settings) };
}

/** The printers that a submission names and the farm does not have. */
function unknownPrinters(submission: JobSubmission, printers: readonly Printer[]): FieldError[] {
  const asked = wishesOf(submission);
  return printerWishes.flatMap((name) => {
    const value = asked[name];
    if (value === null || printers.some(({ id }) => id === value)) return [];
    const remedy = `Use one of ${printers.map(({ id }) => id).join(', ')}, or leave it out.`;
    return [{ field: snakeCase(name), value, remedy }];
  });
}

/** Printers that were only set up may not exist: a job must not wait for them alone. */
function neverConnected(able: readonly PlanningPrinter[], submission: JobSubmission): UnacceptableInputError {
  const { force_printer: forced = null, stl_path } = submission;
  const names = able.map(({ name }) => name).join(', ');
  const which = able.length === 1 ? `${names} has never` : `None of ${names} has ever`;
  const remedy = `${which} been connected. Check its address and its secret in its node, switch it on, and submit the job once it is online.`;
  return new UnacceptableInputError(
    'The job cannot be accepted: no printer that could print it has ever been connected.',
    [
      forced === null
        ? { field: 'stl_path', value: stl_path, remedy }
        : { field: 'force_printer', value: forced, remedy },
    ],
    'never_connected',
  );
}

/** The columns that a job lacks before it is stored; the planner reads none of them. */
const placeholder = {
  id: 'new' as JobId,
  status: 'queued' as const,
  createdAt: new Date(0).toISOString(),
  copiesDone: 0,
  cancelRequestedAt: null,
  givingUp: null,
  failedOn: null,
  failedAt: null,
};

/** The field of a submission that causes a reason. */
function fieldOf(reason: FitReason, submission: JobSubmission): { field: string; value: unknown } {
  const { material_id, stl_path, force_printer = null, print_settings: settings = {} } = submission;
  switch (reason.code) {
    case 'material_type':
    case 'filament_type':
      return { field: 'material_id', value: material_id };
    case 'unknown_machine':
      return { field: 'accept_unknown_machine', value: submission.accept_unknown_machine ?? false };
    case 'forced_elsewhere':
      return { field: 'force_printer', value: force_printer };
    case 'layer_height':
      return { field: 'print_settings.layer_height', value: settings.layer_height ?? null };
    case 'first_layer_height':
      return { field: 'print_settings.first_layer_height', value: settings.first_layer_height ?? null };
    case 'brim':
      return { field: 'print_settings.brim', value: settings.brim ?? null };
    case 'nozzle_heat':
      if (settings.nozzle_temp === undefined) return { field: 'material_id', value: material_id };
      return { field: 'print_settings.nozzle_temp', value: settings.nozzle_temp };
    case 'bed_heat':
      if (settings.bed_temp === undefined) return { field: 'material_id', value: material_id };
      return { field: 'print_settings.bed_temp', value: settings.bed_temp };
    default:
      // Another printer might be able to print it.
      if (force_printer !== null && reason.whose !== 'file') return { field: 'force_printer', value: force_printer };
      return { field: 'stl_path', value: stl_path };
  }
}

/** Why no printer can ever print the job: the reasons that hold everywhere, else the reasons of each printer. */
function misfits(job: PlanningJob, places: readonly PlanningPrinter[], submission: JobSubmission): FieldError[] {
  const asked = places.filter(({ id }) => (submission.force_printer ?? id) === id);
  const each = asked.map((printer) => permanentReasons(job, printer));
  const [first = [], ...others] = each;
  const everywhere = first.filter(({ text }) => others.every((reasons) => reasons.some((one) => one.text === text)));
  const named = everywhere.length > 0 ? everywhere : each.flat();
  const errors = new Map<string, FieldError>();
  for (const reason of named) {
    errors.set(reason.text, { ...fieldOf(reason, submission), remedy: `${reason.text} ${reason.remedy}` });
  }
  if (errors.size === 0) {
    const remedy = 'There is no printer. Set one up first.';
    errors.set(remedy, { field: 'stl_path', value: submission.stl_path, remedy });
  }
  return [...errors.values()];
}

/** Tolerances (°C and mm) within which a setting agrees with a sliced file. */
const sameTemperature = 2;
const sameHeight = 0.011;

/** Refuses settings that contradict a sliced file, which can no longer be changed. */
function checkAgainstFile(settings: PrintSettings, print: GcodeAnalysis, errors: FieldError[]): void {
  const contradictions = [
    ['nozzle_temp', settings.nozzle_temp, print.maxNozzleTemperature, sameTemperature, '°C'],
    ['bed_temp', settings.bed_temp, print.maxBedTemperature, sameTemperature, '°C'],
    ['layer_height', settings.layer_height, print.layerHeight, sameHeight, 'mm'],
  ] as const;
  for (const [name, asked, found, tolerance, unit] of contradictions) {
    if (asked === undefined || found === 0 || Math.abs(asked - found) <= tolerance) continue;
    const remedy = `The file is already sliced, with ${found} ${unit}. Omit ${name}, or submit the model.`;
    errors.push({ field: `print_settings.${name}`, value: asked, remedy });
  }
}

/** Remarks that deserve a warning but do not prevent the print. */
function warningsOf({ print }: PlanningJob, analysis: FileAnalysis, settings: PrintSettings): string[] {
  const warnings = [...analysis.warnings];
  const sliced = print?.facts.sliced;
  if (!print || !sliced) return warnings;
  warnings.push(...remarks(sliced, print));
  const ignored = Object.keys(settings).filter((name) => !['nozzle_temp', 'bed_temp', 'layer_height'].includes(name));
  if (ignored.length > 0) {
    warnings.push(
      `The file is already sliced: ${ignored.join(', ')} of print_settings ${ignored.length === 1 ? 'is' : 'are'} not used.`,
    );
  }
  return warnings;
}

/** The profile of the requested quality; the printer is not known yet. */
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
    // The owner must repair a damaged profile; the error is reported when the job is sliced.
    if (quality === undefined) farm.log('warn', error.message);
    else errors.push({ field: 'print_settings.quality', value: quality, remedy: `${error.message} ${error.remedy}` });
    return {};
  }
}

/** Refuses temperatures that no printed file may have, before anything is sliced. */
function checkTemperatures(settings: PrintSettings, material: Material, errors: FieldError[]): void {
  const { nozzle_temp: nozzle, bed_temp: bed } = settings;
  const [coldest, hottest] = [-1, 1].map((sign) => material.nozzleTemperature + sign * materialTolerance.nozzle);
  if (nozzle !== undefined && Math.abs(nozzle - material.nozzleTemperature) > materialTolerance.nozzle) {
    const remedy = `${material.name} is printed at ${material.nozzleTemperature} °C; give ${coldest} to ${hottest}.`;
    errors.push({ field: 'print_settings.nozzle_temp', value: nozzle, remedy });
  }
  if (bed !== undefined && bed > material.bedTemperature + materialTolerance.bed) {
    const remedy = `${material.name} needs a bed of ${material.bedTemperature} °C; give at most ${material.bedTemperature + materialTolerance.bed}.`;
    errors.push({ field: 'print_settings.bed_temp', value: bed, remedy });
  }
}

/** The cost on the cheapest printer that can print the job: the actual one is known only once the job is planned. */
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
  file: { analysis: FileAnalysis; sha256: string; facts: FileFacts },
  material: Material,
  estimate: { grams: number; hours: number },
  printers: Printer[],
  actor: string,
): NewJob {
  return {
    ...wishesOf(submission),
    jobName: submission.job_name,
    stlPath: submission.stl_path,
    gcodePath: null,
    materialId: materialId(submission.material_id),
    printSettings: submission.print_settings ?? {},
    estimatedGrams: atMost(mostGrams, estimate.grams),
    estimatedCostUsd: estimatedCost(farm, submission, material, estimate, printers),
    estimatedDurationHours: atMost(mostJobHours, estimate.hours),
    deadlineAt: submission.deadline_at ?? null,
    createdBy: submission.created_by ?? actor,
    notBefore: submission.not_before ?? null,
    dependsOn: (submission.depends_on ?? []) as JobId[],
    plate: file.analysis.plate ?? null,
    fileFacts: file.facts,
    model: {
      sha256: file.sha256,
      kind: file.analysis.kind,
      dimensions: file.analysis.dimensions,
      volumeMm3: file.analysis.volumeMm3,
    },
  };
}

/**
 * Checks the times of a job.
 * @param asked the times given now
 * @param together the times that the job would have
 */
export function timeErrors(
  asked: Pick<JobSubmission, 'deadline_at' | 'not_before'>,
  together: Pick<Job, 'deadlineAt' | 'notBefore'>,
): FieldError[] {
  const errors: FieldError[] = [];
  if (asked.deadline_at != null && Date.parse(asked.deadline_at) <= Date.now()) {
    errors.push({ field: 'deadline_at', value: asked.deadline_at, remedy: 'Give a time in the future.' });
  }
  const { deadlineAt, notBefore } = together;
  if (asked.deadline_at == null && asked.not_before == null) return errors;
  if (deadlineAt !== null && notBefore !== null && Date.parse(notBefore) >= Date.parse(deadlineAt)) {
    const field = asked.not_before == null ? 'deadline_at' : 'not_before';
    const remedy =
      field === 'not_before'
        ? 'Give a time before the deadline.'
        : `Give a time after ${notBefore}, before which it may not start.`;
    errors.push({ field, value: asked[field], remedy });
  }
  return errors;
}

/** Checks the jobs that another job is to depend on. */
export async function dependencyErrors(db: Queryable, wanted: readonly string[]): Promise<FieldError[]> {
  const found = new Map(
    (
      await unmetDependencies(
        db,
        wanted.filter(isUuid).map((id) => id.toLowerCase() as JobId),
      )
    ).map((one) => [one.id as string, one.status]),
  );
  return wanted.flatMap((id): FieldError[] => {
    const status = found.get(id.toLowerCase());
    if (status === null) return [{ field: 'depends_on', value: id, remedy: 'Name jobs that exist.' }];
    if (status !== 'cancelled') return [];
    const remedy = 'That job was cancelled and will never be completed; leave it out.';
    return [{ field: 'depends_on', value: id, remedy }];
  });
}

/** Returns the error that names all of these fields. */
export function refused(errors: FieldError[], what: 'accepted' | 'changed' = 'accepted'): UnacceptableInputError {
  const fields = [...new Set(errors.map((error) => error.field))].join(', ');
  return new UnacceptableInputError(`The job cannot be ${what} because of: ${fields}.`, errors);
}
