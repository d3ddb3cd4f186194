import type { PlanningJob, Snapshot } from './snapshot';

/**
 * For each copy that is to be planned, when the first part of its kit is done, planned ones and those under way
 * together: from then on the kit lies about unfinished. 0 if a part is done already, null for a job without a kit.
 * @param copies the jobs, one entry for each copy
 * @param ends the planned end of each, minutes from now; undefined if unknown
 */
export function beginningsOfKits(
  snapshot: Snapshot,
  copies: readonly PlanningJob[],
  ends: readonly (number | undefined)[],
): (number | null)[] {
  const first = new Map<string, number>();
  const note = (kit: string, end: number): void => {
    first.set(kit, Math.max(0, Math.min(end, first.get(kit) ?? Number.POSITIVE_INFINITY)));
  };
  for (const { busy } of snapshot.printers) {
    if (busy?.kit !== undefined) note(busy.kit, (busy.until - snapshot.now) / 60_000);
  }
  for (const [index, { kit }] of copies.entries()) {
    if (!kit) continue;
    const end = ends[index];
    if (kit.partsDone > 0) note(kit.id, 0);
    else if (end !== undefined) note(kit.id, end);
  }
  return copies.map(({ kit }) => (kit ? (first.get(kit.id) ?? null) : null));
}
