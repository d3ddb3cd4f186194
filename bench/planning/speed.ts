import { performance } from 'node:perf_hooks';
import { jobId, materialId, printerId } from '../../lib/model/ids';
import { makePlan } from '../../lib/planning/plan';
import { seeded } from '../../lib/planning/random';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';
import { bestFor } from './best-for';

const now = Date.UTC(2026, 0, 5, 9);
const hour = 3_600_000;
const materials = ['PLA', 'PETG', 'ABS', 'TPU', 'ASA', 'PA-CF'];

/** A generated farm of three makes with a queue, the same for the same seed. */
export function farmOf(printers: number, jobs: number, seed: number): Snapshot {
  const random = seeded(seed);
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const makes = [
    { edge: 320, slots: 4, speed: 1, types: 6 },
    { edge: 800, slots: 1, speed: 1.2, types: 4 },
    { edge: 400, slots: 2, speed: 1.35, types: 5 },
  ];
  return {
    now,
    clearMinutes: 5,
    changeMinutes: 12.5,
    operator: { timeZone: 'UTC', begin: 480, end: 1200 },
    printers: Array.from({ length: printers }, (_, index): PlanningPrinter => {
      const make = makes[index % 3] as (typeof makes)[number];
      const busy = index > 0 && random() < 0.7;
      return {
        id: printerId(`p${index}`),
        name: `p${index}`,
        make: 'moonraker',
        capabilities: {
          buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: make.edge, y: make.edge, z: make.edge } },
          nozzleDiameters: [0.4],
          maxNozzleTemperature: 300,
          maxBedTemperature: 110,
          materialTypes: materials.slice(0, make.types),
          speedFactor: make.speed,
          usdPerHour: 1,
        },
        slots: Array.from({ length: make.slots }, (__, slot) => ({
          slot: String(slot),
          materialId: materialId(materials[(index + slot) % make.types] ?? 'PLA'),
          tool: 0,
          gramsFree: 1000,
        })),
        online: true,
        state: 'idle',
        bed: busy ? 'occupied' : 'clear',
        bedCause: null,
        busy: busy ? { with: 'a print', until: now + random() * 12 * hour } : null,
        timeScale: 1,
      };
    }),
    jobs: Array.from({ length: jobs }, (_, index): PlanningJob => {
      const edge = random() < 0.08 ? 500 : 40 + random() * 240;
      const material = pick(materials.slice(0, edge > 320 ? 4 : 6));
      return {
        id: jobId(`j${String(index).padStart(6, '0')}`),
        name: `j${index}`,
        materialId: materialId(material),
        materialType: material,
        nozzleTemperature: 210,
        bedTemperature: 60,
        modelKind: 'stl',
        dimensions: { x: edge, y: edge, z: edge },
        hours: 0.5 + random() ** 3 * 20,
        grams: 20 + random() * 300,
        priority: 1 + Math.floor(random() * 10),
        deadline: random() < 0.4 ? now + (4 + random() * 400) * hour : null,
        createdAt: now - random() * 40 * hour,
        notBefore: null,
        forcePrinter: null,
        held: false,
        waitsFor: [],
        copiesToStart: 1,
        failedOn: null,
      };
    }),
  };
}

/** Full plans of large farms, and replanning after one printer has become ready. */
export function speed(seed: number): { rows: object[]; summary: object } {
  const clock = (): number => performance.now();
  const whole = [
    { printers: 50, jobs: 1000, limit: 1 },
    { printers: 100, jobs: 5000, limit: 5 },
  ].map(({ printers, jobs, limit }) => {
    const snapshot = farmOf(printers, jobs, seed);
    const begun = performance.now();
    const plan = makePlan(snapshot, { seed, milliseconds: 200, clock });
    const seconds = (performance.now() - begun) / 1000;
    return {
      printers,
      jobs,
      seconds,
      limit_seconds: limit,
      lines: plan.lines.length,
      lower_bound: plan.value?.lowerBound,
      cost: plan.value?.cost,
      gap: plan.value?.gap,
    };
  });
  const decisions = [
    { printers: 100, jobs: 10_000 },
    { printers: 100, jobs: 100_000 },
  ].map((size) => ({ ...size, ...decisionTimes(size.printers, size.jobs, seed), limit_ms: 50 }));
  return { rows: [...whole, ...decisions], summary: { plans: whole.length, decisions: decisions.length } };
}

function decisionTimes(
  printers: number,
  jobs: number,
  seed: number,
): { decision_ms_p50: number; decision_ms_p95: number } {
  const snapshot = farmOf(printers, jobs, seed);
  const queue = [...snapshot.jobs];
  const times: number[] = [];
  for (let round = 0; round < 200; round++) {
    const printer = snapshot.printers[round % printers] as PlanningPrinter;
    const begun = performance.now();
    const best = bestFor(queue, printer, now + round * 60_000, round % 2 === 0);
    times.push(performance.now() - begun);
    if (best) queue.splice(queue.indexOf(best), 1);
  }
  times.sort((a, b) => a - b);
  return { decision_ms_p50: times[100] ?? 0, decision_ms_p95: times[189] ?? 0 };
}
