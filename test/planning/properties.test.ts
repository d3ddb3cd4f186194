import assert from 'node:assert/strict';
import fc from 'fast-check';
import { jobId, materialId, printerId } from '../../lib/model/ids';
import { OperatorCalendar } from '../../lib/planning/calendar';
import { neverBecause } from '../../lib/planning/eligibility';
import { owedEvery, owedJobs } from '../../lib/planning/owed';
import { makePlan } from '../../lib/planning/plan';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';

const minute = 60_000;
const hour = 60 * minute;
const midnight = Date.parse('2026-11-24T00:00:00Z');
const operator = { timeZone: 'UTC', begin: 8 * 60, end: 20 * 60 };
const materials = ['PLA', 'PETG', 'ABS', 'TPU'];

const jobs: fc.Arbitrary<PlanningJob[]> = fc
  .array(
    fc.record({
      material: fc.constantFrom(...materials),
      edge: fc.integer({ min: 20, max: 500 }),
      hours: fc.double({ min: 0.2, max: 30, noNaN: true }),
      priority: fc.integer({ min: 1, max: 10 }),
      due: fc.option(fc.integer({ min: -20, max: 200 })),
      age: fc.integer({ min: 0, max: 300 }),
      held: fc.boolean(),
      copies: fc.integer({ min: 1, max: 3 }),
    }),
    { maxLength: 12 },
  )
  .map((drawn) =>
    drawn.map(
      (one, index): PlanningJob => ({
        id: jobId(`job ${index}`),
        name: `job ${index}`,
        materialId: materialId(one.material),
        materialType: one.material,
        nozzleTemperature: 210,
        bedTemperature: 60,
        modelKind: 'stl',
        dimensions: { x: one.edge, y: one.edge, z: one.edge },
        hours: one.hours,
        grams: 20,
        priority: one.priority,
        deadline: one.due === null ? null : midnight + one.due * hour,
        createdAt: midnight - one.age * hour,
        notBefore: null,
        forcePrinter: null,
        held: one.held && index % 3 === 0,
        waitsFor: [],
        copiesToStart: one.copies,
        failedOn: null,
      }),
    ),
  );

const printers: fc.Arbitrary<PlanningPrinter[]> = fc
  .array(
    fc.record({
      edge: fc.constantFrom(300, 400, 800),
      slots: fc.integer({ min: 1, max: 4 }),
      first: fc.integer({ min: 0, max: 3 }),
      speed: fc.constantFrom(1, 1.2, 1.35),
      types: fc.integer({ min: 1, max: 4 }),
      bed: fc.constantFrom<'clear' | 'occupied'>('clear', 'occupied'),
      busy: fc.option(fc.integer({ min: 0, max: 30 })),
      dispatches: fc.integer({ min: 0, max: 6 }),
    }),
    { minLength: 1, maxLength: 3 },
  )
  .map((drawn) =>
    drawn.map(
      (one, index): PlanningPrinter => ({
        id: printerId(`printer ${index}`),
        name: `printer ${index}`,
        make: 'moonraker',
        capabilities: {
          buildVolume: { min: { x: 0, y: 0, z: 0 }, max: { x: one.edge, y: one.edge, z: one.edge } },
          nozzleDiameters: [0.4],
          maxNozzleTemperature: 300,
          maxBedTemperature: 110,
          materialTypes: materials.slice(0, one.types),
          speedFactor: one.speed,
          usdPerHour: 1,
        },
        slots: Array.from({ length: one.slots }, (_, slot) => ({
          slot: String(slot),
          materialId: materialId(materials[(one.first + slot) % 4] ?? 'PLA'),
          gramsFree: 1e6,
        })),
        online: true,
        state: 'idle',
        bed: one.busy === null ? one.bed : 'occupied',
        bedCause: null,
        busy: one.busy === null ? null : { with: 'a print', until: midnight + one.busy * hour },
        timeScale: 1,
        dispatchesSinceOwed: one.dispatches,
      }),
    ),
  );

const snapshots: fc.Arbitrary<Snapshot> = fc
  .record({ jobs, printers, at: fc.integer({ min: 0, max: 1439 }) })
  .map(({ at, ...rest }) => ({ ...rest, now: midnight + at * minute, clearMinutes: 5, changeMinutes: 12.5, operator }));

const budget = { seed: 7, moves: 300 };
const check = (property: (snapshot: Snapshot) => void): void =>
  fc.assert(fc.property(snapshots, property), { numRuns: 150, seed: 20261124 });
const at = (iso: string | null | undefined): number => Date.parse(iso ?? '');

describe('Every plan', () => {
  it('is the same for the same snapshot and seed, whatever the order of its jobs', () => {
    check((snapshot) => {
      const again = { ...snapshot, jobs: [...snapshot.jobs].reverse() };
      assert.deepEqual(makePlan(snapshot, budget), makePlan(again, budget));
    });
  });

  it('never prints two at once on a printer, and clears the bed in between while somebody is there', () => {
    check((snapshot) => {
      const calendar = new OperatorCalendar(operator, snapshot.now, 200);
      const plan = makePlan(snapshot, budget);
      for (const printer of snapshot.printers) {
        const lines = plan.lines.filter((line) => line.printerId === printer.id);
        let end = printer.busy ? Math.max(snapshot.now, printer.busy.until) : snapshot.now;
        let full = printer.bed === 'occupied';
        for (const line of lines) {
          const from = (end - snapshot.now) / minute;
          const cleared = full ? calendar.next(from, 5) + 5 : from;
          const begin = at(line.setupAt ?? line.start);
          assert.ok((begin - snapshot.now) / minute >= cleared - 0.001, 'it starts on a bed that is not clear');
          end = at(line.end);
          full = true;
        }
      }
    });
  });

  it('prints nothing where it cannot be printed, and plans a change of filament only while somebody is there', () => {
    check((snapshot) => {
      const calendar = new OperatorCalendar(operator, snapshot.now, 200);
      for (const line of makePlan(snapshot, budget).lines) {
        const job = snapshot.jobs.find((one) => one.id === line.jobId);
        const printer = snapshot.printers.find((one) => one.id === line.printerId);
        assert.ok(job && printer);
        assert.equal(neverBecause(job, printer), null);
        assert.equal(job.held, false);
        if (!line.setupAt) continue;
        const begin = (at(line.setupAt) - snapshot.now) / minute;
        assert.ok(Math.abs(calendar.next(begin, 12.5) - begin) < 0.001, 'nobody is there to change the filament');
        assert.equal(line.ready, false);
      }
    });
  });

  it('keeps every copy of what can be printed, once', () => {
    check((snapshot) => {
      const plan = makePlan(snapshot, budget);
      for (const job of snapshot.jobs) {
        const count = plan.lines.filter((line) => line.jobId === job.id).length;
        const able = !job.held && snapshot.printers.some((printer) => neverBecause(job, printer) === null);
        const most = Math.min(job.copiesToStart, 2 * snapshot.printers.length);
        assert.equal(count, able ? most : 0);
        if (!able) assert.ok(plan.waiting[job.id]);
      }
    });
  });

  it('is never worse than the dispatch rule, nor better than its lower bound, as long as nothing is owed', () => {
    check((snapshot) => {
      if (owedJobs(snapshot).length > 0) return;
      const { value } = makePlan(snapshot, budget);
      assert.ok(value);
      assert.ok(value.cost <= value.ruleCost + 1e-6, `${value.cost} > ${value.ruleCost}`);
      assert.ok(value.lowerBound <= value.cost + 1e-6);
    });
  });

  it('gives a printer whose turn it is to the job that is owed longest', () => {
    check((snapshot) => {
      const plan = makePlan(snapshot, budget);
      const served = new Set<string>();
      for (const printer of snapshot.printers) {
        if ((printer.dispatchesSinceOwed ?? 0) < owedEvery - 1) continue;
        const owed = owedJobs(snapshot).find((job) => !served.has(job.id) && neverBecause(job, printer) === null);
        if (!owed) continue;
        served.add(owed.id);
        const first = plan.lines.find((line) => line.printerId === printer.id);
        assert.equal(first?.jobId, owed.id);
      }
    });
  });
});

describe('Operator hours', () => {
  it('follow the clocks of the place through both changes of the hour', () => {
    const berlin = { timeZone: 'Europe/Berlin', begin: 8 * 60, end: 20 * 60 };
    for (const [from, open] of [
      ['2026-03-28T21:00:00Z', '2026-03-29T06:00:00Z'],
      ['2026-10-24T21:00:00Z', '2026-10-25T07:00:00Z'],
    ] as const) {
      const begin = Date.parse(from);
      const calendar = new OperatorCalendar(berlin, begin, 10);
      assert.equal(new Date(begin + calendar.next(0, 5) * minute).toISOString(), new Date(open).toISOString());
    }
  });
});
