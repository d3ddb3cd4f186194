import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import type { FarmOptions } from '../../lib/farm/options';
import { type JobId, materialId, type PrinterId, printerId } from '../../lib/model/ids';
import { defaultWishes } from '../../lib/model/job-wishes';
import type { PrinterReport } from '../../lib/model/printer';
import { openFarm } from '../../lib/runtime';
import { insertJob, type NewJob } from '../../lib/store/jobs';
import { insertSpool } from '../../lib/store/materials';
import { clearBed, loadSlot, lockPrinter, storeReport } from '../../lib/store/printers';
import { addDefaultFarm } from './default-farm';
import { embeddedPostgresUrl, temporaryDirectory } from './servers';

/** The report of an idle printer. */
export const idle: PrinterReport = {
  at: new Date().toISOString(),
  receivedAt: 0,
  state: 'idle',
  job: null,
  ending: null,
  progress: null,
  remainingMinutes: null,
  temperatures: [],
  slots: [],
  faults: [],
  timeScale: 1,
};

/** The slot of each printer that `makeReady` loads. */
const slots = { bamboo_h2d: 'ams0-0', elegoo_giga: 'extruder', snapmaker_artisan: 'nozzle0' };

/**
 * The default farm's database, in its own schema by default, and a broker: no services run. Its printers were connected
 * once and are offline.
 */
export async function openBareFarm(options: Partial<FarmOptions> = {}): Promise<Farm> {
  const farm = await openFarm({
    dataDirectory: temporaryDirectory('bare-farm'),
    databaseUrl: await embeddedPostgresUrl(),
    schema: `test_${randomUUID().replaceAll('-', '')}`,
    log: () => undefined,
    ...options,
  });
  await addDefaultFarm(farm.database);
  return farm;
}

/** Closes a farm, and drops everything that it has stored in the database. */
export async function dropFarm(farm: Farm): Promise<void> {
  await farm.database.query(`DROP SCHEMA ${farm.database.schema} CASCADE`);
  await farm.close();
}

/** Makes the three printers look ready: online, idle, with a clear bed and a kilogram of black PLA. */
export async function makeReady(farm: Farm): Promise<void> {
  for (const [name, slot] of Object.entries(slots)) {
    const id: PrinterId = printerId(name);
    await farm.database.transaction(async (tx) => {
      const printer = await lockPrinter(tx, id);
      if (printer.bedState === 'occupied') await clearBed(tx, printer, undefined, 'operator');
      const spool = await insertSpool(tx, { materialId: 'pla_black_esun', grams: 1000, label: null });
      await loadSlot(tx, id, slot, spool.id);
    });
    await storeReport(farm.database, id, { connected: true, problem: null, report: idle });
  }
}

/** Stores a job for a part of 10 mm, 10 g and one hour, without a file. */
export function addJob(farm: Farm, name: string, more: Partial<NewJob> = {}): Promise<JobId> {
  return farm.database.transaction(async (tx) => {
    const job = await insertJob(tx, {
      ...defaultWishes,
      jobName: name,
      stlPath: '/part.stl',
      gcodePath: null,
      materialId: materialId('pla_black_esun'),
      printSettings: {},
      estimatedGrams: 10,
      estimatedCostUsd: 1,
      estimatedDurationHours: 1,
      priority: 5,
      deadlineAt: null,
      createdBy: 'test',
      maxRetries: 2,
      goalId: null,
      kitId: null,
      copies: 1,
      notBefore: null,
      dependsOn: [],
      forcePrinter: null,
      hold: false,
      acceptUnknownMachine: false,
      plate: null,
      fileFacts: { sliced: null, volumes: [] },
      model: { sha256: '0'.repeat(64), kind: 'stl', dimensions: { x: 10, y: 10, z: 10 }, volumeMm3: 1000 },
      ...more,
    });
    return job.id;
  });
}
