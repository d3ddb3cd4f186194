/**
 * Writes the point where the edge p→q crosses the plane at z: as the end of a line if the edge goes up, as its start if it goes down.
 * A vertex on the plane counts as above it. The point is computed from the lower end, so that both triangles at the edge get the same.
 *
 * @param list lines of four numbers (x, y, x, y); this one starts at `at`
 * @returns the index of the point in the list; -1: the edge does not cross the plane
 */
export function crossing(
  list: number[],
  at: number,
  px: number,
  py: number,
  pz: number,
  qx: number,
  qy: number,
  qz: number,
  z: number,
): number {
  const up = pz < z && qz >= z;
  const down = pz >= z && qz < z;
  if (!up && !down) return -1;
  const share = up ? (z - pz) / (qz - pz) : (z - qz) / (pz - qz);
  const to = at + (up ? 2 : 0);
  list[to] = up ? px + (qx - px) * share : qx + (px - qx) * share;
  list[to + 1] = up ? py + (qy - py) * share : qy + (py - qy) * share;
  return to;
}
