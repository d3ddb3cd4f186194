// One upload in its own process, so that its memory can be measured: `driver` or `reference`, and the task as JSON.
import { randomUUID } from 'node:crypto';
import type { Driver, DriverOptions } from '../../lib/makes/driver';
import type { ConnectionValues } from '../../lib/makes/make';
import { connect } from '../../lib/makes/probe';
import { makeRows } from '../../lib/makes/registry';
import type { Make } from '../../lib/model/printer';
import { ftps, multipart, type ReferenceUpload, sacp } from './reference';
import type { Measured, Target, Upload } from './target';

const references: Record<Make, ReferenceUpload> = { bambu: ftps, moonraker: multipart, snapmaker: sacp };

const common: Omit<DriverOptions, 'host'> = {
  capabilities: {
    buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: 300, y: 300, z: 300 } },
    ...{ nozzleDiameters: [0.4], maxNozzleTemperature: 300, maxBedTemperature: 110 },
    ...{ materialTypes: ['PLA'], speedFactor: 1, usdPerHour: 1 },
  },
  timeScale: 1,
  log: () => {},
};

/** How a driver connects to the target: the fields of its make, and its secret. */
const connectionOf: Record<Make, (target: Target) => [values: ConnectionValues, secret: string]> = {
  bambu: ({ serial, accessCode, caFile, ports }) => [
    { serial, caFile, mqttPort: ports.mqtt, ftpsPort: ports.ftps },
    accessCode,
  ],
  moonraker: ({ ports }) => [{ port: ports.http }, ''],
  snapmaker: ({ ports }) => [{ port: ports.sacp }, 'bench'],
};

const driverOf = (target: Target): Driver =>
  makeRows[target.make].createDriver({ ...common, host: '127.0.0.1' }, ...connectionOf[target.make](target));

async function byDriver(target: Target, upload: Upload): Promise<Measured> {
  const driver = driverOf(target);
  const answer = await connect(driver, 20_000);
  if ('problem' in answer) throw new Error(answer.problem.message);
  const parts: number[] = [];
  const watch = watchProcess();
  const begun = performance.now();
  await driver.upload(
    {
      identity: { attemptId: randomUUID(), taskId: 1, ...upload },
      file: { ...upload, lines: 1, estimatedSeconds: null },
      slots: [],
      tool: 0,
      plate: 1,
    },
    { signal: new AbortController().signal, progress: (part) => parts.push(part) },
  );
  const seconds = (performance.now() - begun) / 1000;
  const grows = parts.every((part, index) => index === 0 || part >= (parts[index - 1] ?? 0));
  await driver.close();
  return {
    seconds,
    ...watch.stop(),
    progressReports: parts.length,
    progressComplete: grows && parts.at(-1) === 1,
  };
}

async function byReference(target: Target, upload: Upload): Promise<Measured> {
  const watch = watchProcess();
  const seconds = await references[target.make](target, upload);
  return { seconds, ...watch.stop(), progressReports: 0, progressComplete: true };
}

function watchProcess(): { stop(): Pick<Measured, 'before' | 'highest' | 'processor'> } {
  const cpu = process.cpuUsage();
  const before = process.memoryUsage.rss();
  let highest = before;
  const timer = setInterval(() => {
    highest = Math.max(highest, process.memoryUsage.rss());
  }, 20);
  return {
    stop: () => {
      clearInterval(timer);
      const { user, system } = process.cpuUsage(cpu);
      return { before, highest: Math.max(highest, process.memoryUsage.rss()), processor: (user + system) / 1e6 };
    },
  };
}

const [kind = '', task = '{}'] = process.argv.slice(2);
const { target, upload } = JSON.parse(task) as { target: Target; upload: Upload };
void (kind === 'driver' ? byDriver : byReference)(target, upload).then(
  (measured) => {
    process.stdout.write(`${JSON.stringify(measured)}\n`);
    process.exit(0);
  },
  (error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.stack : String(error)}\n`);
    process.exit(1);
  },
);
