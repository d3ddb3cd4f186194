import { makeTraits } from '../makes/traits';
import type { FitReason } from '../model/fit';
import { isSameType, materialTolerance } from '../model/material';
import type { Make, PrinterCapabilities } from '../model/printer';
import type { SlicedFacts, UsedFilament } from '../model/sliced-facts';
import { fileReason } from './file-reason';
import { isAcceptedModel } from './models';
import type { PrintDemands } from './subject';
import { boxText, commonVolume, contains, sizeText, standsOn } from './volume';

/** Rounding of coordinates in a file, mm. */
const tolerance = 0.02;
/** How far beyond the build volume a machine may travel to park or to wipe, mm. */
const travelAllowance = 60;

/** °C; the chamber temperature that slicers request for an enclosure without a heater. */
const usualChamberHeat = 80;

const sliceForThis = 'Slice the model for this printer and submit it again.';

/** A machine that a sliced file could be printed on. */
export interface TargetMachine {
  name: string;
  make: Make;
  capabilities: PrinterCapabilities;
}

/** Returns the faults of a sliced file that matter on every machine. */
export function flaws(facts: SlicedFacts): FitReason[] {
  const reasons: FitReason[] = [];
  if (facts.extrudingMoves === 0) {
    reasons.push(fileReason('extrudes_nothing', 'The G-code extrudes nothing.', 'Slice the model again.'));
  }
  if (facts.badNumbers > 0) {
    const text = `The G-code has ${facts.badNumbers} values that are no number.`;
    reasons.push(fileReason('bad_numbers', text, 'Slice the model again.'));
  }
  if (facts.complete === false) {
    reasons.push(fileReason('incomplete', 'The G-code is cut off before its end.', 'Upload the whole file again.'));
  }
  if (facts.dangerousCommands.length > 0) {
    const text = `The G-code changes the machine itself (${withLines(facts, facts.dangerousCommands)}).`;
    reasons.push(fileReason('dangerous_commands', text, 'Remove these commands, or slice the model again.'));
  }
  return reasons;
}

/** Lists commands, each with its first line. */
const withLines = ({ commandLines }: SlicedFacts, commands: readonly string[]): string =>
  commands.map((name) => (commandLines[name] ? `${name} in line ${commandLines[name]}` : name)).join(', ');

/** Compares the filaments of a sliced file with the job; the result is the same on every printer. */
export function filamentReasons(facts: SlicedFacts, { material }: PrintDemands): FitReason[] {
  const reasons: FitReason[] = [];
  const { filaments } = facts;
  // The commands take precedence over the file's own statements.
  const severalTools = facts.tools.length > Math.max(1, filaments.length);
  if (filaments.length > 1 || severalTools) {
    const listed = severalTools
      ? facts.tools.map((tool) => `T${tool}`).join(', ')
      : filaments.map(filamentText).join(', ');
    reasons.push(
      fileReason('several_filaments', `The file uses several filaments: ${listed}.`, 'Slice it in one filament.'),
    );
  } else {
    const type = filaments[0]?.type ?? null;
    if (type !== null && !isSameType(type, material.type)) {
      reasons.push(
        fileReason(
          'filament_type',
          `The file was sliced for ${type}; ${material.name} is ${material.type}.`,
          `Choose a material of the type ${type}, or slice the model for ${material.type}.`,
        ),
      );
    }
  }
  reasons.push(...temperatureReasons(facts, material));
  return reasons;
}

const filamentText = ({ filament, type, colourHex }: UsedFilament): string =>
  `${filament} ${type ?? 'of unknown type'}${colourHex === null ? '' : ` #${colourHex}`}`;

/** Far from its material's temperature a print does not stick, or the filament chars in the nozzle. */
export function temperatureReasons(facts: SlicedFacts, material: PrintDemands['material']): FitReason[] {
  const reasons: FitReason[] = [];
  const { nozzleTemperature: nozzle, bedTemperature: bed } = facts;
  if (nozzle > 0 && Math.abs(nozzle - material.nozzleTemperature) > materialTolerance.nozzle) {
    reasons.push(
      fileReason(
        'file_temperature',
        `The file heats the nozzle to ${nozzle} °C; ${material.name} wants ${material.nozzleTemperature} °C.`,
        `Slice it for this material, at most ${materialTolerance.nozzle} °C from that.`,
      ),
    );
  }
  if (bed > material.bedTemperature + materialTolerance.bed) {
    reasons.push(
      fileReason(
        'file_temperature',
        `The file heats the bed to ${bed} °C; ${material.name} wants ${material.bedTemperature} °C.`,
        `Slice it for this material, at most ${materialTolerance.bed} °C above that.`,
      ),
    );
  }
  return reasons;
}

/**
 * Whether the file states that it was made for exactly this model: only then its start and end code may do more than
 * print.
 */
const madeForIt = (facts: SlicedFacts, { capabilities }: TargetMachine): boolean =>
  facts.madeFor !== null && isAcceptedModel(facts.madeFor, capabilities.acceptsModels);

/** Checks whether a sliced file was made for a machine, as far as the file states it. */
export function modelReasons(facts: SlicedFacts, machine: TargetMachine, acceptUnknown: boolean): FitReason[] {
  if (facts.madeFor === null) {
    if (acceptUnknown) return [];
    return [
      fileReason(
        'unknown_machine',
        'The file does not name the machine that it was sliced for.',
        'Slice it with a profile that names the machine, or set accept_unknown_machine if you are sure that it was made for this printer.',
      ),
    ];
  }
  if (madeForIt(facts, machine)) return [];
  const accepted = machine.capabilities.acceptsModels ?? [];
  const takes = accepted.length === 0 ? 'lists no models whose files it takes' : `takes files for ${accepted[0]}`;
  return [
    fileReason(
      'machine_model',
      `The file was sliced for ${facts.madeFor}; ${machine.name} ${takes}.`,
      `${sliceForThis.slice(0, -1)}, or add the model to those that ${machine.name} accepts.`,
    ),
  ];
}

/**
 * Checks the G-code against a machine's limits: its volume, its temperatures, its own commands. In a file that was made
 * for exactly this model only the box after the first layer mark counts, because the manufacturer's start code purges
 * and wipes beside the bed.
 */
export function machineReasons(
  facts: SlicedFacts,
  machine: TargetMachine,
  tools: readonly number[],
  acceptUnknown: boolean,
): FitReason[] {
  const { capabilities, name } = machine;
  const reasons: FitReason[] = [];
  const own = madeForIt(facts, machine);
  // If the manufacturer's own profiles write no such commands, they would change the owner's settings.
  const { vendorCommandsInProfiles } = makeTraits[machine.make];
  const vouched = acceptUnknown && facts.madeFor === null && vendorCommandsInProfiles;
  if (!own && !vouched && facts.vendorCommands.length > 0) {
    const text = `The G-code changes the machine itself (${withLines(facts, facts.vendorCommands)}), and was not made for the model of ${name}.`;
    reasons.push(fileReason('vendor_commands', text, sliceForThis));
  }
  const box = own ? (facts.partBox ?? facts.box) : facts.box;
  const volume = commonVolume(capabilities, tools);
  if (facts.extrudingMoves > 0 && !contains(volume, box, tolerance)) {
    const nozzles = tools.length > 1 ? ` with ${tools.length} nozzles` : '';
    reasons.push(
      fileReason(
        'outside_volume',
        `The G-code extrudes outside of the build volume of ${name}${nozzles} (${boxText(box)}; it reaches ${sizeText(volume)} mm).`,
        'Choose a larger printer, or slice the model for this one.',
      ),
    );
  }
  const excluded = (capabilities.bedExclusions ?? []).find((area) => facts.extrudingMoves > 0 && standsOn(area, box));
  if (excluded) {
    const where = `x ${excluded.min.x} to ${excluded.max.x}, y ${excluded.min.y} to ${excluded.max.y}`;
    const text = `The G-code prints where ${name} must keep its bed free (${where}).`;
    reasons.push(fileReason('excluded_area', text, 'Move the part away from there and slice it again.'));
  }
  if (!own && !contains(capabilities.buildVolume, facts.travelBox, travelAllowance)) {
    const text = `The G-code moves far outside of the build volume of ${name} (${boxText(facts.travelBox)}).`;
    reasons.push(fileReason('travels_outside', text, sliceForThis));
  }
  const heats = [
    ['nozzle', Math.max(facts.nozzleTemperature, facts.hottest.nozzle), capabilities.maxNozzleTemperature],
    ['bed', Math.max(facts.bedTemperature, facts.hottest.bed), capabilities.maxBedTemperature],
    ['chamber', facts.hottest.chamber, capabilities.maxChamberTemperature ?? usualChamberHeat],
  ] as const;
  for (const [what, wanted, most] of heats) {
    if (wanted <= most) continue;
    reasons.push(
      fileReason(
        `file_${what}_heat`,
        `The G-code heats the ${what} to ${wanted} °C; ${name} allows ${most} °C.`,
        'Choose another printer, or slice it for a lower temperature.',
      ),
    );
  }
  return reasons;
}

/** The nozzles (from 0) that a sliced file prints with on a make, as far as the file states them. */
export function nozzlesOf(facts: SlicedFacts, make: Make): number[] {
  const named = facts.filaments.flatMap(({ tool }) => (tool === null ? [] : [tool]));
  return [...new Set(makeTraits[make].toolWords === 'filaments' ? named : facts.tools)];
}

/**
 * Plain G-code is wrapped in an archive as a plate of one filament, which is its first: `T` may name no other.
 */
export function wrappingReasons({ tools }: SlicedFacts, name: string): FitReason[] {
  const others = tools.filter((tool) => tool !== 0);
  if (others.length === 0) return [];
  const text = `The G-code prints with ${others.map((tool) => `T${tool}`).join(' and ')}; wrapped for ${name} it has one filament, T0.`;
  return [fileReason('tool', text, 'Slice it in one filament, or submit a .gcode.3mf.')];
}

/** Returns harmless differences between a file and the job, as warnings for the submitter. */
export function remarks(facts: SlicedFacts, { material }: PrintDemands): string[] {
  const warnings: string[] = [];
  const [filament] = facts.filaments;
  if (filament?.colourHex && !isSimilarColour(filament.colourHex, material.colourHex)) {
    warnings.push(`The file was sliced in #${filament.colourHex}; ${material.name} is #${material.colourHex}.`);
  }
  const difference = Math.abs(facts.nozzleTemperature - material.nozzleTemperature);
  if (
    facts.nozzleTemperature > 0 &&
    difference > notableTemperatureDifference &&
    difference <= materialTolerance.nozzle
  ) {
    warnings.push(
      `The file heats the nozzle to ${facts.nozzleTemperature} °C; ${material.name} wants ${material.nozzleTemperature} °C.`,
    );
  }
  return warnings;
}

/** The difference between a file's temperature and its material's above which a warning is given (°C). */
const notableTemperatureDifference = 25;
/** The RGB distance (of 441, the distance between black and white) below which two colours count as shades of one. */
const similarColourDistance = 100;

function isSimilarColour(one: string, other: string): boolean {
  const channels = (hex: string): number[] => [0, 2, 4].map((at) => Number.parseInt(hex.slice(at, at + 2), 16));
  const b = channels(other);
  return Math.hypot(...channels(one).map((value, index) => value - (b[index] ?? 0))) <= similarColourDistance;
}
