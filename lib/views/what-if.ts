import { parseWhatIf, type WhatIf } from '../contracts/messages';
import type { WhatIfAnswer as ContractWhatIfAnswer } from '../contracts/plan';
import type { Farm } from '../farm/farm';
import { canEverPrint, impossible } from '../fit/judge';
import { type FieldError, UnacceptableInputError } from '../model/errors';
import { jobId } from '../model/ids';
import type { Material } from '../model/material';
import { hoursFrom } from '../planning/calendar';
import { promiseOf, shiftsBetween } from '../planning/promise';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../planning/snapshot';
import { planMessage, plannedForAll } from '../schedule/plan';
import { promiseView } from '../schedule/promises';
import { usableMaterials } from '../store/materials';

/** The changes. Nothing is stored or started. */
export type WhatIfAnswer = ContractWhatIfAnswer;

/**
 * Plans a hypothetical farm: with more jobs, without printers, with other hours or more filament. It uses the same
 * planner as the live plan.
 */
export async function whatIf(farm: Farm, input: unknown): Promise<WhatIfAnswer> {
  const question = parseWhatIf(input);
  const { snapshot, plan: before, memory } = await plannedForAll(farm);
  const { materials, forecast } = await farm.database.read(async (db) => ({
    materials: await usableMaterials(db),
    forecast: await farm.learned.forecast.from(db),
  }));
  const { changed, added } = changedBy(snapshot, question, materials);
  const plan = await farm.planner.make(changed, memory);
  return {
    plan: planMessage({ plan, snapshot: changed }),
    jobs: added.map((job) => {
      const promise = promiseOf(changed, plan, forecast, job);
      return promise
        ? promiseView(job.id, promise)
        : { job_id: job.id, waiting_reason: plan.waiting[job.id] ?? 'the time depends on an operator' };
    }),
    shifts: shiftsBetween(before, plan, snapshot.jobs).map((shift) => ({
      job_id: shift.jobId,
      minutes: shift.minutes,
      breaks_deadline: shift.breaksDeadline,
    })),
  };
}

function changedBy(
  snapshot: Snapshot,
  question: WhatIf,
  materials: readonly Material[],
): { changed: Snapshot; added: PlanningJob[] } {
  const errors: FieldError[] = [];
  const down = new Set(question.printers_down ?? []);
  for (const id of down) {
    if (!snapshot.printers.some((printer) => printer.id === id)) {
      errors.push({
        field: 'printers_down',
        value: id,
        remedy: `Use ${snapshot.printers.map((one) => one.id).join(', ')}.`,
      });
    }
  }
  const added = (question.jobs ?? []).flatMap((wanted, index) => {
    const like = snapshot.jobs.find((job) => job.id === wanted.like);
    const material = materials.find((one) => one.id === (wanted.material_id ?? like?.materialId));
    if (wanted.like !== undefined && !like) {
      errors.push({ field: `jobs.${index}.like`, value: wanted.like, remedy: 'Name an unfinished job.' });
    }
    if (!material) {
      errors.push({
        field: `jobs.${index}.material_id`,
        value: wanted.material_id ?? null,
        remedy: 'Use GET materials.',
      });
      return [];
    }
    return [imagined(snapshot, wanted, index, material, like)];
  });
  const printers = snapshot.printers.map((printer): PlanningPrinter => {
    const slots = printer.slots.map((slot) => {
      const spool = question.spools?.find((one) => one.printer_id === printer.id && one.slot === slot.slot);
      const material = materials.find((one) => one.id === spool?.material_id);
      return spool && material ? { ...slot, materialId: material.id, gramsFree: spool.grams } : slot;
    });
    return { ...printer, slots, online: printer.online && !down.has(printer.id) };
  });
  for (const [index, job] of added.entries()) {
    if (printers.some((printer) => canEverPrint(job, printer))) continue;
    errors.push({ field: `jobs.${index}`, value: job.name, remedy: impossible(job, printers) });
  }
  if (errors.length > 0) throw new UnacceptableInputError('The request does not match the farm.', errors);
  const shelf = (question.spools ?? []).flatMap((spool, index) => {
    const material = materials.find((one) => one.id === spool.material_id);
    return spool.printer_id === undefined && material
      ? [{ spoolId: `imagined-${index}`, materialId: material.id, grams: spool.grams }]
      : [];
  });
  const timeZone = snapshot.operator?.timeZone ?? 'UTC';
  const changed: Snapshot = {
    ...snapshot,
    printers,
    jobs: [...snapshot.jobs, ...added],
    ...(snapshot.shelf && { shelf: [...snapshot.shelf, ...shelf] }),
    ...(question.operator_hours && { operator: hoursFrom(question.operator_hours, timeZone) }),
  };
  return { changed, added };
}

function imagined(
  snapshot: Snapshot,
  wanted: NonNullable<WhatIf['jobs']>[number],
  index: number,
  material: Material,
  like: PlanningJob | undefined,
): PlanningJob {
  const id = jobId(`what-if-${index + 1}`);
  return {
    id,
    name: wanted.name ?? id,
    materialId: material.id,
    materialType: material.type,
    nozzleTemperature: like?.nozzleTemperature ?? material.nozzleTemperature,
    bedTemperature: like?.bedTemperature ?? material.bedTemperature,
    modelKind: like?.modelKind ?? 'stl',
    ...(like?.print && { print: like.print }),
    dimensions: wanted.dimensions_mm ?? like?.dimensions ?? { x: 50, y: 50, z: 50 },
    hours: wanted.hours ?? like?.hours ?? 1,
    grams: wanted.grams ?? like?.grams ?? 0,
    priority: wanted.priority ?? like?.priority ?? 5,
    deadline: wanted.deadline_at == null ? null : Date.parse(wanted.deadline_at),
    createdAt: snapshot.now,
    notBefore: null,
    forcePrinter: snapshot.printers.find((one) => one.id === wanted.force_printer)?.id ?? null,
    held: false,
    waitsFor: [],
    copiesToStart: wanted.copies ?? 1,
    failedOn: null,
  };
}
