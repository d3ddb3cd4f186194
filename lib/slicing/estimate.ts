import type { FileAnalysis } from '../files/analysis';
import { volumeOf } from '../fit/volume';
import { gramsOfFilament, type Material } from '../model/material';
import type { PrintSettings } from '../model/settings';
import { resolveSettings, type SlicingSettings } from './defaults';
import { builtInHabits, type Habits, prusaHabits } from './estimate-habits';
import { layerAmounts } from './estimate-layers';
import { shapeOf } from './estimate-shape';
import { layerTime } from './estimate-time';
import type { SlicingProfile } from './profile';
import type { SlicingMachine } from './slicer';

/**
 * Grams and hours of a print before it is sliced; replaced by the slicer's figures later, and like them without heating and
 * homing.
 *
 * The lines of each layer are counted from the model's cross-sections (`Shape`): walls along outlines that shrink from line
 * to line, solid layers under and over what looks upwards and downwards, sparse infill in the rest, brim and skirt around
 * the first. Grams are their volume times the density. Time is each kind of line by its speed, no layer shorter than it
 * must be to cool, what travels, retractions and stops take, and where the machine is known the way to the part and back.
 * Hours of the reference machine: the planner applies the printer's speed factor. For a sliced file the file's own figures
 * are returned.
 *
 * @param slicer the name of the slicer that will slice it, as far as it is known
 */
export function estimatePrint(
  analysis: FileAnalysis,
  machine: SlicingMachine | undefined,
  material: Material,
  settings: PrintSettings,
  profile: SlicingProfile = {},
  slicer = 'prusa-slicer',
): { grams: number; hours: number } {
  if (analysis.print) {
    const seconds = analysis.print.slicerSeconds ?? analysis.print.simulatedSeconds;
    return {
      grams: analysis.print.slicerGrams ?? gramsOfFilament(analysis.print.filamentMm, material),
      hours: seconds / 3600,
    };
  }
  return estimateModel(
    analysis,
    machine,
    material,
    resolveSettings(machine, material, settings, profile),
    slicer === 'built-in' ? builtInHabits : prusaHabits,
  );
}

/** The same with everything chosen. */
export function estimateModel(
  analysis: FileAnalysis,
  machine: SlicingMachine | undefined,
  material: Material,
  settings: SlicingSettings,
  habits: Habits,
): { grams: number; hours: number } {
  let volume = 0;
  const { approach, parking } = machine ? ways(machine, analysis.dimensions.z, settings) : { approach: 0, parking: 0 };
  let seconds = approach + parking;
  for (const [index, amounts] of layerAmounts(shapeOf(analysis), analysis.dimensions, settings, habits).entries()) {
    const { drawing, bridging, travelling, stopping } = layerTime(amounts, index === 0, settings, habits, approach);
    volume += amounts.volume;
    seconds += drawing + bridging + travelling + stopping;
  }
  return { grams: (volume * material.densityGramsPerCm3) / 1000, hours: seconds / 3600 };
}

/** Seconds from the corner where a machine is homed to the middle of its bed, and at the end to where it parks. */
function ways(
  { capabilities, tool }: SlicingMachine,
  height: number,
  { travelSpeed }: SlicingSettings,
): { approach: number; parking: number } {
  const { min, max } = volumeOf(capabilities, tool);
  const toMiddle = Math.hypot(max.x - min.x, max.y - min.y) / 2;
  const lift = height + parkingLift <= max.z ? parkingLift / liftSpeed : 0;
  return { approach: toMiddle / travelSpeed, parking: toMiddle / parkingSpeed + lift };
}

/** mm/s, mm and mm/s of the end code that our slicers write. */
const parkingSpeed = 100;
const parkingLift = 5;
const liftSpeed = 10;
