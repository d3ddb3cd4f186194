import { asError } from '../model/errors';
import type { Make, PrinterCapabilities, PrinterReport } from '../model/printer';
import type { Driver, PreflightFailure, StartOrder } from './driver';
import { makeTraits } from './traits';

/** What a driver sees of a printer, and whether it is ready for jobs. */
export interface Probe {
  ready: boolean;
  make: Make;
  host: string;
  /** The report without process-internal values; null if there was none. */
  report: object | null;
  /** The failed checks, each with its remedy. */
  checks: PreflightFailure[];
}

/**
 * For a printer without a configuration nothing is assumed, so that no check finds it smaller or colder than expected.
 */
export const undescribedPrinter: PrinterCapabilities = {
  buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 0, y: 0, z: 0 } },
  nozzleDiameters: [0.2, 0.4, 0.6, 0.8, 1],
  maxNozzleTemperature: 0,
  maxBedTemperature: 0,
  materialTypes: [],
  speedFactor: 1,
  usdPerHour: 0,
};

/** The printer's report, or why there is none. */
export type FirstAnswer = { report: PrinterReport } | { problem: PreflightFailure };

/** Opens the driver and waits for its first report, a refusal, or the time limit (ms). */
export async function connect(driver: Driver, timeoutMs: number): Promise<FirstAnswer> {
  let decide: () => void = () => undefined;
  const decided = new Promise<void>((resolve) => {
    decide = resolve;
  });
  let reason: Error | undefined;
  const look = (): void => {
    const { connection } = driver;
    if (connection.status === 'disconnected') reason = connection.reason ?? reason;
    if (connection.status === 'refused' || (connection.status === 'connected' && driver.report)) decide();
  };
  driver.on('connection', look);
  driver.on('report', look);
  const timer = setTimeout(decide, timeoutMs);
  driver.open();
  look();
  await decided;
  clearTimeout(timer);
  driver.off('connection', look);
  driver.off('report', look);
  const { connection, report } = driver;
  if (connection.status === 'connected' && report) return { report };
  if (connection.status === 'refused') {
    const { message, remedy, code } = connection.error;
    return { problem: { check: code, whose: 'printer', message, remedy } };
  }
  return {
    problem: {
      check: 'connection',
      whose: 'printer',
      message: `The printer did not answer within ${timeoutMs / 1000} s.${reason === undefined ? '' : ` ${reason.message}`}`,
      remedy: 'Check that it is switched on, on this network, and that address and port are right.',
    },
  };
}

/** Connects, unless the driver already is, and runs every check that needs no job. */
export async function probe(driver: Driver, host: string, timeoutMs: number): Promise<Probe> {
  const answer = await connect(driver, timeoutMs);
  const checks = 'problem' in answer ? [answer.problem] : await failures(driver);
  const report = 'problem' in answer ? undefined : (driver.report ?? answer.report);
  return {
    ready: checks.length === 0 && report?.state === 'idle',
    make: driver.make,
    host,
    report: report === undefined ? null : shownReport(report),
    checks,
  };
}

/** Removes process-internal values from a report. */
export function shownReport(report: PrinterReport): object {
  const { receivedAt: _receivedAt, timeScale: _timeScale, ...rest } = report;
  return rest;
}

/** The order for the checks before a start when there is no file yet. */
function nothing(make: Make): StartOrder {
  return {
    identity: {
      attemptId: '',
      fileName: `probe${makeTraits[make].printFile.extension}`,
      taskId: 1,
      sha256: '',
      md5: '',
    },
    file: { path: '', size: 0, sha256: '', md5: '', lines: 0, estimatedSeconds: null },
    slots: [],
    tool: 0,
    plate: 1,
  };
}

async function failures(driver: Driver): Promise<PreflightFailure[]> {
  try {
    return await driver.preflight(nothing(driver.make));
  } catch (error) {
    const message = asError(error).message;
    const remedy = 'Try again; look at the printer if it stays like this.';
    return [{ check: 'preflight', whose: 'printer', message, remedy }];
  }
}
