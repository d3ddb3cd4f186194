import type { GcodeFacts } from '../gcode-duration';
import type { Machine } from '../machine';
import type { Feed } from '../print-run';
import { SimulatorRequestError } from '../request-error';
import type { ToolRules } from '../tool-use';
import type { Profile } from './profiles';
import type { MoonrakerState } from './state';

const MOST_EXTRUDERS = 8;

/** Klipper's name of an extruder. */
export function extruderName(tool: number): string {
  return tool === 0 ? 'extruder' : `extruder${tool}`;
}

/**
 * How many extruders the configuration has that a file can pick.
 * @throws SimulatorRequestError
 */
export function pickableExtruders(profile: Profile, wanted: number | undefined): number {
  const count = wanted ?? 1;
  if (!Number.isInteger(count) || count < 1 || count > MOST_EXTRUDERS) {
    throw new SimulatorRequestError(`A printer has 1 to ${MOST_EXTRUDERS} extruders, not ${count}.`);
  }
  if (count > 1 && profile.gigaMacros) {
    throw new SimulatorRequestError("A Giga's heads ride together (POST /heads). The profile modern has extruders.");
  }
  return count;
}

/** How many extruders there are, by the options or, on a Giga, by the heads that its configuration is made for. */
export function extruderCount({ options, extra }: Machine<MoonrakerState>): number {
  return Math.max(options.extruders ?? 1, extra.heads);
}

/** Klipper's handling of the tool words of a file. With one extruder, T0 and T1 are unknown commands. */
export function klipperTools(machine: Machine<MoonrakerState>): ToolRules {
  const selectable = (machine.options.extruders ?? 1) > 1;
  return { firmware: 'klipper', count: extruderCount(machine), selectable, first: 0 };
}

/** Each extruder is its own slot; heads that ride together all print the same. */
export function klipperFeeds(machine: Machine<MoonrakerState>, facts: GcodeFacts): Feed[] {
  const together = Array.from({ length: machine.extra.heads }, (_, head) => head);
  return facts.extrusions.flatMap((extrusion) =>
    (machine.extra.heads > 1 ? together : [extrusion.tool]).map((tool) => ({
      ...extrusion,
      tool,
      slot: extruderName(tool),
    })),
  );
}
