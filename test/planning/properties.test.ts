import assert from 'node:assert/strict';
import fc from 'fast-check';
import { canEverPrint } from '../../lib/fit/judge';
import { jobId, materialId, printerId } from '../../lib/model/ids';
import { lowerBound } from '../../lib/planning/bound';
import { OperatorCalendar } from '../../lib/planning/calendar';
import { totalCost } from '../../lib/planning/improve';
import { owedEvery, owedJobs } from '../../lib/planning/owed';
import { makePlan } from '../../lib/planning/plan';
import { layOut } from '../../lib/planning/plan-ahead';
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
          tool: 0,
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

  it('never prints two jobs at once on a printer, and has the bed cleared in between during operator hours', () => {
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

  it('prints nothing on a printer that cannot print it, and plans filament changes only during operator hours', () => {
    check((snapshot) => {
      const calendar = new OperatorCalendar(operator, snapshot.now, 200);
      for (const line of makePlan(snapshot, budget).lines) {
        const job = snapshot.jobs.find((one) => one.id === line.jobId);
        const printer = snapshot.printers.find((one) => one.id === line.printerId);
        assert.ok(job && printer);
        const { buildVolume, materialTypes } = printer.capabilities;
        assert.ok(materialTypes.includes(job.materialType), 'it cannot print this material');
        assert.ok(Math.max(...Object.values(job.dimensions)) < buildVolume.max.x, 'it is too small for the part');
        assert.equal(job.held, false);
        if (!line.setupAt) continue;
        const begin = (at(line.setupAt) - snapshot.now) / minute;
        assert.ok(Math.abs(calendar.next(begin, 12.5) - begin) < 0.001, 'no operator is there to change the filament');
        assert.equal(line.ready, false);
      }
    });
  });

  it('contains every copy that can be printed, once', () => {
    check((snapshot) => {
      const plan = makePlan(snapshot, budget);
      for (const job of snapshot.jobs) {
        const count = plan.lines.filter((line) => line.jobId === job.id).length;
        const able = !job.held && snapshot.printers.some((printer) => canEverPrint(job, printer));
        const most = Math.min(job.copiesToStart, 2 * snapshot.printers.length);
        assert.equal(count, able ? most : 0);
        if (!able) assert.ok(plan.waiting[job.id]);
      }
    });
  });

  /** No job has waited so long that a turn is owed to it. */
  const fresh = (snapshot: Snapshot): Snapshot => ({
    ...snapshot,
    jobs: snapshot.jobs.map((job, index) => ({ ...job, createdAt: snapshot.now - index * hour })),
  });

  it('is never worse than the dispatch rule', () => {
    check((snapshot) => {
      const { value } = makePlan(fresh(snapshot), budget);
      assert.ok(value);
      assert.ok(value.cost <= value.ruleCost + 1e-6, `${value.cost} > ${value.ruleCost}`);
    });
  });

  it('costs no less than its lower bound, not even with the best order', () => {
    check((snapshot) => {
      const jobs = snapshot.jobs.slice(0, 4).map((job) => ({ ...job, copiesToStart: 1 }));
      const { schedule, plan } = layOut(fresh({ ...snapshot, jobs }), { moves: 0 });
      const bound = lowerBound(schedule);
      let best = Number.POSITIVE_INFINITY;
      const order: number[][] = schedule.printers.map(() => []);
      const place = (task: number): void => {
        if (task === schedule.tasks.length) {
          best = Math.min(best, totalCost(schedule, order));
          return;
        }
        for (const [machine, sequence] of order.entries()) {
          if (!schedule.eligible(task, machine)) continue;
          for (let at = 0; at <= sequence.length; at++) {
            sequence.splice(at, 0, task);
            place(task + 1);
            sequence.splice(at, 1);
          }
        }
      };
      place(0);
      assert.ok(bound <= best + 1e-6, `${bound} > ${best}`);
      // Few jobs are planned optimally, and the plan reports it.
      if (schedule.printers.length > 3 || jobs.some((job) => job.waitsFor.length > 0)) return;
      assert.ok(Math.abs((plan.value?.lowerBound ?? 0) - best) < 1e-6, `${plan.value?.lowerBound} is not ${best}`);
    });
  });

  it('assigns a printer whose turn it is to the job that has been owed the longest', () => {
    check((snapshot) => {
      const plan = makePlan(snapshot, budget);
      const free = (printer: PlanningPrinter): number => Math.max(snapshot.now, printer.busy?.until ?? 0);
      const firstOn = (printer: PlanningPrinter): string | undefined =>
        plan.lines.find((line) => line.printerId === printer.id)?.jobId;
      for (const printer of snapshot.printers) {
        if ((printer.dispatchesSinceOwed ?? 0) < owedEvery - 1) continue;
        for (const owed of owedJobs(snapshot).filter((job) => canEverPrint(job, printer))) {
          if (firstOn(printer) === owed.id) break;
          const sooner = snapshot.printers.some((other) => free(other) <= free(printer) && firstOn(other) === owed.id);
          assert.ok(sooner, `${owed.id} is skipped on ${printer.id}`);
        }
      }
    });
  });

  it('never promises a gram twice, whether loaded or in stock', () => {
    const scarce = fc
      .record({
        snapshot: snapshots,
        need: fc.array(fc.integer({ min: 10, max: 900 }), { minLength: 12, maxLength: 12 }),
        left: fc.array(fc.integer({ min: 0, max: 1000 }), { minLength: 12, maxLength: 12 }),
        shelf: fc.array(
          fc.record({ material: fc.constantFrom(...materials), grams: fc.integer({ min: 50, max: 1000 }) }),
          {
            maxLength: 6,
          },
        ),
      })
      .map(({ snapshot, need, left, shelf }): Snapshot => {
        let slot = 0;
        return {
          ...snapshot,
          jobs: snapshot.jobs.map((job, index) => ({ ...job, grams: need[index] ?? 10 })),
          printers: snapshot.printers.map((printer) => ({
            ...printer,
            slots: printer.slots.map((one) => ({ ...one, gramsFree: left[slot++ % left.length] ?? 0 })),
          })),
          shelf: shelf.map(({ material, grams }, index) => ({
            spoolId: `spool ${index}`,
            materialId: materialId(material),
            grams,
          })),
        };
      });
    fc.assert(
      fc.property(scarce, (snapshot) => {
        const plan = makePlan(snapshot, budget);
        const taken = new Set<string>();
        for (const printer of snapshot.printers) {
          const held = new Map(
            printer.slots.map((one) => [one.slot, { material: one.materialId, grams: one.gramsFree }]),
          );
          for (const line of plan.lines.filter((one) => one.printerId === printer.id)) {
            const job = snapshot.jobs.find((one) => one.id === line.jobId) as PlanningJob;
            for (const change of line.changes ?? []) {
              held.set(change.slot, { material: change.to, grams: 1000 });
              if (change.spoolId === null) continue;
              assert.ok(!taken.has(change.spoolId), 'a spool is promised twice');
              taken.add(change.spoolId);
              const spool = snapshot.shelf?.find((one) => one.spoolId === change.spoolId);
              assert.ok(spool && spool.grams >= job.grams && spool.materialId === change.to);
            }
            const place = [...held.values()].find((one) => one.material === job.materialId && one.grams >= job.grams);
            assert.ok(place, `no ${job.materialId} with ${job.grams} g is left for it`);
            place.grams -= job.grams;
          }
        }
      }),
      { numRuns: 150, seed: 20261124 },
    );
  });

  it('has no print run into a closure, or start in quiet hours', () => {
    const quiet = { timeZone: 'UTC', begin: 22 * 60, end: 6 * 60 };
    const closed = fc
      .record({ snapshot: snapshots, from: fc.integer({ min: -5, max: 60 }), hours: fc.integer({ min: 1, max: 40 }) })
      .map(({ snapshot, from, hours }): Snapshot => {
        const begin = snapshot.now + from * hour;
        const closure = { from: begin, until: begin + hours * hour, reason: 'maintenance' };
        return { ...snapshot, quiet, printers: snapshot.printers.map((one) => ({ ...one, closed: [closure] })) };
      });
    fc.assert(
      fc.property(closed, fc.boolean(), (given, planned) => {
        const { operator, ...withoutHours } = given;
        const snapshot: Snapshot = planned && operator ? given : withoutHours;
        const silence = new OperatorCalendar(quiet, snapshot.now, 200);
        for (const line of makePlan(snapshot, budget).lines) {
          if (line.start === null) continue;
          for (const { from, until } of snapshot.printers.flatMap((printer) => printer.closed ?? [])) {
            assert.ok(at(line.end) <= from + 1 || at(line.start) >= until - 1, 'it prints into a closure');
          }
          const start = (at(line.start) - snapshot.now) / minute;
          assert.ok(silence.after(start) - start < 0.01, 'it starts in quiet hours');
        }
      }),
      { numRuns: 150, seed: 20261124 },
    );
  });

  it('starts an owed job within K (N + 1) dispatches of a printer, whatever else arrives', () => {
    const attack = fc.record({
      ahead: fc.integer({ min: 0, max: 3 }),
      others: fc.array(
        fc.record({
          priority: fc.integer({ min: 1, max: 3 }),
          hours: fc.double({ min: 0.3, max: 2, noNaN: true }),
          due: fc.integer({ min: 0, max: 5 }),
        }),
        {
          minLength: 8,
          maxLength: 8,
        },
      ),
      two: fc.boolean(),
      victimMaterial: fc.constantFrom('PLA', 'PETG'),
    });
    fc.assert(
      fc.property(attack, ({ ahead, others, two, victimMaterial }) => {
        const model = fc.sample(printers, { numRuns: 1, seed: 3 })[0]?.[0] as PlanningPrinter;
        const template = fc.sample(jobs, { numRuns: 40, seed: 5 }).flat()[0] as PlanningJob;
        const base = {
          ...template,
          dimensions: { x: 50, y: 50, z: 50 },
          held: false,
          copiesToStart: 1,
          deadline: null,
        };
        let now = midnight;
        let count = 0;
        const owe = (material: string, rank: number): PlanningJob => ({
          ...base,
          id: jobId(`owed ${rank}`),
          materialId: materialId(material),
          materialType: material,
          priority: 10,
          hours: 20,
          createdAt: midnight - (168 + 10 - rank) * hour,
        });
        const victim = owe(victimMaterial, ahead);
        let queue = [...Array.from({ length: ahead }, (_, rank) => owe('PLA', rank)), victim];
        const machines = (two ? [0, 1] : [0]).map((index) => ({
          id: printerId(`printer ${index}`),
          since: 0,
          until: 0,
          dispatches: 0,
          material: 'PLA',
        }));
        for (let step = 0; step < 200; step++) {
          for (let k = 0; queue.length < ahead + 6; k++) {
            const drawn = others[(count + k) % others.length] as (typeof others)[number];
            queue.push({
              ...base,
              id: jobId(`urgent ${count++}`),
              materialId: materialId('PLA'),
              materialType: 'PLA',
              priority: drawn.priority,
              hours: drawn.hours,
              deadline: now + drawn.due * hour,
              createdAt: now,
            });
          }
          const snapshot: Snapshot = {
            now,
            clearMinutes: 5,
            changeMinutes: 12.5,
            operator: { timeZone: 'UTC', begin: 0, end: 0 },
            jobs: queue,
            printers: machines.map((machine) => ({
              ...model,
              id: machine.id,
              capabilities: { ...model.capabilities, materialTypes: ['PLA', 'PETG'] },
              slots: [{ slot: '0', materialId: materialId(machine.material), tool: 0, gramsFree: 1e6 }],
              bed: machine.until > now ? 'occupied' : 'clear',
              busy: machine.until > now ? { with: 'a print', until: machine.until } : null,
              dispatchesSinceOwed: machine.since,
            })),
          };
          const plan = makePlan(snapshot, { seed: 1, moves: 50 });
          for (const machine of machines) {
            if (machine.until > now) continue;
            const line = plan.lines.find((one) => one.printerId === machine.id);
            const job = queue.find((one) => one.id === line?.jobId);
            if (!line || !job) continue;
            const oldest = owedJobs(snapshot).find((one) => queue.includes(one));
            queue = queue.filter((one) => one !== job);
            machine.material = job.materialType;
            machine.until = now + job.hours * hour + 20 * minute;
            machine.dispatches++;
            machine.since = job === oldest ? 0 : machine.since + 1;
            if (job === victim) return;
            assert.ok(
              machine.dispatches < owedEvery * (ahead + 1),
              `not started after ${machine.dispatches} dispatches`,
            );
          }
          now = Math.min(...machines.map((machine) => machine.until));
        }
        assert.fail('it was never started');
      }),
      { numRuns: 40, seed: 20261124 },
    );
  });

  it('is the same for 25,000 copies as for 40', () => {
    check((snapshot) => {
      const [first, ...rest] = snapshot.jobs;
      if (!first) return;
      const many = (copiesToStart: number) =>
        makePlan({ ...snapshot, jobs: [{ ...first, copiesToStart }, ...rest] }, budget);
      assert.deepEqual(many(25_000), many(40));
    });
  });

  it('starts printable jobs while twenty urgent jobs that fit nowhere wait with their reasons', () => {
    check((snapshot) => {
      const [ordinary] = snapshot.jobs;
      if (!ordinary) return;
      const huge = Array.from(
        { length: 20 },
        (_, index): PlanningJob => ({
          ...ordinary,
          id: jobId(`huge ${index}`),
          dimensions: { x: 900, y: 900, z: 900 },
          priority: 1,
          held: false,
          deadline: snapshot.now + hour,
        }),
      );
      const with20 = makePlan({ ...snapshot, jobs: [...huge, ...snapshot.jobs] }, budget);
      assert.deepEqual(with20.lines, makePlan(snapshot, budget).lines);
      for (const job of huge) assert.match(with20.waiting[job.id] ?? '', /no printer can take it|offline or at fault/);
    });
  });
});

describe('Operator hours', () => {
  it('follow local time through both clock changes', () => {
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

  it('put a setup into the first hour of the shift after a clock change', () => {
    const berlin = { timeZone: 'Europe/Berlin', begin: 8 * 60, end: 20 * 60 };
    for (const [now, open] of [
      ['2026-03-28T21:00:00Z', '2026-03-29T06:00:00.000Z'],
      ['2026-10-24T21:00:00Z', '2026-10-25T07:00:00.000Z'],
    ] as const) {
      const [printer] = fc.sample(printers, { numRuns: 1, seed: 3 })[0] ?? [];
      const job = fc.sample(jobs, { numRuns: 40, seed: 5 }).flat()[0];
      assert.ok(printer && job);
      const free = {
        ...printer,
        busy: null,
        bed: 'clear' as const,
        slots: [{ slot: '0', materialId: null, tool: 0, gramsFree: 0 }],
      };
      const capabilities = { ...printer.capabilities, materialTypes: materials };
      const small = {
        ...job,
        dimensions: { x: 50, y: 50, z: 50 },
        held: false,
        copiesToStart: 1,
        createdAt: Date.parse(now),
      };
      const { lines } = makePlan(
        {
          now: Date.parse(now),
          clearMinutes: 5,
          changeMinutes: 12.5,
          operator: berlin,
          jobs: [small],
          printers: [{ ...free, capabilities }],
        },
        budget,
      );
      assert.deepEqual(
        lines.map((line) => line.setupAt),
        [open],
      );
    }
  });
});
