import type { Bounds } from '../files/analysis';
import { dimensionsOf } from '../files/analysis';
import type { Placement } from '../files/clean-stl';
import { fittingTurn, sizeText, volumeOf } from '../fit/volume';
import { skirtRoomMm } from './defaults';
import { SlicingError, type SlicingMachine } from './slicer';

/** Where a model stands, and whether a skirt has room around it. */
export interface PlacedModel extends Placement {
  skirt: boolean;
}

/**
 * Stands a model in the middle of the bed, its lowest point on it, turned by 90° if only that fits.
 *
 * @throws SlicingError when it fits neither way
 */
export function placeOnBed(bounds: Bounds, machine: SlicingMachine): PlacedModel {
  const volume = volumeOf(machine.capabilities, machine.tool);
  const { min, max } = volume;
  const size = dimensionsOf(bounds);
  const rotationZ = fittingTurn(size, volume);
  if (rotationZ === null) {
    const text = [size.x, size.y, size.z].map((length) => length.toFixed(1)).join(' × ');
    throw new SlicingError(
      `The model (${text} mm) does not fit ${machine.printerId}, which reaches ${sizeText(volume)} mm.`,
      'Choose a larger printer, or make the model smaller.',
    );
  }
  const centreX = (bounds.min.x + bounds.max.x) / 2;
  const centreY = (bounds.min.y + bounds.max.y) / 2;
  const [width, depth] = rotationZ === 0 ? [size.x, size.y] : [size.y, size.x];
  return {
    rotationZ,
    translation: {
      x: (min.x + max.x) / 2 - (rotationZ === 0 ? centreX : -centreY),
      y: (min.y + max.y) / 2 - (rotationZ === 0 ? centreY : centreX),
      z: -bounds.min.z,
    },
    skirt: width + 2 * skirtRoomMm <= max.x - min.x && depth + 2 * skirtRoomMm <= max.y - min.y,
  };
}
