import type { FileAnalysis } from '../files/analysis';
import type { ShapeSlice } from '../files/shape';
import { gramsOfFilament, type Material } from '../model/material';
import type { PrintSettings } from '../model/settings';
import { resolveSettings, type SlicingSettings, skirt } from './defaults';
import { builtInHabits, type Habits, prusaHabits } from './estimate-habits';
import { layerAmounts } from './estimate-layers';
import { shapeOf } from './estimate-shape';
import { layerTime } from './estimate-time';
import type { SlicingProfile } from './profile';
import type { SlicingMachine } from './slicer';
import { lineSpacing } from './toolpaths';

/**
 * Grams and hours of a print before it is sliced; replaced by the slicer's figures later, and like them without heating and
 * homing.
 *
 * The lines of each layer are counted from the model's cross-sections (`Shape`): walls along outlines that shrink from line
 * to line, solid layers under and over what looks upwards and downwards, sparse infill in the rest, brim and skirt around
 * the first. Grams are their volume times the density. Time is each kind of line by its speed, no layer shorter than it
 * must be to cool, and what travels, retractions and stops take. Hours of the reference machine: the planner applies the
 * printer's speed factor. For a sliced file the file's own figures are returned.
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
    material,
    resolveSettings(machine, material, settings, profile),
    slicer === 'built-in' ? builtInHabits : prusaHabits,
  );
}

/** The same with everything chosen. */
export function estimateModel(
  analysis: FileAnalysis,
  material: Material,
  settings: SlicingSettings,
  habits: Habits,
): { grams: number; hours: number } {
  const shape = shapeOf(analysis);
  const layers = layerAmounts(shape, analysis.dimensions.z, settings, habits);
  const around = aroundFirstLayer(shape.slices[0] as ShapeSlice, analysis.dimensions, settings);
  let volume = around * settings.firstLayerHeight * lineSpacing(settings, settings.firstLayerHeight);
  let seconds = around / settings.firstLayerSpeed;
  for (const [index, amounts] of layers.entries()) {
    volume += amounts.volume;
    const { drawing, bridging, travelling, stopping } = layerTime(amounts, index === 0, settings, habits);
    seconds += drawing + bridging + travelling + stopping;
  }
  return { grams: (volume * material.densityGramsPerCm3) / 1000, hours: seconds / 3600 };
}

/** mm of skirt and brim. */
function aroundFirstLayer(
  { islands }: ShapeSlice,
  { x, y }: { x: number; y: number },
  settings: SlicingSettings,
): number {
  const spacing = lineSpacing(settings, settings.firstLayerHeight);
  const box = 2 * (x + y);
  const only = islands.length === 1 && islands[0]?.count === 1 ? islands[0] : undefined;
  const hull = only ? Math.min(box, Math.max(only.perimeter, 2 * Math.hypot(x, y))) : box;
  const distance = Math.max(skirt.distanceMm, settings.brimWidth) + skirt.loops * spacing * 0.5;
  const loops = Math.round(settings.brimWidth / spacing);
  const brim = islands.reduce((sum, { perimeter, holes, count }) => {
    const outer = perimeter / (1 + holes / 2);
    return sum + count * loops * (outer + Math.PI * loops * spacing);
  }, 0);
  return skirt.loops * (hull + 2 * Math.PI * distance) + brim;
}
