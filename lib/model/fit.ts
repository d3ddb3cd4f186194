import type { Dimensions, Volume } from './printer';

/**
 * What must stay free between a part and the edge of what the nozzle reaches, on each side (mm): one line width. A skirt
 * is left out where it has no room.
 */
const edgeMargin = 0.5;

/** How far a model must be turned about Z to fit, in degrees. */
export type Turn = 0 | 90;

/**
 * Whether a model fits a volume on all three axes, turned about Z by 0° or 90°; never tipped over.
 * @returns the turn that fits (0° is preferred), or null
 */
export function fittingTurn(model: Dimensions, volume: Volume): Turn | null {
  const width = volume.max.x - volume.min.x - 2 * edgeMargin;
  const depth = volume.max.y - volume.min.y - 2 * edgeMargin;
  const height = volume.max.z - volume.min.z;
  if (model.z > height) return null;
  if (model.x <= width && model.y <= depth) return 0;
  if (model.y <= width && model.x <= depth) return 90;
  return null;
}
