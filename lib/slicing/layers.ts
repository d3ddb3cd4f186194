import { closeContours, type Paths64, roundedCrossing } from '../files/contours';
import { SlicingError } from './slicer';

export { type Paths64, type Point, perMm } from '../files/contours';

/** Vertices nearer than this are one, as in the check for closedness. */
const vertexGridPerMm = 1e5;

/** The heights of a print's layers, mm: the first may be thicker than the others. */
export interface LayerHeights {
  firstLayerHeight: number;
  layerHeight: number;
}

/** How many layers a part of a height (mm) has: it is rounded to whole ones. */
export const layerCountOf = (height: number, { firstLayerHeight, layerHeight }: LayerHeights): number =>
  height < firstLayerHeight / 2 ? 0 : 1 + Math.max(0, Math.round((height - firstLayerHeight) / layerHeight));

/** The upper side of a layer (from 0), mm. */
export const topOfLayer = (index: number, { firstLayerHeight, layerHeight }: LayerHeights): number =>
  firstLayerHeight + index * layerHeight;

/** The middle of a layer (from 0), mm: where the part is cut. */
export const middleOfLayer = (index: number, heights: LayerHeights): number =>
  index === 0 ? heights.firstLayerHeight / 2 : topOfLayer(index, heights) - heights.layerHeight / 2;

/**
 * Cuts a closed mesh (nine numbers a triangle, mm, min z = 0) in the middle of each layer. Each contour runs with the
 * material on its left, in micrometres. A point where a plane meets an edge is computed from the edge's ends in one
 * fixed order, so that both triangles at the edge find exactly the same point and contours close without tolerance.
 *
 * @throws SlicingError when a contour does not close
 */
export function cutLayers(triangles: Float32Array, heights: LayerHeights, layerCount: number): Paths64[] {
  const { firstLayerHeight, layerHeight } = heights;
  const segments: number[][] = Array.from({ length: layerCount }, () => []);
  const v = new Float64Array(9);
  for (let i = 0; i + 9 <= triangles.length; i += 9) {
    for (let k = 0; k < 9; k++) v[k] = Math.round((triangles[i + k] ?? 0) * vertexGridPerMm) / vertexGridPerMm;
    const [ax, ay, az, bx, by, bz, cx, cy, cz] = v as unknown as NineNumbers;
    const low = Math.min(az, bz, cz);
    const high = Math.max(az, bz, cz);
    const first = Math.max(0, Math.floor((low - firstLayerHeight) / layerHeight + 0.5));
    const last = Math.min(layerCount - 1, Math.max(0, Math.ceil((high - firstLayerHeight) / layerHeight + 0.5)));
    for (let layer = first; layer <= last; layer++) {
      const z = middleOfLayer(layer, heights);
      if (low >= z || high < z) continue; // a vertex on the plane counts as above it
      const list = segments[layer] ?? [];
      const at = list.length;
      list.length = at + 4;
      roundedCrossing(list, at, ax, ay, az, bx, by, bz, z);
      roundedCrossing(list, at, bx, by, bz, cx, cy, cz, z);
      roundedCrossing(list, at, cx, cy, cz, ax, ay, az, z);
    }
  }
  let previous: Paths64 = [];
  return segments.map((list, layer) => {
    const contours = closeContours(list, () => {
      throw new SlicingError(
        `The mesh has a hole at layer ${layer + 1}.`,
        'Repair the model, or slice with PrusaSlicer.',
      );
    });
    list.length = 0;
    if (equal(contours, previous)) return previous; // same object: what follows need not be computed again
    previous = contours;
    return contours;
  });
}

type NineNumbers = [number, number, number, number, number, number, number, number, number];

function equal(a: Paths64, b: Paths64): boolean {
  if (a.length !== b.length) return false;
  return a.every((path, i) => {
    const other = b[i];
    return path.length === other?.length && path.every((p, k) => p.x === other[k]?.x && p.y === other[k]?.y);
  });
}
