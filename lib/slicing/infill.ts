import type { InfillPattern } from '../model/settings';
import type { Paths64, Point } from './layers';

/** A line of infill. */
export type Stroke = [Point, Point];

/**
 * Parallel lines that fill areas (micrometres), on one grid for all layers. Lines of neighbouring rows that lie side by
 * side are joined to a run, drawn to and fro; between two runs the nozzle travels.
 *
 * @param offset by which the grid is shifted across the lines
 */
export function fillWithLines(
  areas: Paths64,
  angle: number,
  spacing: number,
  shortest: number,
  offset = 0,
): Stroke[][] {
  const cosine = Math.cos(angle);
  const sine = Math.sin(angle);
  const back = (u: number, v: number): Point => ({ x: u * cosine - v * sine, y: u * sine + v * cosine });
  const runs: Stroke[][] = [];
  let open: { run: Stroke[]; from: number; to: number; row: number }[] = [];
  for (const [row, crossings] of [...rowsOf(areas, cosine, sine, spacing, offset)].sort((a, b) => a[0] - b[0])) {
    crossings.sort((a, b) => a - b);
    const v = row * spacing + offset;
    const continued: typeof open = [];
    for (let i = 0; i + 1 < crossings.length; i += 2) {
      const from = crossings[i] ?? 0;
      const to = crossings[i + 1] ?? 0;
      if (to - from < shortest) continue;
      const at = open.findIndex((each) => each.row === row - 1 && each.from < to && each.to > from);
      const run = at >= 0 ? (open.splice(at, 1)[0]?.run ?? []) : [];
      if (at < 0) runs.push(run);
      const forward = run.length % 2 === 0;
      run.push(forward ? [back(from, v), back(to, v)] : [back(to, v), back(from, v)]);
      continued.push({ run, from, to, row });
    }
    open = continued;
  }
  return runs;
}

/**
 * Sparse infill of a share of an area. Where lines run in several directions in each layer, each direction has its part of
 * the share.
 *
 * @param height of the layer's middle, in the unit of the plane
 */
export function fillSparsely(
  areas: Paths64,
  pattern: InfillPattern,
  share: number,
  layer: { index: number; height: number; spacing: number; shortest: number },
): Stroke[][] {
  const { index, height, spacing, shortest } = layer;
  const lines = (angles: readonly number[], shifts: readonly number[] = []) =>
    angles.flatMap((angle, at) =>
      fillWithLines(areas, angle, (spacing * angles.length) / share, shortest, shifts[at] ?? 0),
    );
  const diagonal = Math.PI / 4;
  const thirds = [0, Math.PI / 3, (2 * Math.PI) / 3];
  switch (pattern) {
    case 'rectilinear':
    case 'lines':
      return lines([index % 2 === 0 ? diagonal : 3 * diagonal]);
    case 'triangles':
      return lines(thirds);
    case 'cubic': {
      // the faces of cubes that stand on a corner: three sets of planes, each as steep as the next
      const shift = height * Math.SQRT1_2;
      return lines(thirds, [shift, -shift, shift]);
    }
    default:
      return lines([diagonal, 3 * diagonal]);
  }
}

/** Where each row (v = row · spacing + offset, in the turned plane) crosses the outlines. */
function rowsOf(areas: Paths64, cosine: number, sine: number, spacing: number, offset: number): Map<number, number[]> {
  const rows = new Map<number, number[]>();
  for (const path of areas) {
    let previous = path.at(-1);
    for (const point of path) {
      if (previous) {
        const u0 = previous.x * cosine + previous.y * sine;
        const v0 = previous.y * cosine - previous.x * sine - offset;
        const u1 = point.x * cosine + point.y * sine;
        const v1 = point.y * cosine - point.x * sine - offset;
        const first = Math.ceil(Math.min(v0, v1) / spacing);
        const top = Math.max(v0, v1);
        // a row through a vertex belongs to the edge above it only
        for (let row = first; row * spacing < top; row++) {
          const crossing = u0 + ((u1 - u0) * (row * spacing - v0)) / (v1 - v0);
          const list = rows.get(row);
          if (list) list.push(crossing);
          else rows.set(row, [crossing]);
        }
      }
      previous = point;
    }
  }
  return rows;
}
