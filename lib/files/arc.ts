/** An arc in the XY plane, mm. */
export interface Arc {
  /** Points along it, ending with its end point. */
  points: [number, number][];
  /** Its extreme points in X and Y. */
  extremes: [number, number][];
}

/**
 * The arc by G2 or G3 from one point to another about a centre; a full circle if both are the same.
 *
 * @returns undefined if there is none: no radius
 */
export function arcAbout(
  centreX: number,
  centreY: number,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  clockwise: boolean,
): Arc | undefined {
  const radius = Math.hypot(x0 - centreX, y0 - centreY);
  if (!(radius > 1e-6)) return undefined;
  const begin = Math.atan2(y0 - centreY, x0 - centreX);
  let sweep = Math.atan2(y1 - centreY, x1 - centreX) - begin;
  if (clockwise && sweep >= -1e-9) sweep -= 2 * Math.PI;
  if (!clockwise && sweep <= 1e-9) sweep += 2 * Math.PI;
  const pointAt = (angle: number): [number, number] => [
    centreX + radius * Math.cos(angle),
    centreY + radius * Math.sin(angle),
  ];
  const extremes: [number, number][] = [];
  const low = Math.min(begin, begin + sweep);
  const high = Math.max(begin, begin + sweep);
  for (let quarter = Math.ceil(low / (Math.PI / 2)); quarter * (Math.PI / 2) <= high; quarter++) {
    extremes.push(pointAt((quarter * Math.PI) / 2));
  }
  const count = Math.max(2, Math.min(32, Math.ceil(Math.abs(sweep) * radius)));
  const points: [number, number][] = [];
  for (let i = 1; i < count; i++) points.push(pointAt(begin + (sweep * i) / count));
  points.push([x1, y1]);
  return { points, extremes };
}

/** The centre of the arc by its radius (R of G2 and G3; negative for the longer arc), undefined for a full circle. */
export function centreByRadius(
  signedRadius: number,
  [x0, y0]: readonly [number, number],
  [x1, y1]: readonly [number, number],
  clockwise: boolean,
): [number, number] | undefined {
  const halfChord = Math.hypot(x1 - x0, y1 - y0) / 2;
  if (halfChord === 0) return undefined;
  const height = Math.sqrt(Math.max(signedRadius * signedRadius - halfChord * halfChord, 0));
  const side = clockwise === signedRadius > 0 ? 1 : -1;
  return [
    (x0 + x1) / 2 + (side * height * (y1 - y0)) / (2 * halfChord),
    (y0 + y1) / 2 - (side * height * (x1 - x0)) / (2 * halfChord),
  ];
}
