import { fittingTurn } from '../model/fit';
import type { PlanningJob, PlanningPrinter, PlanningSlot } from './snapshot';

/** Why a printer can never print a job, whatever an operator does, in words that follow the printer's name; null if it can. */
export function neverBecause(job: PlanningJob, printer: PlanningPrinter): string | null {
  const { capabilities } = printer;
  if (job.forcePrinter !== null && job.forcePrinter !== printer.id) return 'is not the printer that the job asks for';
  if (!capabilities.materialTypes.includes(job.materialType)) return `does not print ${job.materialType}`;
  const other = job.alsoMaterials?.find(({ type }) => !capabilities.materialTypes.includes(type));
  if (other) return `does not print ${other.type}`;
  if (job.alsoMaterials && printer.slots.length < 1 + job.alsoMaterials.length) {
    return `has ${printer.slots.length} slots, the job needs ${1 + job.alsoMaterials.length}`;
  }
  if (job.nozzleTemperature > capabilities.maxNozzleTemperature) {
    return `heats its nozzle to ${capabilities.maxNozzleTemperature} °C at most, the job needs ${job.nozzleTemperature} °C`;
  }
  if (job.bedTemperature > capabilities.maxBedTemperature) {
    return `heats its bed to ${capabilities.maxBedTemperature} °C at most, the job needs ${job.bedTemperature} °C`;
  }
  if (job.modelKind === 'gcode_3mf' && printer.make !== 'bambu') return 'cannot print a .gcode.3mf file';
  if (fittingTurn(job.dimensions, capabilities.buildVolume) === null) {
    const { min, max } = capabilities.buildVolume;
    const part = [job.dimensions.x, job.dimensions.y, job.dimensions.z]
      .map((edge) => Math.round(edge * 10) / 10)
      .join(' × ');
    return `is too small: ${max.x - min.x} × ${max.y - min.y} × ${max.z - min.z} mm, the part is ${part} mm`;
  }
  return null;
}

/** The slot to print from: the right material with enough grams, of several the one with the least left. */
export function fittingSlot(job: PlanningJob, printer: PlanningPrinter): PlanningSlot | null {
  const fitting = printer.slots.filter((slot) => slot.materialId === job.materialId && slot.gramsFree >= job.grams);
  fitting.sort((a, b) => a.gramsFree - b.gramsFree);
  return fitting[0] ?? null;
}

/** What an operator must do about the filament before this job can start here; null if nothing. */
export function filamentSetup(job: PlanningJob, printer: PlanningPrinter): string | null {
  if (fittingSlot(job, printer)) return null;
  const grams = Math.ceil(job.grams);
  const scarce = printer.slots.find((slot) => slot.materialId === job.materialId);
  const doubtful = printer.slots.find((slot) => slot.contradiction?.booked === job.materialId);
  if (!scarce && doubtful?.contradiction) {
    return `${job.materialId} is booked in slot ${doubtful.slot} of ${printer.name}, but the printer reports ${doubtful.contradiction.seen} there`;
  }
  return scarce
    ? `${printer.name} has only ${Math.floor(scarce.gramsFree)} g of ${job.materialId} free, ${grams} g are needed`
    : `${printer.name} has no ${job.materialId} loaded (${grams} g are needed)`;
}

/** Why nothing can be started on a printer at this moment, although nothing of ours is under way; null if it can. */
export function notReadyBecause(printer: PlanningPrinter): string | null {
  if (!printer.online) return `${printer.name} is offline`;
  if (printer.busy) return `${printer.name} is printing ${printer.busy.with}`;
  if (printer.bed === 'occupied') return bedReason(printer);
  switch (printer.state) {
    case 'idle':
      return null;
    case 'fault':
      return `${printer.name} reports a fault`;
    case null:
      return `${printer.name} has not reported yet`;
    default:
      return `${printer.name} is ${printer.state}`;
  }
}

function bedReason(printer: PlanningPrinter): string {
  switch (printer.bedCause) {
    case 'foreign':
      return `the bed of ${printer.name} is occupied by a print that is not ours; clear it and confirm`;
    case 'unknown':
      return `nobody has confirmed yet that the bed of ${printer.name} is clear`;
    default:
      return `the bed of ${printer.name} must be cleared`;
  }
}

/** Hours that the job takes on this printer, by the wall clock. */
export function wallHours(job: PlanningJob, printer: PlanningPrinter): number {
  return (job.hours * printer.capabilities.speedFactor) / printer.timeScale;
}

/** The same by what the printer's prints really took, where that has been learned. */
export function expectedHours(job: PlanningJob, printer: PlanningPrinter): number {
  return job.hoursOn?.[printer.id] ?? wallHours(job, printer);
}

/** Says of each printer why it cannot take the job. */
export function impossible(job: PlanningJob, printers: PlanningPrinter[]): string {
  const reasons = printers
    .map((printer) => ({ printer, reason: neverBecause(job, printer) }))
    .filter(({ printer }) => job.forcePrinter === null || job.forcePrinter === printer.id)
    .map(({ printer, reason }) => `${printer.name} ${reason ?? 'could'}`);
  return reasons.length === 0 ? 'there is no printer' : `no printer can take it: ${reasons.join('; ')}`;
}
