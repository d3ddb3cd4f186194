import { createHash, randomInt, randomUUID } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ConnectionState, Driver, StartOrder, StartPermit } from '../../lib/makes/driver';
import type { PrinterCapabilities, PrinterReport } from '../../lib/model/printer';

export const capabilities: PrinterCapabilities = {
  buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 300, y: 300, z: 300 } },
  nozzleDiameters: [0.4],
  maxNozzleTemperature: 300,
  maxBedTemperature: 110,
  materialTypes: ['PLA', 'PETG'],
  speedFactor: 1,
  usdPerHour: 1,
};

/**
 * G-code of about this duration: moves of a known length at a known speed, in small layers.
 * @param tool the tool to heat and select; absent: the file names none
 */
export function gcodeLasting(seconds: number, tool?: number): string {
  const lines = [
    '; generated for a test',
    `; estimated printing time (normal mode) = ${Math.floor(seconds / 60)}m ${seconds % 60}s`,
    `;TIME:${seconds}`,
    'G21',
    'G90',
    'M83',
    'G28',
    ...(tool === undefined ? ['M104 S210'] : [`M104 T${tool} S210`, `T${tool}`]),
  ];
  const layers = Math.max(2, Math.ceil(seconds / 60));
  const movesPerLayer = 10;
  const length = (seconds * 50) / (layers * movesPerLayer);
  for (let layer = 0; layer < layers; layer++) {
    lines.push(';LAYER_CHANGE', `G1 Z${(0.2 * (layer + 1)).toFixed(2)} F3000`);
    for (let move = 0; move < movesPerLayer; move++) {
      lines.push(`G1 X${(move % 2 === 0 ? 10 + Math.min(length, 250) : 10).toFixed(2)} Y${10 + move} E1.2 F3000`);
    }
  }
  lines.push('M104 S0', 'M84');
  return `${lines.join('\n')}\n`;
}

/** A directory that is removed by `remove`. */
export async function temporaryDirectory(): Promise<{ path: string; remove(): Promise<void> }> {
  const path = await mkdtemp(join(tmpdir(), 'platewise-driver-'));
  return { path, remove: () => rm(path, { recursive: true, force: true }) };
}

/** An order for a file with this content. */
export async function orderFor(
  directory: string,
  content: Buffer | string,
  options: { extension: string; slots: string[]; estimatedSeconds?: number },
): Promise<StartOrder> {
  const bytes = Buffer.from(content);
  const attemptId = randomUUID();
  const fileName = `pw-${attemptId.slice(0, 8)}-part${options.extension}`;
  const path = join(directory, fileName);
  await writeFile(path, bytes);
  const sha256 = createHash('sha256').update(bytes).digest('hex');
  const md5 = createHash('md5').update(bytes).digest('hex');
  return {
    identity: { attemptId, fileName, taskId: randomInt(1, 2 ** 31 - 1), sha256, md5 },
    file: {
      path,
      size: bytes.length,
      sha256,
      md5,
      lines: bytes.toString('latin1').split('\n').length - 1,
      estimatedSeconds: options.estimatedSeconds ?? null,
    },
    slots: options.slots,
    tool: 0,
    plate: 1,
  };
}

/** A permit that lets an idle printer start, and counts its calls. */
export function permit(): StartPermit & { checks: number; sentCount: number } {
  const counted = {
    checks: 0,
    sentCount: 0,
    notAfter: performance.now() + 60_000,
    observedWithin: 60_000,
    check(report: PrinterReport): void {
      counted.checks++;
      if (report.state !== 'idle') throw new Error(`The printer is ${report.state}.`);
    },
    sent(): void {
      counted.sentCount++;
    },
  };
  return counted;
}

/** Waits for a report that fulfils a condition, the last one included. */
export function reportWhere(
  driver: Driver,
  condition: (report: PrinterReport) => boolean,
  ms = 15_000,
): Promise<PrinterReport> {
  return new Promise((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      driver.off('report', listener);
    };
    const listener = (report: PrinterReport): void => {
      if (!condition(report)) return;
      done();
      resolve(report);
    };
    const timer = setTimeout(() => {
      done();
      const last = driver.report;
      reject(new Error(`No such report in time; the last: ${last?.state} ${last?.job?.name} ${last?.ending}`));
    }, ms);
    driver.on('report', listener);
    if (driver.report !== undefined) listener(driver.report);
  });
}

/** Waits for a connection status, the current one included. */
export function connectionWhere<S extends ConnectionState['status']>(
  driver: Driver,
  status: S,
  ms = 15_000,
  condition: (state: Extract<ConnectionState, { status: S }>) => boolean = () => true,
): Promise<Extract<ConnectionState, { status: S }>> {
  const isWanted = (state: ConnectionState): state is Extract<ConnectionState, { status: S }> =>
    state.status === status;
  return new Promise((resolve, reject) => {
    const listener = (state: ConnectionState): void => {
      if (!isWanted(state) || !condition(state)) return;
      clearTimeout(timer);
      driver.off('connection', listener);
      resolve(state);
    };
    const timer = setTimeout(() => {
      driver.off('connection', listener);
      reject(new Error(`Not ${status} in time but ${driver.connection.status}.`));
    }, ms);
    driver.on('connection', listener);
    listener(driver.connection);
  });
}
