import { isActive, type PrinterCapabilities, type PrinterReport } from '../../model/printer';
import type { PreflightFailure, StartOrder } from '../driver';
import type { JsonObject } from '../values';
import { parseSlot } from './commands';
import {
  busyReason,
  developerMode,
  extruderOfSlot,
  hasCuttingTool,
  isDrying,
  isDualNozzle,
  nozzleDiameters,
  storageState,
} from './report-mapping';
import { type SlicedFor, slotsOfProject } from './sliced-file';

/** Checks an order against the printer's report. */
export function checkOrder(
  order: StartOrder,
  print: JsonObject,
  report: PrinterReport,
  capabilities: PrinterCapabilities,
  slicedFor: SlicedFor,
): PreflightFailure[] {
  return [
    ...checkAccess(print),
    ...checkIdle(print, report),
    ...checkHardware(print, report, capabilities, slicedFor),
    ...checkFile(order),
    ...checkFilaments(order, print, report, slicedFor),
    ...checkNozzles(print, slicedFor),
  ];
}

function checkFilaments(
  order: StartOrder,
  print: JsonObject,
  report: PrinterReport,
  slicedFor: SlicedFor,
): PreflightFailure[] {
  const slots = slotsOfProject(order.slots, slicedFor);
  if (slots === undefined) {
    return [
      {
        check: 'filaments',
        whose: 'job',
        message: `The plate uses ${slicedFor.filaments.length} filaments, and ${order.slots.length} slots are given.`,
        remedy: 'Name one slot for each filament of the plate, in the order of the file.',
      },
    ];
  }
  return slots.flatMap((slot, index) => checkSlot(slot, print, report, slicedFor.extruders[index]));
}

function checkAccess(print: JsonObject): PreflightFailure[] {
  if (developerMode(print) !== false) return [];
  return [
    {
      check: 'developer_mode',
      whose: 'printer',
      message: 'Developer Mode is off: the printer refuses commands from the network.',
      remedy: "Switch on LAN Only Mode and Developer Mode in the printer's network settings.",
    },
  ];
}

function checkIdle(print: JsonObject, report: PrinterReport): PreflightFailure[] {
  if (report.state === 'idle' || report.state === 'fault') return [];
  const reason = isActive(report.state) ? 'A job runs.' : (busyReason(print) ?? 'The printer is not ready.');
  return [
    { check: 'not_busy', whose: 'printer', only: 'moment', message: reason, remedy: 'Wait until the printer is idle.' },
  ];
}

const storageTexts = {
  missing: 'There is no storage in the printer.',
  faulty: 'The storage in the printer is damaged or of a kind that it cannot read.',
  read_only: 'The storage in the printer cannot be written to.',
} as const;

function checkHardware(
  print: JsonObject,
  report: PrinterReport,
  capabilities: PrinterCapabilities,
  slicedFor: SlicedFor,
): PreflightFailure[] {
  const failures: PreflightFailure[] = [];
  const storage = storageState(print);
  if (storage !== undefined && storage !== 'present') {
    failures.push({
      check: 'storage',
      whose: 'printer',
      message: storageTexts[storage],
      remedy:
        'Put a USB stick, formatted as FAT32 or exFAT, with free space and not write-protected, into the printer.',
    });
  }
  if (hasCuttingTool(print)) {
    failures.push({
      check: 'tool',
      whose: 'printer',
      message: 'A laser or cutting module is mounted.',
      remedy: 'Take the module off.',
    });
  }
  // A file that was sliced for the mounted nozzles prints, whatever the configuration says.
  const known = [...capabilities.nozzleDiameters, ...(capabilities.nozzleChoices ?? []), ...slicedFor.nozzleDiameters];
  for (const diameter of nozzleDiameters(print)) {
    if (known.some((one) => isSameNozzle(one, diameter))) continue;
    failures.push({
      check: 'nozzle',
      whose: 'printer',
      message: `A nozzle of ${diameter} mm is mounted; the printer is set up with ${capabilities.nozzleDiameters.join(' and ')} mm.`,
      remedy: 'Mount the nozzle that the printer is configured with, or change its configuration.',
    });
  }
  for (const fault of report.faults.filter((candidate) => candidate.blocking)) {
    failures.push({
      check: 'fault',
      whose: 'printer',
      message: fault.message,
      remedy: fault.remedy ?? `Look up ${fault.code} at the printer and clear it.`,
    });
  }
  return failures;
}

const isSameNozzle = (one: number, other: number): boolean => Math.abs(one - other) < 0.001;

function checkFile(order: StartOrder): PreflightFailure[] {
  const { fileName } = order.identity;
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*\.gcode\.3mf$/.test(fileName) && fileName.length <= 100) return [];
  return [
    {
      check: 'file_name',
      whose: 'file',
      message: `The printer does not take the file name "${fileName}".`,
      remedy: 'Use at most 100 of the characters A-Z, a-z, 0-9, ".", "_", "-" and the extension .gcode.3mf.',
    },
  ];
}

/** The nozzles that the file was sliced for must be mounted; the mapping decides which side has which. */
function checkNozzles(print: JsonObject, slicedFor: SlicedFor): PreflightFailure[] {
  const mounted = nozzleDiameters(print);
  if (mounted.length === 0) return [];
  return [...new Set(slicedFor.nozzleDiameters)].flatMap((wanted) => {
    if (mounted.some((diameter) => isSameNozzle(diameter, wanted))) return [];
    const message = `The file was sliced for a nozzle of ${wanted} mm; mounted: ${mounted.join(' and ')} mm.`;
    const remedy = 'Mount the nozzle, or slice for the one that is mounted.';
    return [{ check: 'nozzle', whose: 'file', message, remedy }];
  });
}

function checkSlot(
  name: string,
  print: JsonObject,
  report: PrinterReport,
  wantedExtruder: number | undefined,
): PreflightFailure[] {
  const slot = parseSlot(name);
  const unknown: PreflightFailure = {
    check: 'slot',
    whose: 'job',
    message: `The printer has no slot "${name}".`,
    remedy: 'Choose one of the slots that it reports.',
  };
  if (slot === undefined) return [unknown];
  if (slot.kind === 'none') return [];
  if (slot.kind === 'external') {
    return slot.side === 'left' && !isDualNozzle(print) ? [unknown] : checkExtruder(name, print, wantedExtruder);
  }
  const reported = report.slots.find((candidate) => candidate.slot === name);
  if (reported === undefined) return [unknown];
  if (reported.present === false || reported.materialType === undefined) {
    return [
      {
        check: 'slot_empty',
        whose: 'job',
        message: `There is no known filament in slot ${name}.`,
        remedy: 'Load filament there and tell the printer its type.',
      },
    ];
  }
  if (isDrying(print, slot.unit)) {
    return [
      {
        check: 'drying',
        whose: 'printer',
        only: 'slot',
        message: `The AMS of slot ${name} is drying its filament.`,
        remedy: "Wait for the end of the drying, or end it at the printer's screen.",
      },
    ];
  }
  return checkExtruder(name, print, wantedExtruder);
}

/** On a machine with two nozzles each filament must come from the side that the file was sliced for. */
function checkExtruder(name: string, print: JsonObject, wanted: number | undefined): PreflightFailure[] {
  if (!isDualNozzle(print)) return [];
  const side = (extruder: number): string => (extruder === 0 ? 'right' : 'left');
  const actual = extruderOfSlot(print, name);
  if (actual === undefined) {
    return [
      {
        check: 'extruder',
        whose: 'printer',
        only: 'slot',
        message: `The AMS of slot ${name} is not set up on either nozzle.`,
        remedy: "Set up the AMS at the printer's screen.",
      },
    ];
  }
  if (wanted === undefined || wanted === actual) return [];
  return [
    {
      check: 'extruder',
      whose: 'job',
      message: `Slot ${name} feeds the ${side(actual)} nozzle, the file was sliced for the ${side(wanted)} one.`,
      remedy: `Choose a slot on the ${side(wanted)} nozzle, or slice for the other one.`,
    },
  ];
}
