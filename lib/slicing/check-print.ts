import { extendedReasons, lineEndReasons } from '../fit/extended';
import {
  filamentReasons,
  flaws,
  machineReasons,
  modelReasons,
  nozzlesOf,
  temperatureReasons,
  wrappingReasons,
} from '../fit/sliced';
import type { PrintDemands } from '../fit/subject';
import { takesArchives } from '../makes/traits';
import { PlatewiseError } from '../model/errors';
import type { FitReason } from '../model/fit';
import type { SlicedFacts } from '../model/sliced-facts';
import type { SlicingMachine } from './slicer';

/** A print file that must not be sent to this printer. */
export class UnprintableFileError extends PlatewiseError {
  constructor(message: string, remedy: string) {
    super(message, { code: 'unprintable_file', remedy });
  }

  /** The error that names all of these reasons. */
  static because(reasons: readonly FitReason[]): UnprintableFileError {
    const once = (texts: string[]): string => [...new Set(texts)].join(' ');
    return new UnprintableFileError(once(reasons.map(({ text }) => text)), once(reasons.map(({ remedy }) => remedy)));
  }
}

/**
 * Checks that G-code may be sent to a machine: it extrudes, inside the build volume, within the machine's temperatures,
 * with valid numbers, to its end, with the tool that the chosen slot feeds, and changes nothing of the machine itself.
 * Statements of the slicer about its output are not trusted for this.
 *
 * @param origin an uploaded file is also compared with what it says of itself: machine model, filament
 * @param form what of it is: an archive names its filaments, plain G-code is wrapped where a printer takes archives
 * @throws UnprintableFileError with every reason
 */
export function checkPrint(
  facts: SlicedFacts,
  machine: SlicingMachine,
  demands: PrintDemands,
  origin: 'uploaded' | 'sliced here',
  form: 'gcode' | 'gcode_3mf',
): void {
  const target = { name: machine.printerId, make: machine.make, capabilities: machine.capabilities };
  const isWrapped = takesArchives(machine.make) && form === 'gcode';
  // G-code that is sliced here to be wrapped has one filament, the first, and is wrapped for the nozzle of the chosen
  // slot.
  const named = isWrapped && origin === 'sliced here' ? [] : nozzlesOf(facts, machine.make);
  const reasons = [
    ...flaws(facts),
    ...(origin === 'uploaded'
      ? [
          ...filamentReasons(facts, demands),
          ...modelReasons(facts, target, demands.acceptUnknownMachine),
          ...extendedReasons(facts, target),
          ...lineEndReasons(facts, target),
        ]
      : temperatureReasons(facts, demands.material)),
    ...machineReasons(facts, target, named.length > 0 ? named : [machine.tool], demands.acceptUnknownMachine),
    ...otherTools(facts, machine, named),
    ...(isWrapped ? wrappingReasons(facts, machine.printerId) : []),
  ];
  if (reasons.length > 0) throw UnprintableFileError.because(reasons);
}

/** Filament would come from another slot than the one that is reserved. */
function otherTools(facts: SlicedFacts, machine: SlicingMachine, named: readonly number[]): FitReason[] {
  const others = named.filter((tool) => tool !== machine.tool);
  if (others.length === 0 || facts.extrudingMoves === 0) return [];
  return [
    {
      code: 'tool',
      text: `The G-code prints with tool ${others.join(' and ')}, the filament is at tool ${machine.tool} of ${machine.printerId}.`,
      remedy: 'Slice it for the tool that the slot feeds.',
      whose: 'file',
      permanent: true,
    },
  ];
}
