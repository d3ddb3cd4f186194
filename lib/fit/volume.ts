import type { Area, Dimensions, PrinterCapabilities, Volume } from '../model/printer';
import type { Box } from '../model/sliced-facts';

/**
 * The margin between a part and the edge of the nozzle's reach on each side (mm): one line width. A skirt is left out
 * if it has no room.
 */
const edgeMargin = 0.5;

/** The maximum layer height as a share of the nozzle's diameter; a higher layer does not stick to the one below. */
export const highestLayerShare = 0.8;

/**
 * The default minimum of the first layer height as a share of the nozzle's diameter, so that it sticks to an uneven
 * bed.
 */
export const firstLayerShare = 0.5;

/** The rotation about Z with which a model fits, in degrees. */
export type Turn = 0 | 90;

/**
 * Whether a model fits a volume on all three axes, rotated about Z by 0° or 90°, never tilted.
 * @param around margin around the model for a brim (mm)
 * @returns the rotation that fits (0° is preferred), or null
 */
export function fittingTurn(model: Dimensions, volume: Volume, around = 0): Turn | null {
  const margin = Math.max(edgeMargin, around);
  const width = volume.max.x - volume.min.x - 2 * margin;
  const depth = volume.max.y - volume.min.y - 2 * margin;
  const height = volume.max.z - volume.min.z;
  if (model.z > height) return null;
  if (model.x <= width && model.y <= depth) return 0;
  if (model.y <= width && model.x <= depth) return 90;
  return null;
}

/** The reach of one tool, mm. */
export function volumeOf(capabilities: PrinterCapabilities, tool: number): Volume {
  return capabilities.toolVolumes?.[tool] ?? capabilities.buildVolume;
}

/** The common reach of all these tools, mm. */
export function commonVolume(capabilities: PrinterCapabilities, tools: readonly number[]): Volume {
  const [only] = tools;
  if (tools.length > 1) return capabilities.multiNozzleVolume ?? capabilities.buildVolume;
  return volumeOf(capabilities, only ?? 0);
}

/** Whether a volume contains a box, with a tolerance (mm) on each side. */
export function contains(volume: Volume, box: Box, allowance: number): boolean {
  return (['x', 'y', 'z'] as const).every(
    (axis) => box.min[axis] >= volume.min[axis] - allowance && box.max[axis] <= volume.max[axis] + allowance,
  );
}

/** Whether a box overlaps an area of the bed. */
export function standsOn(area: Area, box: Box): boolean {
  return (['x', 'y'] as const).every((axis) => box.min[axis] < area.max[axis] && box.max[axis] > area.min[axis]);
}

export const sizeText = (volume: Volume): string =>
  (['x', 'y', 'z'] as const).map((axis) => rounded(volume.max[axis] - volume.min[axis])).join(' × ');

export const partText = ({ x, y, z }: Dimensions): string => [x, y, z].map(rounded).join(' × ');

export function boxText({ min, max }: Box): string {
  return (['x', 'y', 'z'] as const)
    .map((axis) => `${axis} ${min[axis].toFixed(1)} to ${max[axis].toFixed(1)}`)
    .join(', ');
}

const rounded = (edge: number): number => Math.round(edge * 10) / 10;
