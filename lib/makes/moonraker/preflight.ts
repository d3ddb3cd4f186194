import { isActive, type PrinterCapabilities, type PrinterReport } from '../../model/printer';
import type { PreflightFailure, StartOrder } from '../driver';
import { listOf, numberOf, objectOf } from '../values';
import type { PrinterObjects } from './state-mapping';

/** The printer's answers for a preflight. */
export interface PreflightFacts {
  report: PrinterReport;
  klippy: string;
  objects: PrinterObjects;
  /** Free bytes where print files are stored; undefined if unknown. */
  free: number | undefined;
  /** Jobs in the printer's own queue. */
  queued: number;
  /** The names of all sections in Klipper's configuration; undefined if unknown. */
  objectNames: readonly string[] | undefined;
}

/** Uploads pass through a temporary folder, so that the file is there twice for a moment. */
const storageFactor = 2;
/** With less than this, no useful file can be stored. */
const fullBytes = 20_000_000;

/** Checks an order against the printer's answers. */
export function checkOrder(
  order: StartOrder,
  facts: PreflightFacts,
  capabilities: PrinterCapabilities,
): PreflightFailure[] {
  const failures: PreflightFailure[] = [];
  const { report } = facts;
  if (facts.klippy !== 'ready') {
    failures.push({
      check: 'klippy_ready',
      whose: 'printer',
      message: report.message ?? `Klipper is ${facts.klippy}.`,
      remedy: report.remedy ?? 'Clear the error and restart the firmware at the printer.',
    });
  } else if (report.state !== 'idle') {
    failures.push({
      check: 'not_busy',
      whose: 'printer',
      only: 'moment',
      message: isActive(report.state) ? 'A job runs.' : 'The printer is not ready.',
      remedy: 'Wait until the printer is idle.',
    });
  }
  if (facts.free !== undefined && facts.free < order.file.size * storageFactor) {
    failures.push({
      check: 'storage',
      // A smaller file may still have room.
      whose: facts.free < fullBytes ? 'printer' : 'job',
      message: 'There is not enough free space on the printer.',
      remedy: 'Delete print files that are not needed any more.',
    });
  }
  if (facts.queued > 0) {
    failures.push({
      check: 'foreign_queue',
      whose: 'printer',
      message: `${facts.queued} jobs wait in the printer's own queue and may start at any time.`,
      remedy: 'Empty the job queue in Fluidd or Mainsail: two queues cannot run one printer.',
    });
  }
  failures.push(
    ...checkSlots(order, report),
    ...checkTool(order.tool, facts.objectNames),
    ...checkReach(facts.objects, capabilities),
    ...checkFile(order),
  );
  return failures;
}

function checkSlots(order: StartOrder, report: PrinterReport): PreflightFailure[] {
  return order.slots.flatMap((name): PreflightFailure[] => {
    if (name === '' || name === '-') return [];
    const slot = report.slots.find((candidate) => candidate.slot === name);
    if (slot === undefined) {
      return [
        {
          check: 'slot',
          whose: 'job',
          message: `The printer has no extruder "${name}".`,
          remedy: 'Choose one of the extruders that it reports.',
        },
      ];
    }
    if (slot.present !== false) return [];
    const message = 'The filament sensor finds no filament.';
    return [{ check: 'filament', whose: 'printer', only: 'slot', message, remedy: 'Load filament.' }];
  });
}

/** Klipper itself has no `T1`: without a macro of that name it continues with the active extruder. */
function checkTool(tool: number, objectNames: readonly string[] | undefined): PreflightFailure[] {
  const macro = `gcode_macro t${tool}`;
  if (tool === 0 || objectNames === undefined || objectNames.some((name) => name.toLowerCase() === macro)) return [];
  return [
    {
      check: 'tool_macro',
      whose: 'printer',
      only: 'slot',
      message: `Klipper has no macro T${tool}: it would print with another extruder.`,
      remedy: `Define [gcode_macro T${tool}] in the printer's configuration, which activates the extruder.`,
    },
  ];
}

/** The Giga's travel shrinks with the number of heads that its configuration is made for. */
function checkReach(objects: PrinterObjects, capabilities: PrinterCapabilities): PreflightFailure[] {
  const reach = listOf(objectOf(objects.toolhead).axis_maximum).map(numberOf);
  const wanted = [capabilities.buildVolume.max.x, capabilities.buildVolume.max.y, capabilities.buildVolume.max.z];
  return wanted.flatMap((limit, axis) => {
    const most = reach[axis];
    if (most === undefined || most >= limit) return [];
    return [
      {
        check: 'build_volume',
        whose: 'printer',
        message: `The ${'XYZ'.charAt(axis)} axis reaches ${most} mm at most, ${limit} mm are configured.`,
        remedy: "Use the printer's configuration for one head, or change the build volume here.",
      },
    ];
  });
}

function checkFile(order: StartOrder): PreflightFailure[] {
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*\.gcode$/.test(order.identity.fileName)) return [];
  return [
    {
      check: 'file_name',
      whose: 'file',
      message: `The printer does not take the file name "${order.identity.fileName}".`,
      remedy: 'Use the characters A-Z, a-z, 0-9, ".", "_", "-" and the extension .gcode.',
    },
  ];
}
