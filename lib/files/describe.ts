import type { FileAnalysis, GcodeAnalysis } from './analysis';
import { dimensionsOf } from './analysis';
import type { Bounds } from './bounds';
import type { MeshMeasure } from './mesh-measure';
import { UnreadableFileError } from './unreadable';

/** Below this largest side (mm) a model was probably not drawn in millimetres. */
const suspiciouslySmallMm = 1;

/**
 * Describes a measured model.
 * @param printed box and volume of the printed part, if that is not the whole mesh
 * @throws UnreadableFileError if it has no volume to print
 */
export function ofModel(
  kind: 'stl' | '3mf',
  sizeBytes: number,
  measure: MeshMeasure,
  warnings: string[],
  printed: { bounds: Bounds; volumeMm3: number } = measure,
): FileAnalysis {
  if (measure.triangles === 0) {
    throw new UnreadableFileError('it holds no triangles', 'Export the model again.');
  }
  const { bounds, volumeMm3 } = printed;
  const dimensions = dimensionsOf(bounds);
  if (!(dimensions.x > 0 && dimensions.y > 0 && dimensions.z > 0)) {
    throw new UnreadableFileError('the model is flat', 'Give the part a thickness in every direction.');
  }
  const closedness = measure.closedness;
  if (closedness === 'open') warnings.push('The mesh is not watertight; its volume is only an indication.');
  if (closedness === 'flipped')
    warnings.push('Some triangles of the mesh face the wrong way; its volume is only an indication.');
  if (closedness === 'closed' && measure.insideOut) warnings.push('The mesh is inside out.');
  const largest = Math.max(dimensions.x, dimensions.y, dimensions.z);
  if (largest < suspiciouslySmallMm) {
    warnings.push(
      `The largest side is ${largest.toPrecision(3)} mm. If the model was drawn in metres or inches, scale it by 1000 or 25.4 and export it again.`,
    );
  }
  return {
    kind,
    sizeBytes,
    bounds,
    dimensions,
    volumeMm3,
    surfaceMm2: measure.surfaceMm2,
    triangles: measure.triangles,
    watertight: measure.watertight,
    shape: measure.shape,
    warnings,
  };
}

function ofCompleteness(print: GcodeAnalysis): string[] {
  if (print.complete === false) {
    return [
      'The G-code is cut off: the closing mark of its slicer is missing, or a heater stays on after the last extrusion.',
    ];
  }
  if (print.complete === true) return [];
  const author = print.slicer ?? 'its slicer, which it does not name,';
  return [`Nothing proves that the G-code is complete: ${author} writes no closing mark. Look at its end.`];
}

/** Describes analysed G-code. */
export function ofGcode(kind: 'gcode' | 'gcode_3mf', sizeBytes: number, print: GcodeAnalysis): FileAnalysis {
  const warnings: string[] = [];
  if (print.extrudingMoves === 0) warnings.push('The G-code extrudes nothing.');
  if (print.badNumbers > 0) warnings.push(`The G-code has ${print.badNumbers} values that are no number.`);
  if (print.dangerousCommands.length > 0) {
    warnings.push(`The G-code changes the machine itself (${print.dangerousCommands.join(', ')}).`);
  }
  if (print.extrudingMoves > 0) warnings.push(...ofCompleteness(print));
  if (print.maxNozzleTemperature > 350)
    warnings.push(`The G-code heats the nozzle to ${print.maxNozzleTemperature} °C.`);
  if (print.maxBedTemperature > 130) warnings.push(`The G-code heats the bed to ${print.maxBedTemperature} °C.`);
  const { min, max } = print.travelBounds;
  if (Math.min(min.x, min.y, min.z) < -200 || Math.max(max.x, max.y, max.z) > 2000) {
    warnings.push('The G-code moves far outside every bed.');
  }
  return {
    kind,
    sizeBytes,
    bounds: print.bounds,
    dimensions: dimensionsOf(print.bounds),
    volumeMm3: 0,
    triangles: 0,
    warnings,
    print,
  };
}
