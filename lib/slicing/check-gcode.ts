import type { Bounds, GcodeAnalysis } from '../files/analysis';
import { PlatewiseError } from '../model/errors';
import { type Material, materialTolerance } from '../model/material';
import type { Volume } from '../model/printer';
import type { SlicingMachine } from './slicer';

/** A print file that must not be sent to this printer. */
export class UnprintableFileError extends PlatewiseError {
  constructor(message: string, remedy: string) {
    super(message, { code: 'unprintable_file', remedy });
  }
}

/** Rounding of coordinates in a file, mm. */
const tolerance = 0.02;
/** How far beyond the build volume a machine may travel to park or to wipe, mm. */
const travelAllowance = 60;
/** °C by which a file may differ from its material before it is worth a word. */
const notableTemperatureDifference = 25;

const sliceAgain = 'Slice the model for this printer and submit it again.';

/**
 * Whether G-code may be sent to a machine: it extrudes, inside of the build volume, within the machine's temperatures, with
 * sound numbers, to its slicer's closing mark, and changes nothing of the machine itself. Nothing that a slicer says of
 * itself is trusted for this.
 *
 * Bambu's own start code purges and wipes beside the bed: of files from its slicers for its printers, the box of what
 * follows the first layer mark counts.
 *
 * @returns sentences for a person
 * @throws UnprintableFileError
 */
export function checkGcode(analysis: GcodeAnalysis, machine: SlicingMachine, material: Material): string[] {
  const { capabilities, make } = machine;
  if (analysis.extrudingMoves === 0) throw new UnprintableFileError('The G-code extrudes nothing.', sliceAgain);
  if (analysis.badNumbers > 0) {
    throw new UnprintableFileError(`The G-code has ${analysis.badNumbers} values that are no number.`, sliceAgain);
  }
  if (analysis.complete === false) {
    throw new UnprintableFileError('The G-code is cut off before its end.', 'Upload the whole file again.');
  }
  const ownStartCode = make === 'bambu' && /^(BambuStudio|OrcaSlicer)/.test(analysis.slicer ?? '');
  const partBounds = ownStartCode ? (analysis.partBounds ?? analysis.bounds) : analysis.bounds;
  // what every nozzle reaches is less than what one reaches
  const nozzles = Math.max(analysis.tools.length, 1);
  const volume = nozzles > 1 ? (capabilities.multiNozzleVolume ?? capabilities.buildVolume) : capabilities.buildVolume;
  if (!contains(volume, partBounds, tolerance)) {
    throw new UnprintableFileError(
      `The G-code extrudes outside of the build volume of ${machine.printerId}${nozzles > 1 ? ` with ${nozzles} nozzles` : ''} (${boxText(partBounds)}).`,
      'Choose a larger printer, or slice the model for this one.',
    );
  }
  if (!ownStartCode && !contains(capabilities.buildVolume, analysis.travelBounds, travelAllowance)) {
    throw new UnprintableFileError(
      `The G-code moves far outside of the build volume of ${machine.printerId} (${boxText(analysis.travelBounds)}).`,
      sliceAgain,
    );
  }
  refuseHeat('nozzle', analysis.maxNozzleTemperature, capabilities.maxNozzleTemperature, machine);
  refuseHeat('bed', analysis.maxBedTemperature, capabilities.maxBedTemperature, machine);
  // what a maker writes into the start and end code of its own machine
  const dangerous = [...analysis.dangerousCommands, ...(ownStartCode ? [] : analysis.vendorCommands)];
  if (dangerous.length > 0) {
    throw new UnprintableFileError(
      `The G-code changes the machine itself (${dangerous.join(', ')}).`,
      'Remove these commands, or slice the model again.',
    );
  }
  return temperatureWarnings(analysis, material);
}

/** Far from what its material wants a print does not hold, or the filament chars in the nozzle. */
function temperatureWarnings(analysis: GcodeAnalysis, material: Material): string[] {
  const wanted = material.nozzleTemperature;
  const found = analysis.maxNozzleTemperature;
  if (found === 0) return [];
  const difference = Math.abs(found - wanted);
  if (difference > materialTolerance.nozzle) {
    throw new UnprintableFileError(
      `The G-code heats the nozzle to ${found} °C; ${material.name} wants ${wanted} °C.`,
      `Slice it for this material, at most ${materialTolerance.nozzle} °C from that.`,
    );
  }
  if (analysis.maxBedTemperature > material.bedTemperature + materialTolerance.bed) {
    throw new UnprintableFileError(
      `The G-code heats the bed to ${analysis.maxBedTemperature} °C; ${material.name} wants ${material.bedTemperature} °C.`,
      `Slice it for this material, at most ${materialTolerance.bed} °C above that.`,
    );
  }
  if (difference <= notableTemperatureDifference) return [];
  return [`The G-code heats the nozzle to ${found} °C; ${material.name} wants ${wanted} °C.`];
}

function refuseHeat(what: string, wanted: number, most: number, machine: SlicingMachine): void {
  if (wanted <= most) return;
  throw new UnprintableFileError(
    `The G-code heats the ${what} to ${wanted} °C; ${machine.printerId} allows ${most} °C.`,
    'Lower the temperature, or choose another printer or material.',
  );
}

function contains(volume: Volume, box: Bounds, allowance: number): boolean {
  return (['x', 'y', 'z'] as const).every(
    (axis) => box.min[axis] >= volume.min[axis] - allowance && box.max[axis] <= volume.max[axis] + allowance,
  );
}

function boxText({ min, max }: Bounds): string {
  return (['x', 'y', 'z'] as const)
    .map((axis) => `${axis} ${min[axis].toFixed(1)} to ${max[axis].toFixed(1)}`)
    .join(', ');
}
