import { parentPort, workerData } from 'node:worker_threads';
import { MeshMeasure } from '../files/mesh-measure';
import { readTriangles } from '../files/triangles';
import { failureMessage } from '../files/worker';
import { highestLayerShare } from '../fit/volume';
import { GcodeWriter } from './gcode-writer';
import { cutLayers, layerCountOf } from './layers';
import { type SliceRequest, type SliceResult, SlicingError } from './slicer';
import { type Findings, planLayers } from './toolpaths';

const maximumTriangles = 5_000_000;
const maximumLayers = 20_000;
const repairRemedy = 'Repair the model (close its holes, turn all triangles outwards), or slice with PrusaSlicer.';

async function slice(request: SliceRequest): Promise<SliceResult> {
  const triangles = await readTriangles(request.modelPath, maximumTriangles);
  const { settings } = request;
  const thickest = Math.max(settings.layerHeight, settings.firstLayerHeight);
  if (thickest > settings.nozzleDiameter * highestLayerShare + 1e-6) {
    throw new SlicingError(
      `A layer of ${thickest} mm is too high for a nozzle of ${settings.nozzleDiameter} mm.`,
      `Choose a layer height of at most ${(settings.nozzleDiameter * 0.8).toFixed(2)} mm.`,
    );
  }
  const height = refuseUnsoundMesh(triangles);
  const layerCount = layerCountOf(height, settings);
  if (layerCount < 1) throw new SlicingError('The model is lower than one layer.', 'Make the model larger.');
  if (layerCount > maximumLayers) {
    throw new SlicingError(`The model would have ${layerCount} layers.`, 'Choose a greater layer height.');
  }
  const clipper = await import('clipper2-ts');
  const contours = cutLayers(triangles, settings, layerCount);
  const findings: Findings = { overhanging: 0, tooThin: 0 };
  const writer = new GcodeWriter(request);
  try {
    let index = 0;
    let drawn = 0;
    for (const paths of planLayers(clipper, contours, settings, request.skirt, findings)) {
      drawn += paths.walls.at(-1)?.length ?? 0;
      writer.layer(index++, paths);
      parentPort?.postMessage({ progress: index / layerCount });
    }
    if (drawn === 0) {
      throw new SlicingError(
        'The model is everywhere thinner than one line.',
        'Thicken its walls, or use a finer nozzle.',
      );
    }
    return { estimatedSeconds: writer.finish().seconds, warnings: warningsOf(findings) };
  } finally {
    writer.close();
  }
}

/**
 * The height of the mesh, mm. Holes and turned triangles would print as missing or filled regions, so they are
 * rejected.
 */
function refuseUnsoundMesh(triangles: Float32Array): number {
  const measure = new MeshMeasure();
  const batch = 8192;
  for (let at = 0; at < triangles.length; at += batch * 9) {
    const coordinates = Float64Array.from(triangles.subarray(at, at + batch * 9));
    measure.take(coordinates, coordinates.length / 9);
  }
  switch (measure.closedness) {
    case 'open':
      throw new SlicingError('The built-in slicer cannot slice a mesh with holes.', repairRemedy);
    case 'flipped':
      throw new SlicingError('The built-in slicer cannot slice a mesh whose triangles face both ways.', repairRemedy);
    case 'closed':
      return measure.bounds.max.z;
  }
}

function warningsOf({ overhanging, tooThin }: Findings): string[] {
  const layers = (count: number) => (count === 1 ? '1 layer' : `${count} layers`);
  const warnings: string[] = [];
  if (overhanging > 0) {
    warnings.push(`In ${layers(overhanging)} the part reaches out over air; the built-in slicer prints no supports.`);
  }
  if (tooThin > 0) warnings.push(`In ${layers(tooThin)} the part is thinner than one line and was left out.`);
  return warnings;
}

slice(workerData as SliceRequest).then(
  (result) => parentPort?.postMessage({ result }),
  (error) => parentPort?.postMessage(failureMessage(error)),
);
