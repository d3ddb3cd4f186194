import type { GcodeFacts } from '../gcode-duration';
import type { Machine } from '../machine';
import type { Feed, Interruption } from '../print-run';
import type { ToolRules } from '../tool-use';
import type { SnapmakerState } from './state';

/** The dual extruder: T0 and T1 pick its nozzles 0 and 1. */
export const ARTISAN_TOOLS: ToolRules = { firmware: 'marlin', count: 2, selectable: true, first: 0 };

export const NOZZLES = [0, 1] as const;

export function nozzleName(tool: number): string {
  return `nozzle${tool}`;
}

/** Each nozzle has its own spool. */
export function nozzleFeeds({ extrusions }: GcodeFacts): Feed[] {
  return extrusions.map((extrusion) => ({ ...extrusion, slot: nozzleName(extrusion.tool) }));
}

/** The sensor of an empty nozzle stops the print once it is to extrude there, as a run-out on the way does. */
export function emptyNozzles(machine: Machine<SnapmakerState>, feeds: readonly Feed[]): Interruption[] {
  return feeds
    .filter(({ slot }) => slot !== null && machine.filamentIn(slot) === null)
    .map(({ from }) => ({ stage: 'printing', at: from, kind: 'pause', cause: 'runout' }));
}
