import { isActive, type PrinterReport } from '../../model/printer';
import type { PreflightFailure, StartOrder } from '../driver';
import { dualExtruderModule, type Module, moduleNormal } from './commands';

/** Checks an order against the machine's report. */
export function checkOrder(order: StartOrder, report: PrinterReport, modules: readonly Module[]): PreflightFailure[] {
  return [...checkToolHead(modules), ...checkIdle(report), ...checkSlots(order, report), ...checkFile(order)];
}

function checkToolHead(modules: readonly Module[]): PreflightFailure[] {
  const head = modules.find((module) => module.id === dualExtruderModule);
  if (head === undefined) {
    return [
      {
        check: 'tool_head',
        whose: 'printer',
        message: 'The tool head for printing is not mounted.',
        remedy: 'Mount the dual extruder.',
      },
    ];
  }
  if (head.status === moduleNormal) return [];
  return [
    {
      check: 'tool_head',
      whose: 'printer',
      message: `The tool head is not ready (status ${head.status}).`,
      remedy: 'Look at the touchscreen of the printer.',
    },
  ];
}

function checkIdle(report: PrinterReport): PreflightFailure[] {
  const failures: PreflightFailure[] = report.faults
    .filter((fault) => fault.blocking)
    .map((fault) => ({
      check: 'fault',
      whose: 'printer',
      message: fault.message,
      remedy: fault.remedy ?? 'Clear the fault at the printer.',
    }));
  if (report.state === 'idle') return failures;
  if (report.state === 'fault') {
    failures.push({
      check: 'fault',
      whose: 'printer',
      message: report.message ?? 'The printer is stopped.',
      remedy: 'Release the emergency stop and restart the printer.',
    });
    return failures;
  }
  const message = isActive(report.state) ? 'A job runs.' : 'The printer is not ready.';
  return [
    ...failures,
    { check: 'not_busy', whose: 'printer', only: 'moment', message, remedy: 'Wait until the printer is idle.' },
  ];
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
          message: `The printer has no nozzle "${name}".`,
          remedy: 'Choose one of the nozzles that it reports.',
        },
      ];
    }
    if (slot.present !== false) return [];
    const message = `There is no filament at ${name}.`;
    return [{ check: 'filament', whose: 'job', message, remedy: 'Load filament there.' }];
  });
}

function checkFile(order: StartOrder): PreflightFailure[] {
  const { fileName } = order.identity;
  if (/^[A-Za-z0-9_-][A-Za-z0-9._-]*\.gcode$/.test(fileName) && fileName.length <= 127) return [];
  return [
    {
      check: 'file_name',
      whose: 'file',
      message: `The printer does not take the file name "${fileName}".`,
      remedy: 'Use at most 127 of the characters A-Z, a-z, 0-9, ".", "_", "-" and the extension .gcode.',
    },
  ];
}
