import type { Bounds } from '../files/analysis';
import { dimensionsOf } from '../files/analysis';
import type { Placement } from '../files/clean-stl';
import { placementMarginMm } from './defaults';
import { SlicingError, type SlicingMachine } from './slicer';

/**
 * Stands a model in the middle of the bed, its lowest point on it, turned by 90° if only that fits.
 *
 * @throws SlicingError when it fits neither way with the margin that the skirt needs
 */
export function placeOnBed(bounds: Bounds, machine: SlicingMachine): Placement {
  const { min, max } = machine.capabilities.buildVolume;
  const size = dimensionsOf(bounds);
  const width = max.x - min.x - 2 * placementMarginMm;
  const depth = max.y - min.y - 2 * placementMarginMm;
  const height = max.z - Math.max(min.z, 0);
  const straight = size.x <= width && size.y <= depth;
  const turned = size.y <= width && size.x <= depth;
  if (size.z > height || !(straight || turned)) {
    const text = [size.x, size.y, size.z].map((length) => length.toFixed(1)).join(' × ');
    throw new SlicingError(
      `The model (${text} mm) does not fit ${machine.printerId}: ${width} × ${depth} × ${height} mm are free beside the skirt.`,
      'Choose a larger printer, or make the model smaller.',
    );
  }
  const centreX = (bounds.min.x + bounds.max.x) / 2;
  const centreY = (bounds.min.y + bounds.max.y) / 2;
  const rotationZ = straight ? 0 : 90;
  return {
    rotationZ,
    translation: {
      x: (min.x + max.x) / 2 - (rotationZ === 0 ? centreX : -centreY),
      y: (min.y + max.y) / 2 - (rotationZ === 0 ? centreY : centreX),
      z: -bounds.min.z,
    },
  };
}
