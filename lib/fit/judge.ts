import { makeTraits, takesArchives } from '../makes/traits';
import type { Fit, FitReason, Whose } from '../model/fit';
import type { SlicedFacts } from '../model/sliced-facts';
import { extendedReasons, lineEndReasons } from './extended';
import { filamentReasons, flaws, machineReasons, modelReasons, nozzlesOf, wrappingReasons } from './sliced';
import type { FitJob, FitPrinter, FitSlot } from './subject';
import { firstLayerShare, fittingTurn, highestLayerShare, partText, sizeText, volumeOf } from './volume';

/** The remedy where only output of a proven slicer may be sent. */
const install = 'Install PrusaSlicer, or permit untrusted files for this printer.';

/** Diameters that differ by less are the same nozzle, mm. */
const sameNozzle = 0.001;

/**
 * Judges whether a printer can ever print a job, whether it can now, and every reason against it. This is the only
 * judgement of fit. The preview, the submission, the plan, the tick, the preparation and the agent before a start all
 * call it, so that every obstacle is reported as early as it can be known.
 */
export function judge(job: FitJob, printer: FitPrinter): Fit {
  const never = permanentReasons(job, printer);
  // The reasons that an operator can remove are irrelevant on such a printer.
  const reasons = never.length > 0 ? [...never] : presentReasons(job, printer);
  return { fits: never.length === 0, now: reasons.length === 0, reasons };
}

const known = new WeakMap<FitJob, WeakMap<FitPrinter, readonly FitReason[]>>();

/**
 * Returns the permanent reasons against a printer for a job. A planner asks thousands of times about the same snapshot,
 * so each pair is judged once.
 */
export function permanentReasons(job: FitJob, printer: FitPrinter): readonly FitReason[] {
  const ofJob = known.get(job) ?? new WeakMap<FitPrinter, readonly FitReason[]>();
  known.set(job, ofJob);
  const reasons = ofJob.get(printer) ?? findPermanent(job, printer);
  ofJob.set(printer, reasons);
  return reasons;
}

/** Whether a printer can ever print a job, possibly after actions of an operator. */
export const canEverPrint = (job: FitJob, printer: FitPrinter): boolean => permanentReasons(job, printer).length === 0;

const permanent = (whose: Whose, code: string, text: string, remedy: string): FitReason => ({
  code,
  text,
  remedy,
  whose,
  permanent: true,
});

function findPermanent(job: FitJob, printer: FitPrinter): FitReason[] {
  const { capabilities, name } = printer;
  const reasons: FitReason[] = [];
  const add = (whose: Whose, code: string, text: string, remedy: string): void => {
    reasons.push(permanent(whose, code, text, remedy));
  };
  const sliced = job.print?.facts.sliced ?? null;
  if (job.print && sliced) {
    reasons.push(...flaws(sliced), ...filamentReasons(sliced, job.print));
  }
  if (job.forcePrinter !== null && job.forcePrinter !== printer.id) {
    const text = `${name} is not the printer that the job asks for.`;
    add('job', 'forced_elsewhere', text, 'Let the job go to any printer.');
  }
  for (const type of new Set([job.materialType, ...(job.alsoMaterials ?? []).map((one) => one.type)])) {
    if (capabilities.materialTypes.includes(type)) continue;
    const text = `${name} does not print ${type}.`;
    add('job', 'material_type', text, `Choose another material or printer, or add ${type} to what ${name} prints.`);
  }
  const filaments = 1 + (job.alsoMaterials?.length ?? 0);
  if (filaments > 1 && printer.slots.length < filaments) {
    const text = `${name} has ${printer.slots.length} slots, the job needs ${filaments}.`;
    add('job', 'slot_count', text, 'Choose a printer with more slots.');
  }
  if (!sliced) reasons.push(...heatReasons(job, printer));
  if (job.modelKind === 'gcode_3mf' && !takesArchives(printer.make)) {
    const remedy = 'Submit the model itself (STL or 3MF), or G-code that was sliced for this printer.';
    add('file', 'file_kind', `${name} cannot print a .gcode.3mf; it was sliced for a Bambu.`, remedy);
  } else if (job.print && sliced) {
    const nozzles = nozzlesOf(sliced, printer.make);
    reasons.push(
      ...modelReasons(sliced, printer, job.print.acceptUnknownMachine),
      ...extendedReasons(sliced, printer),
      ...lineEndReasons(sliced, printer),
      // If the file names no nozzle, each tool is judged separately below.
      ...(nozzles.length > 0 ? machineReasons(sliced, printer, nozzles, job.print.acceptUnknownMachine) : []),
      ...fileNozzleReasons(job, printer),
      ...(takesArchives(printer.make) && job.modelKind === 'gcode' ? wrappingReasons(sliced, name) : []),
    );
  }
  reasons.push(...preparationReasons(job, printer));
  const ofMake = !reasons.some(({ code }) => code === 'file_kind');
  if (ofMake && toolsFor(job, printer).length === 0) reasons.push(...toolReasons(job, printer));
  return reasons;
}

function heatReasons(job: FitJob, { capabilities, name }: FitPrinter): FitReason[] {
  const heats = [
    ['nozzle', job.nozzleTemperature, capabilities.maxNozzleTemperature],
    ['bed', job.bedTemperature, capabilities.maxBedTemperature],
  ] as const;
  return heats
    .filter(([, wanted, most]) => wanted > most)
    .map(([what, wanted, most]) =>
      permanent(
        'job',
        `${what}_heat`,
        `${name} heats its ${what} to ${most} °C at most, the job needs ${wanted} °C.`,
        'Ask for a lower temperature, or choose another material or printer.',
      ),
    );
}

/** Compares the nozzles that a file was sliced for with those that the printer has or can be given. */
function fileNozzleReasons(job: FitJob, printer: FitPrinter): FitReason[] {
  return wantedNozzles(job, printer).flatMap(({ tool, diameter }) => {
    const choices = nozzleChoices(printer);
    if (choices.some((one) => Math.abs(one - diameter) < sameNozzle)) return [];
    return permanent(
      'file',
      'nozzle_diameter',
      `The file was sliced for a nozzle of ${diameter} mm; ${printer.name} has ${choices.join(' or ')} mm${tool === 0 ? '' : ` (tool ${tool})`}.`,
      'Slice it for the nozzle that the printer has, or add the nozzle to those that can be mounted.',
    );
  });
}

function nozzleChoices({ capabilities, mountedNozzles = [] }: FitPrinter): number[] {
  const all = [...capabilities.nozzleDiameters, ...(capabilities.nozzleChoices ?? []), ...mountedNozzles];
  return [...new Set(all)].sort((a, b) => a - b);
}

/** The nozzle that a sliced file requires on each tool that it prints with. */
function wantedNozzles(job: FitJob, printer: FitPrinter): { tool: number; diameter: number }[] {
  const sliced = job.print?.facts.sliced;
  if (!sliced || sliced.nozzleDiameters.length === 0) return [];
  const tools = nozzlesOf(sliced, printer.make);
  return (tools.length > 0 ? tools : [0]).flatMap((tool) => {
    const diameter = sliced.nozzleDiameters[tool] ?? sliced.nozzleDiameters[0];
    // 0: the file does not name it
    return diameter === undefined || diameter === 0 ? [] : [{ tool, diameter }];
  });
}

/** Whether the printer's agent can make a print file of the job that may be sent. */
function preparationReasons(job: FitJob, printer: FitPrinter): FitReason[] {
  const { preparation, name, make } = printer;
  if (!preparation) return [];
  const volumes = job.print?.facts.volumes ?? [];
  const reasons: FitReason[] = [];
  const remedy = makeTraits[make].untrustedRemedy?.judged ?? install;
  const wrapped = takesArchives(make);
  if (volumes.length > 0 && !preparation.volumes) {
    reasons.push(
      permanent(
        'printer',
        'project_volumes',
        `The project has volumes (${volumes.join(', ')}) that the ${preparation.slicer} slicer of ${name} cannot do.`,
        'Install PrusaSlicer, or slice the project and submit the sliced file.',
      ),
    );
  }
  if (preparation.allowsUntrusted || job.modelKind === 'gcode_3mf') return reasons;
  if (job.modelKind === 'gcode') {
    if (wrapped) {
      const text = `${name} is not sent G-code that is wrapped for it by Platewise.`;
      reasons.push(permanent('printer', 'untrusted_file', text, remedy));
    }
    return reasons;
  }
  if (wrapped && !preparation.archives) {
    const text = `${name} is not sent G-code that is wrapped for it by Platewise, and no slicer for it is installed.`;
    reasons.push(permanent('printer', 'untrusted_file', text, remedy));
  } else if (!preparation.trusted) {
    const text = `${name} is not sent the output of the ${preparation.slicer} slicer.`;
    reasons.push(permanent('printer', 'untrusted_slicer', text, remedy));
  }
  return reasons;
}

/** The tools (from 0) that could print the job on a printer: those that a slot feeds and that reach far enough. */
export function toolsFor(job: FitJob, printer: FitPrinter): number[] {
  return fedTools(printer).filter((tool) => toolProblem(job, printer, tool) === null);
}

/** A printer without slots has one tool that is assumed to be fed. */
function fedTools({ slots }: FitPrinter): number[] {
  return slots.length === 0 ? [0] : [...new Set(slots.map(({ tool }) => tool))].sort((a, b) => a - b);
}

/** Returns why a tool cannot print the job; null if it can. */
function toolProblem(job: FitJob, printer: FitPrinter, tool: number): FitReason | null {
  const { make, name } = printer;
  const sliced = job.print?.facts.sliced;
  if (sliced) {
    const wanted = nozzlesOf(sliced, printer.make);
    if (wanted.length === 0) return unnamedNozzle(job, printer, sliced, tool);
    if (wanted.length > 1 || wanted[0] === tool) return null;
    return permanent(
      'file',
      'tool',
      `The file prints with ${toolName(printer, wanted[0] ?? 0)}, which no slot of ${name} feeds.`,
      `Slice it for ${fedTools(printer)
        .map((one) => toolName(printer, one))
        .join(' or ')}, or set up a slot that feeds it.`,
    );
  }
  // The profiles of slicers that make archives map a single filament to the first nozzle.
  if (takesArchives(make) && tool > 0 && printer.preparation?.archives) {
    const text = `The ${printer.preparation.slicer} slicer of ${name} slices for ${toolName(printer, 0)} only.`;
    return permanent('printer', 'tool', text, 'Load the filament where it feeds that nozzle, or submit a sliced file.');
  }
  return sizeProblem(job, printer, tool) ?? layerProblem(job, printer, tool);
}

/**
 * A file that does not name its nozzle prints with the one that the slot feeds if there is only one; otherwise the
 * nozzle is unknown.
 */
function unnamedNozzle(job: FitJob, printer: FitPrinter, sliced: SlicedFacts, tool: number): FitReason | null {
  const { capabilities, make, name } = printer;
  if (takesArchives(make) && job.modelKind === 'gcode_3mf' && capabilities.nozzleDiameters.length > 1) {
    const text = `The file does not say which nozzle of ${name} it was sliced for.`;
    return permanent('file', 'tool', text, 'Slice it again with a profile of this printer.');
  }
  const target = { name, make, capabilities };
  return machineReasons(sliced, target, [tool], job.print?.acceptUnknownMachine ?? false)[0] ?? null;
}

function sizeProblem(
  { dimensions, print }: FitJob,
  { capabilities, name }: FitPrinter,
  tool: number,
): FitReason | null {
  const volume = volumeOf(capabilities, tool);
  if (fittingTurn(dimensions, volume) === null) {
    return permanent(
      'job',
      'too_large',
      `${name} is too small: ${sizeText(volume)} mm, the part is ${partText(dimensions)} mm.`,
      'Scale the part down, split it, or choose a larger printer.',
    );
  }
  const brim = print?.brim ?? 0;
  if (fittingTurn(dimensions, volume, brim) !== null) return null;
  return permanent(
    'job',
    'brim',
    `There is no room on ${name} for a brim of ${brim} mm around the part.`,
    'Ask for a smaller brim, or choose a larger printer.',
  );
}

function layerProblem({ dimensions, print }: FitJob, printer: FitPrinter, tool: number): FitReason | null {
  const nozzle = mountedNozzle(printer, tool);
  if (nozzle === undefined) return null;
  const highest = Math.round(nozzle * highestLayerShare * 100) / 100;
  const asked = [
    ['layer_height', print?.layerHeight],
    ['first_layer_height', print?.firstLayerHeight],
  ] as const;
  for (const [code, height] of asked) {
    if (height === undefined || height <= highest) continue;
    const text = `A layer of ${height} mm is too high for the nozzle of ${printer.name} (${nozzle} mm).`;
    return permanent('job', code, text, `Ask for a ${code} of at most ${highest}.`);
  }
  const first = print?.firstLayerHeight ?? Math.max(print?.layerHeight ?? 0, nozzle * firstLayerShare);
  if (dimensions.z >= first / 2) return null;
  return permanent(
    'job',
    'too_flat',
    `The part is ${dimensions.z.toPrecision(2)} mm high, less than one layer of ${first} mm.`,
    'Scale the part (was it drawn in metres or inches?) and export it again.',
  );
}

function toolReasons(job: FitJob, printer: FitPrinter): FitReason[] {
  const problems = fedTools(printer).flatMap((tool) => toolProblem(job, printer, tool) ?? []);
  return problems.slice(0, 1);
}

/** The operator's name for a tool. */
export function toolName({ make, capabilities }: Pick<FitPrinter, 'make' | 'capabilities'>, tool: number): string {
  if (capabilities.nozzleDiameters.length < 2 && tool === 0) return 'the nozzle';
  return makeTraits[make].toolName(tool);
}

/** The nozzle on a tool (mm): as reported by the printer, otherwise as configured. */
export function mountedNozzle(
  printer: Pick<FitPrinter, 'mountedNozzles' | 'capabilities'>,
  tool: number,
): number | undefined {
  return printer.mountedNozzles?.[tool] ?? printer.capabilities.nozzleDiameters[tool];
}

/**
 * Returns the slot to print from: it has enough grams of the right material and feeds a suitable tool. Of several, the
 * one with the least left.
 */
export function fittingSlot(job: FitJob, printer: FitPrinter): FitSlot | null {
  const tools = toolsFor(job, printer);
  const fitting = printer.slots.filter(
    (slot) => slot.materialId === job.materialId && slot.gramsFree >= job.grams && tools.includes(slot.tool),
  );
  fitting.sort((a, b) => a.gramsFree - b.gramsFree);
  return fitting[0] ?? null;
}

/** Returns the current obstacles, which may change: the printer's state, its bed, its filament, its nozzle. */
function presentReasons(job: FitJob, printer: FitPrinter): FitReason[] {
  const reasons: FitReason[] = [];
  const present = (whose: Whose, code: string, text: string, remedy: string): void => {
    reasons.push({ code, text: sentence(text), remedy, whose, permanent: false });
  };
  const obstacle = obstacleOf(printer);
  if (obstacle) present('printer', obstacle.code, obstacle.text, obstacle.remedy);
  const filament = filamentSetup(job, printer);
  if (filament) present('stock', 'filament', filament, 'Load the filament, and report it in the slot.');
  for (const setup of hardwareSetups(job, printer)) {
    present('printer', setup.code, setup.text, 'Do it at the printer.');
  }
  return reasons;
}

const sentence = (text: string): string =>
  `${text.charAt(0).toUpperCase()}${text.slice(1)}${text.endsWith('.') ? '' : '.'}`;

/** Returns the slot that is booked with a job's material while the printer detects a different one; undefined: none. */
export const doubtfulSlot = (job: FitJob, printer: FitPrinter): FitPrinter['slots'][number] | undefined =>
  printer.slots.find(
    ({ tool, contradiction }) => contradiction?.booked === job.materialId && toolsFor(job, printer).includes(tool),
  );

/** Returns the filament change that this job needs before it can start here; null if none. */
export function filamentSetup(job: FitJob, printer: FitPrinter): string | null {
  if (fittingSlot(job, printer)) return null;
  const grams = Math.ceil(job.grams);
  const tools = toolsFor(job, printer);
  const usable = printer.slots.filter(({ tool }) => tools.includes(tool));
  const scarce = usable.find((slot) => slot.materialId === job.materialId);
  const doubtful = doubtfulSlot(job, printer);
  const elsewhere = printer.slots.find((slot) => slot.materialId === job.materialId && !tools.includes(slot.tool));
  if (!scarce && doubtful?.contradiction) {
    return `slot ${doubtful.slot} of ${printer.name} is booked with ${job.materialId}, but the printer reports ${doubtful.contradiction.seen} there`;
  }
  if (scarce) {
    return `${printer.name} has only ${Math.floor(scarce.gramsFree)} g of ${job.materialId} free, ${grams} g are needed`;
  }
  if (elsewhere && tools[0] !== undefined) {
    return `slot ${elsewhere.slot} of ${printer.name} holds ${job.materialId}, but the file prints with ${toolName(printer, tools[0])}`;
  }
  return `${printer.name} has no ${job.materialId} loaded (${grams} g are needed)`;
}

/**
 * Returns every setup that this job needs before it can start here, except for the bed: filament, nozzle, build plate.
 */
export function setupsFor(job: FitJob, printer: FitPrinter): string[] {
  const filament = filamentSetup(job, printer);
  const hardware = hardwareSetups(job, printer).map(({ text }) => text);
  return filament === null ? hardware : [filament, ...hardware];
}

/** Returns the hardware that an operator must change before this job can start here: a nozzle, the build plate. */
export function hardwareSetups(job: FitJob, printer: FitPrinter): { code: string; text: string }[] {
  const setups: { code: string; text: string }[] = [];
  for (const { tool, diameter } of wantedNozzles(job, printer)) {
    const mounted = mountedNozzle(printer, tool);
    if (mounted === undefined || Math.abs(mounted - diameter) < sameNozzle) continue;
    const which = printer.capabilities.nozzleDiameters.length > 1 ? ` as ${toolName(printer, tool)}` : '';
    setups.push({ code: 'nozzle_change', text: `mount a nozzle of ${diameter} mm on ${printer.name}${which}` });
  }
  const plate = job.print?.facts.sliced?.bedType ?? null;
  if (plate !== null && printer.buildPlate !== undefined && plateKey(plate) !== plateKey(printer.buildPlate)) {
    setups.push({ code: 'build_plate', text: `put the ${plate} on ${printer.name}` });
  }
  return setups;
}

/** Normalises the name of a build plate: `Textured PEI Plate` and `textured_plate` are the same. */
const plateKey = (name: string): string =>
  name
    .toLowerCase()
    .replace(/\b(plate|pei|bed|bambu)\b|_plate/g, '')
    .replace(/[^a-z0-9]+/g, '');

/** Returns why no print can start on a printer now, although none of ours runs there; null if one can. */
export function notReadyBecause(printer: FitPrinter): string | null {
  return obstacleOf(printer)?.text ?? null;
}

function obstacleOf(printer: FitPrinter): { code: string; text: string; remedy: string } | null {
  const { name, condition } = printer;
  if (printer.wrongMachine) {
    return {
      code: 'wrong_machine',
      text: `another machine answers at the address of ${name}`,
      remedy: 'Correct the address, or accept the machine as this printer.',
    };
  }
  if (!printer.online && printer.neverConnected) {
    const remedy = 'Check its address and its secret in its node, and switch it on.';
    return { code: 'never_connected', text: `${name} has never been connected`, remedy };
  }
  if (!printer.online) {
    return { code: 'offline', text: `${name} is offline`, remedy: 'Switch it on and check its connection.' };
  }
  if (printer.busy)
    return { code: 'busy', text: `${name} is printing ${printer.busy.with}`, remedy: 'Wait for its end.' };
  if (condition) {
    return { code: 'needs_attention', text: `${name} takes no job: ${condition.text}`, remedy: condition.remedy };
  }
  if (printer.bed === 'occupied') {
    return { code: 'bed', text: bedReason(printer), remedy: 'Clear the bed and confirm it.' };
  }
  switch (printer.state) {
    case 'idle':
      return null;
    case 'fault':
      return { code: 'fault', text: `${name} reports a fault`, remedy: 'Look at the printer.' };
    case null:
      return { code: 'unreported', text: `${name} has not reported yet`, remedy: 'Wait for its first report.' };
    default:
      return { code: 'not_idle', text: `${name} is ${printer.state}`, remedy: 'Wait until it is idle.' };
  }
}

function bedReason(printer: FitPrinter): string {
  switch (printer.bedCause) {
    case 'foreign':
      return `the bed of ${printer.name} is occupied by a print that is not ours; clear it and confirm`;
    case 'unknown':
      return `no operator has confirmed yet that the bed of ${printer.name} is clear`;
    default:
      return `the bed of ${printer.name} must be cleared`;
  }
}

/** Returns why no printer can ever print a job, as a text for the submitter. */
export function impossible(job: FitJob, printers: readonly FitPrinter[]): string {
  const asked = printers.filter((printer) => job.forcePrinter === null || job.forcePrinter === printer.id);
  const texts = asked.flatMap((printer) => permanentReasons(job, printer).map(({ text }) => text));
  if (asked.length === 0 && job.forcePrinter !== null)
    return `it must be printed on ${job.forcePrinter}, which the farm no longer has`;
  if (asked.length === 0) return 'there is no printer';
  return `no printer can take it: ${[...new Set(texts)].join(' ')}`;
}
