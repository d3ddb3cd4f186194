import type { Ending, PrinterFault, PrinterState, ReportedSlot, Temperature, ToolHead } from '../../model/printer';
import { fraction } from '../values';
import { faultCode } from './codes';
import { type BedZone, type MachineFault, type Module, moduleNormal, type Nozzle } from './commands';

/** The meanings of the status byte. 6 and 8 are the final phases of a job on sister models. */
export function mapStatus(status: number): PrinterState {
  switch (status) {
    case 0:
      return 'idle';
    case 1:
    case 9:
      return 'preparing';
    case 2:
    case 10:
      return 'printing';
    case 3:
    case 4:
      return 'paused';
    case 11:
      return 'fault';
    default:
      return 'busy';
  }
}

/** Whether the machine works on a job, its last movements included. */
export function hasJob(status: number): boolean {
  return (status >= 1 && status <= 5) || status === 7 || status === 9 || status === 10;
}

/** How a job ended, by the machine's code for the stop; undefined for reasons of a pause. */
export function endingOfIssue(code: number): Ending | undefined {
  switch (code) {
    case 0:
      return 'finished';
    case 12:
      return 'cancelled';
    case 4:
    case 5:
    case 6:
    case 8:
    case 20:
    case 22:
      return 'failed';
    default:
      return undefined;
  }
}

/** A filament run-out only stops jobs that use that extruder; everything else needs an operator first. */
export function mapFault(fault: MachineFault): PrinterFault {
  const code = `${fault.owner}/${fault.state}`;
  const { words, remedy, blocking } = faultCode(code);
  return { code, message: words, remedy, blocking };
}

/** Replies to a start that mean that it is not carried out. */
const startRefusals: Readonly<Record<number, string>> = {
  6: 'The printer did not understand the start.',
  13: 'The printer is not idle.',
  200: 'The file is not on the printer.',
  201: 'The printer cannot read the file.',
  202: 'The printer cannot prepare the file.',
};

export function startRefusal(result: number): string | undefined {
  return result === 0 ? undefined : (startRefusals[result] ?? `The printer refused the start (${result}).`);
}

const resultTexts: Readonly<Record<number, string>> = {
  11: 'it is busy',
  13: 'it is in another state',
  17: 'another request is in progress',
  205: 'no job runs',
  206: 'the job is not paused',
  222: 'there is no filament',
  227: 'the door of the enclosure is open',
};

export function resultText(result: number): string {
  return resultTexts[result] ?? `result ${result}`;
}

export function mapTemperatures(nozzles: readonly Nozzle[], zones: readonly BedZone[]): Temperature[] {
  const number = (index: number): string => (index === 0 ? '' : String(index));
  return [
    ...nozzles.map(({ index, current, target }) => ({ name: `nozzle${number(index)}`, current, target })),
    ...zones.map(({ zone, current, target }) => ({ name: `bed${number(zone)}`, current, target })),
  ];
}

export function mapSlots(nozzles: readonly Nozzle[]): ReportedSlot[] {
  return nozzles.map(({ index, filament }) => ({ slot: `nozzle${index}`, tool: index, present: filament }));
}

/** The meanings of the ids of modules that can be mounted as a tool head. */
const heads: Readonly<Record<number, ToolHead['kind']>> = {
  13: 'extruder',
  14: 'laser',
  19: 'laser',
  20: 'laser',
  23: 'laser',
  15: 'cnc',
};

export function mapToolHead(modules: readonly Module[], nozzles: readonly Nozzle[]): ToolHead {
  const head = modules.find((module) => heads[module.id] !== undefined);
  const kind = head === undefined ? 'none' : (heads[head.id] ?? 'none');
  const ready = kind === 'extruder' && head?.status === moduleNormal;
  return { kind, ready, nozzleDiameters: kind === 'extruder' ? nozzles.map(({ diameter }) => diameter) : [] };
}

/** Progress by lines; the machine reports no percentage. */
export function lineProgress(line: number | undefined, total: number | undefined): number | null {
  return line === undefined || total === undefined || total === 0 ? null : fraction(line / total);
}

/** Remaining minutes as the machine's own screen computes them: the slicer's estimate gives way to the time taken. */
export function remainingMinutes(
  progress: number | null,
  elapsedSeconds: number | undefined,
  estimatedSeconds: number | null,
): number | null {
  if (progress === null || elapsedSeconds === undefined) return null;
  const open = 1 - progress;
  if (estimatedSeconds !== null) return (open * elapsedSeconds + open * open * estimatedSeconds) / 60;
  return progress > 0.05 ? (elapsedSeconds * open) / progress / 60 : null;
}

/** Whether the last reported line means that the file is complete: the count stops a little early. */
export function reachedEnd(line: number | undefined, total: number | undefined): boolean {
  if (line === undefined || total === undefined || total === 0) return false;
  return Math.abs(line - total) <= Math.min(5, Math.ceil(total * 0.01));
}
