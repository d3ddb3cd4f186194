import { type Filament, gramsOf } from './filament';
import type { Feed, PrintRun, Span } from './print-run';
import { extrudedBy } from './tool-use';
import type { TruthTool } from './truth-log';

/**
 * Returns the extrusion of each tool between the beginning of a print and a share of its printing time (0..1). A spool
 * that was changed during the print makes two entries for its tool. An empty slot gives an entry without a material.
 */
export function extrudedTools(run: Pick<PrintRun, 'job' | 'fed'>, until: number): TruthTool[] {
  const found = new Map<string, TruthTool>();
  for (const feed of run.job.feeds ?? []) {
    for (const { filament, millimetres } of spansOf(feed, run.fed, until)) {
      if (millimetres <= 0) continue;
      const material = filament?.material ?? null;
      const key = `${feed.tool}/${material}`;
      const grams = (found.get(key)?.grams ?? 0) + (filament === null ? 0 : gramsOf(millimetres, filament));
      found.set(key, { tool: feed.tool, material, grams });
    }
  }
  return [...found.values()]
    .map(({ grams, ...entry }) => ({ ...entry, grams: Math.round(grams * 1000) / 1000 }))
    .sort((a, b) => a.tool - b.tool);
}

function spansOf(
  feed: Feed,
  fed: Record<string, Span[]> | undefined,
  until: number,
): { filament: Filament | null; millimetres: number }[] {
  const spans = (feed.slot === null ? undefined : fed?.[feed.slot]) ?? [{ from: 0, filament: null }];
  return spans.map(({ from, filament }, index) => {
    const end = Math.min(until, spans[index + 1]?.from ?? until);
    return { filament, millimetres: end <= from ? 0 : extrudedBy(feed, end) - extrudedBy(feed, from) };
  });
}
