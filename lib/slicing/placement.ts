import { dimensionsOf } from '../files/analysis';
import type { Bounds } from '../files/bounds';
import type { Placement } from '../files/clean-stl';
import { fittingTurn, sizeText, volumeOf } from '../fit/volume';
import { skirtRoom } from './defaults';
import { SlicingError, type SlicingMachine } from './slicer';

/** Where a model stands, and what has room around it. */
export interface PlacedModel extends Placement {
  skirt: boolean;
  /** mm */
  brimWidth: number;
}

/**
 * Stands a model in the middle of the bed, its lowest point on it, turned by 90° if only that fits.
 *
 * @param brim its width (mm), and whether the submitter set it; otherwise as wide as there is room
 * @throws SlicingError when it fits neither way, or the brim that was asked for does not
 */
export function placeOnBed(
  bounds: Bounds,
  machine: SlicingMachine,
  brim: { width: number; asked: boolean } = { width: 0, asked: false },
): PlacedModel {
  const volume = volumeOf(machine.capabilities, machine.tool);
  const { min, max } = volume;
  const size = dimensionsOf(bounds);
  const rotationZ = fittingTurn(size, volume, brim.asked ? brim.width : 0);
  if (rotationZ === null) {
    const text = [size.x, size.y, size.z].map((length) => length.toFixed(1)).join(' × ');
    const around = brim.asked && brim.width > 0 ? ` with a brim of ${brim.width} mm` : '';
    throw new SlicingError(
      `The model (${text} mm)${around} does not fit ${machine.printerId}, which reaches ${sizeText(volume)} mm.`,
      'Choose a larger printer, or make the model or its brim smaller.',
    );
  }
  const centreX = (bounds.min.x + bounds.max.x) / 2;
  const centreY = (bounds.min.y + bounds.max.y) / 2;
  const [width, depth] = rotationZ === 0 ? [size.x, size.y] : [size.y, size.x];
  const room = Math.min(max.x - min.x - width, max.y - min.y - depth) / 2;
  const brimWidth = Math.min(brim.width, Math.floor(10 * room) / 10);
  return {
    rotationZ,
    translation: {
      x: (min.x + max.x) / 2 - (rotationZ === 0 ? centreX : -centreY),
      y: (min.y + max.y) / 2 - (rotationZ === 0 ? centreY : centreX),
      z: -bounds.min.z,
    },
    skirt: room >= skirtRoom(brimWidth),
    brimWidth,
  };
}
