import { makeTraits } from '../makes/traits';
import type { FitReason } from '../model/fit';
import type { SlicedFacts } from '../model/sliced-facts';
import { fileReason } from './file-reason';
import type { TargetMachine } from './sliced';

/**
 * Commands that slicers write for objects, speed, pressure and progress. Firmware that does not know them ignores them.
 */
const ofSlicers = [
  'ACTIVATE_EXTRUDER',
  'EXCLUDE_OBJECT',
  'EXCLUDE_OBJECT_DEFINE',
  'EXCLUDE_OBJECT_END',
  'EXCLUDE_OBJECT_START',
  'SET_FAN_SPEED',
  'SET_PRESSURE_ADVANCE',
  'SET_PRINT_STATS_INFO',
  'SET_RETRACTION',
  'SET_VELOCITY_LIMIT',
  'TIMELAPSE_TAKE_FRAME',
];

const mostNamed = 5;

/**
 * Returns the named commands of a submitted file that the printer does not accept from a file. Only the owner knows
 * what a command does that neither slicers write nor the make is known for: a macro, or a command that moves, heats or
 * switches something unchecked.
 */
export function extendedReasons(facts: SlicedFacts, machine: TargetMachine): FitReason[] {
  const { make, name, capabilities } = machine;
  if (facts.extendedCommands.length === 0) return [];
  const { extendedCommands, takesMacros } = makeTraits[make];
  const own = capabilities.allowedMacros?.map((macro) => macro.toUpperCase()) ?? [];
  const known = new Set([...ofSlicers, ...extendedCommands, ...own]);
  const strange = facts.extendedCommands.filter((command) => !known.has(command.name));
  if (strange.length === 0) return [];
  const named = strange.slice(0, mostNamed).map((command) => `${command.name} in line ${command.line}`);
  const more = strange.length > mostNamed ? ` and ${strange.length - mostNamed} more` : '';
  return [
    fileReason(
      'extended_commands',
      `The G-code has commands that ${name} takes from no file: ${named.join(', ')}${more}.`,
      takesMacros
        ? `Take them out. If any file may call a macro of ${name}, add it to the allowed macros of its node.`
        : `Take them out, or slice the model for ${name}.`,
    ),
  ];
}

/** A printer that continues a line after a carriage return would read the following text differently from our check. */
export function lineEndReasons({ loneReturns }: SlicedFacts, { make, name }: TargetMachine): FitReason[] {
  if (!makeTraits[make].readsPastReturns || loneReturns === 0) return [];
  const text = `The G-code has ${loneReturns} lines that end with a carriage return alone, which ${name} reads otherwise.`;
  return [
    fileReason('line_ends', text, 'Save it with line feeds (Unix) or with both (Windows), or slice the model again.'),
  ];
}
