import type { FileAnalysis } from '../files/analysis';
import { gramsOfFilament, type Material } from '../model/material';
import type { PrintSettings } from '../model/settings';
import { resolveSettings } from './defaults';
import type { SlicingProfile } from './profile';
import type { SlicingMachine } from './slicer';

/** Mean thickness of walls (3 lines) and floors (4 layers) together, mm, at a 0.4 mm nozzle. */
const shellThicknessMm = 1.25;
/** Walls and outer skins are printed slower than infill. */
const shellSpeedShare = 0.75;
const secondsPerLayer = 0.7;
/** Homing and heating. */
const startSeconds = 180;
const skirtGrams = 0.1;

/**
 * Grams and hours of a print before it is sliced; replaced by the slicer's figures later.
 *
 * Volume V and surface S of the model (S as measured, else that of its box scaled by the share of the box that is
 * filled, to the power 2/3) give the printed volume: a shell of thickness t, V·(1 − e^(−S·t/V)), which is S·t for a
 * thick part and V for a thin one, plus the rest times the infill. Grams are that volume times the density. Time is each
 * volume over its flow (speed × line width × layer height), plus a moment per layer and three minutes for the start.
 * Grows with volume and infill. Hours of the reference machine: the planner applies the printer's speed factor.
 * For a sliced file the file's own figures are returned.
 */
export function estimatePrint(
  analysis: FileAnalysis,
  machine: SlicingMachine | undefined,
  material: Material,
  settings: PrintSettings,
  profile: SlicingProfile = {},
): { grams: number; hours: number } {
  if (analysis.print) {
    const seconds = analysis.print.slicerSeconds ?? analysis.print.simulatedSeconds;
    return {
      grams: analysis.print.slicerGrams ?? gramsOfFilament(analysis.print.filamentMm, material),
      hours: (seconds + startSeconds) / 3600,
    };
  }
  const chosen = resolveSettings(machine, material, settings, profile);
  const { x, y, z } = analysis.dimensions;
  const boxVolume = x * y * z;
  const volume = Math.min(analysis.volumeMm3, boxVolume);
  const boxSurface = 2 * (x * y + y * z + x * z);
  const surface = analysis.surfaceMm2 ?? boxSurface * (volume / boxVolume) ** (2 / 3);
  const thickness = shellThicknessMm * (chosen.nozzleDiameter / 0.4);
  const shell = volume > 0 ? volume * (1 - Math.exp((-surface * thickness) / volume)) : 0;
  const inside = (volume - shell) * chosen.infill;
  const flow = chosen.speed * chosen.lineWidth * chosen.layerHeight;
  const layers = Math.ceil(z / chosen.layerHeight);
  const seconds = shell / (flow * shellSpeedShare) + inside / flow + layers * secondsPerLayer + startSeconds;
  return {
    grams: ((shell + inside) * material.densityGramsPerCm3) / 1000 + skirtGrams,
    hours: seconds / 3600,
  };
}
