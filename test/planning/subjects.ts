import { jobId, materialId, printerId } from '../../lib/model/ids';
import { makePlan } from '../../lib/planning/plan';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';

/** The time at which the tests' plans are made (ms). */
export const now = Date.parse('2026-11-24T12:00:00Z');
export const hour = 3_600_000;

/** A job for 20 g of PLA that takes two hours. */
export function job(id: string, more: Partial<PlanningJob> = {}): PlanningJob {
  return {
    id: jobId(id),
    name: id,
    materialId: materialId('pla'),
    materialType: 'PLA',
    nozzleTemperature: 210,
    bedTemperature: 60,
    modelKind: 'stl',
    dimensions: { x: 50, y: 50, z: 50 },
    hours: 2,
    grams: 20,
    priority: 5,
    deadline: null,
    createdAt: now - hour,
    notBefore: null,
    forcePrinter: null,
    held: false,
    waitsFor: [],
    copiesToStart: 1,
    failedOn: null,
    ...more,
  };
}

/** An idle printer with a clear bed and a kilogram of PLA. */
export function printer(
  id: string,
  edges: [number, number, number],
  more: Partial<PlanningPrinter> = {},
): PlanningPrinter {
  const [x, y, z] = edges;
  return {
    id: printerId(id),
    name: id,
    make: 'moonraker',
    capabilities: {
      buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x, y, z } },
      nozzleDiameters: [0.4],
      maxNozzleTemperature: 300,
      maxBedTemperature: 110,
      materialTypes: ['PLA', 'PETG'],
      speedFactor: 1,
      usdPerHour: 1,
    },
    slots: [{ slot: 'one', materialId: materialId('pla'), tool: 0, gramsFree: 1000 }],
    online: true,
    state: 'idle',
    bed: 'clear',
    bedCause: null,
    busy: null,
    timeScale: 1,
    ...more,
  };
}

/** Three printers of the sizes of the default farm, all idle. */
export const h2d = printer('h2d', [325, 320, 325]);
export const giga = printer('giga', [800, 800, 1000]);
export const artisan = printer('artisan', [400, 400, 400]);

/** A plan without operator hours, unless `more` names them. */
export const plan = (jobs: PlanningJob[], printers: PlanningPrinter[], more: Partial<Snapshot> = {}) =>
  makePlan({ now, jobs, printers, clearMinutes: 5, changeMinutes: 12, ...more });
