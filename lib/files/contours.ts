import { crossing } from './crossing';

/** A point of the plane, in micrometres. */
export interface Point {
  x: number;
  y: number;
}

/** Outlines, in micrometres. */
export type Paths64 = Point[][];

/** Units of the plane: micrometres, as whole numbers. */
export const perMm = 1000;

/** Writes the point where the edge p→q crosses the plane at z, as `crossing` does, in whole micrometres. */
export function roundedCrossing(
  list: number[],
  at: number,
  px: number,
  py: number,
  pz: number,
  qx: number,
  qy: number,
  qz: number,
  z: number,
): void {
  const to = crossing(list, at, px, py, pz, qx, qy, qz, z);
  if (to < 0) return;
  list[to] = Math.round((list[to] ?? 0) * perMm);
  list[to + 1] = Math.round((list[to + 1] ?? 0) * perMm);
}

const keyOf = (x: number, y: number) => (x + 67_108_864) * 134_217_728 + (y + 67_108_864);

/**
 * Joins segments (four numbers each) into contours.
 *
 * @param open called when one does not close; if it returns, that one is omitted
 */
export function closeContours(list: readonly number[], open: () => void): Paths64 {
  const startsAt = new Map<number, number[]>();
  for (let i = 0; i < list.length; i += 4) {
    if (list[i] === list[i + 2] && list[i + 1] === list[i + 3]) continue;
    const key = keyOf(list[i] ?? 0, list[i + 1] ?? 0);
    const others = startsAt.get(key);
    if (others) others.push(i);
    else startsAt.set(key, [i]);
  }
  const contours: Paths64 = [];
  for (const [startKey, starting] of startsAt) {
    while (starting.length > 0) {
      const contour: Point[] = [];
      let key = startKey;
      do {
        const next = startsAt.get(key)?.pop();
        if (next === undefined) {
          open();
          contour.length = 0;
          break;
        }
        contour.push({ x: list[next] ?? 0, y: list[next + 1] ?? 0 });
        key = keyOf(list[next + 2] ?? 0, list[next + 3] ?? 0);
      } while (key !== startKey);
      if (contour.length >= 3) contours.push(contour);
    }
  }
  return contours;
}
