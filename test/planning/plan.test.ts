import assert from 'node:assert/strict';
import { fittingTurn } from '../../lib/fit/volume';
import { jobId, materialId, printerId } from '../../lib/model/ids';
import { explainPrinter } from '../../lib/planning/explain';
import { makePlan } from '../../lib/planning/plan';
import type { PlanningJob, PlanningPrinter, Snapshot } from '../../lib/planning/snapshot';
import { artisan, giga, h2d, hour, job, now, plan, printer } from './subjects';

describe('Fit', () => {
  const fits = (x: number, y: number, z: number): string[] =>
    [h2d, giga, artisan]
      .filter((one) => fittingTurn({ x, y, z }, one.capabilities.buildVolume) !== null)
      .map((one) => one.id);

  it('checks all three axes against the reach of the nozzle', () => {
    assert.deepEqual(fits(790, 790, 900), ['giga']);
    assert.deepEqual(fits(380, 380, 380), ['giga', 'artisan']);
    assert.deepEqual(fits(250, 250, 250), ['h2d', 'giga', 'artisan']);
    assert.deepEqual(fits(340, 300, 320), ['giga', 'artisan']);
    assert.deepEqual(fits(100, 100, 330), ['giga', 'artisan']);
    assert.deepEqual(fits(801, 10, 10), []);
  });

  it('turns a part about Z and never tips it over', () => {
    const volume = { min: { x: 0, y: 0, z: 0 }, max: { x: 350, y: 320, z: 325 } };
    assert.equal(fittingTurn({ x: 340, y: 300, z: 320 }, volume), 0);
    assert.equal(fittingTurn({ x: 300, y: 340, z: 320 }, volume), 90);
    assert.equal(fittingTurn({ x: 300, y: 300, z: 340 }, volume), null);
  });

  it('keeps a line width free at the edge', () => {
    assert.equal(fittingTurn({ x: 400, y: 400, z: 400 }, artisan.capabilities.buildVolume), null);
    assert.equal(fittingTurn({ x: 399, y: 399, z: 400 }, artisan.capabilities.buildVolume), 0);
  });
});

describe('The plan', () => {
  it('is the same for the same snapshot', () => {
    const jobs = ['c', 'a', 'b'].map((id) => job(id));
    assert.deepEqual(plan(jobs, [h2d, giga]), plan([...jobs].reverse(), [h2d, giga]));
  });

  it('puts near deadlines first, then priority, then age', () => {
    const jobs = [
      job('old', { createdAt: now - 5 * hour }),
      job('important', { priority: 1 }),
      job('due later', { deadline: now + 9 * hour }),
      job('due soon', { deadline: now + 4 * hour, priority: 9 }),
      job('due next week', { deadline: now + 200 * hour }),
    ];
    const { positions } = plan(jobs, [h2d]);
    const order = Object.entries(positions).sort((a, b) => a[1] - b[1]);
    assert.deepEqual(
      order.map(([id]) => id),
      ['due soon', 'due later', 'important', 'old', 'due next week'],
    );
  });

  it('never starts what fits nowhere, gives the reason, and starts the next job immediately', () => {
    const impossible = Array.from({ length: 20 }, (_, index) =>
      job(`huge ${index}`, { dimensions: { x: 900, y: 10, z: 10 }, priority: 1, deadline: now + hour }),
    );
    const result = plan([...impossible, job('ordinary')], [h2d, giga, artisan]);
    assert.deepEqual(
      result.lines.map((line) => [line.jobId, line.ready]),
      [['ordinary', true]],
    );
    assert.match(result.waiting[jobId('huge 3')] ?? '', /h2d is too small.*giga is too small.*artisan is too small/);
  });

  it('reports what a waiting job waits for, and when it will start', () => {
    const busy = printer('busy', [400, 400, 400], { busy: { with: '"vase"', until: now + hour } });
    const result = plan([job('next')], [busy]);
    assert.equal(result.lines[0]?.start, new Date(now + hour + 5 * 60_000).toISOString());
    assert.equal(result.lines[0]?.ready, false);
    assert.match(result.waiting[jobId('next')] ?? '', /busy is printing "vase"/);
  });

  it('gives no start time if only an operator can free the bed', () => {
    const full = printer('full', [400, 400, 400], { bed: 'occupied', bedCause: 'attempt' });
    const result = plan([job('next')], [full]);
    assert.equal(result.lines[0]?.start, null);
    assert.match(result.waiting[jobId('next')] ?? '', /bed of full must be cleared/);
  });

  it('prefers a free printer to one whose bed is not cleared', () => {
    const full = printer('full', [400, 400, 400], { bed: 'occupied', bedCause: 'foreign' });
    assert.deepEqual(
      plan([job('next')], [full, giga]).lines.map((line) => [line.printerId, line.ready]),
      [['giga', true]],
    );
  });

  it('requires the right filament and enough of it, and lets others go first in the meantime', () => {
    const little = printer('little', [400, 400, 400], {
      slots: [{ slot: 'one', materialId: materialId('pla'), tool: 0, gramsFree: 30 }],
    });
    const jobs = [
      job('big', { grams: 120, priority: 1 }),
      job('petg', { materialId: materialId('petg'), materialType: 'PETG', priority: 2 }),
      job('small'),
    ];
    const result = plan(jobs, [little]);
    assert.deepEqual(
      result.lines.filter((line) => line.ready).map((line) => line.jobId),
      ['small'],
    );
    assert.match(result.waiting[jobId('big')] ?? '', /only 30 g of pla free, 120 g are needed/);
    assert.match(result.waiting[jobId('petg')] ?? '', /no petg loaded/);
  });

  it('never starts a job that is held, not yet due, or waiting for another job', () => {
    const jobs = [
      job('held', { held: true }),
      job('later', { notBefore: now + hour }),
      job('child', { waitsFor: [jobId('held')] }),
    ];
    const result = plan(jobs, [h2d, giga, artisan]);
    assert.deepEqual(
      result.lines.filter((line) => line.ready),
      [],
    );
    assert.match(result.waiting[jobId('held')] ?? '', /held/);
    assert.match(result.waiting[jobId('later')] ?? '', /not before/);
    assert.match(result.waiting[jobId('child')] ?? '', /waits for another job/);
  });

  it('assigns one job at a time to a printer', () => {
    const jobs = Array.from({ length: 10 }, (_, index) => job(`job ${index}`));
    const { lines } = plan(jobs, [h2d, giga]);
    assert.equal(lines.length, 10);
    assert.deepEqual(
      lines
        .filter((line) => line.ready)
        .map((line) => line.printerId)
        .sort(),
      ['giga', 'h2d'],
    );
    for (const id of ['h2d', 'giga']) {
      const own = lines.filter((line) => line.printerId === id);
      for (const [index, line] of own.slice(1).entries()) assert.ok(String(own[index]?.end) <= String(line.start));
    }
  });

  it('divides durations by the speed of a simulated clock', () => {
    const fast = printer('fast', [400, 400, 400], { timeScale: 60 });
    const line = plan([job('next')], [fast]).lines[0];
    assert.equal(Date.parse(line?.end ?? '') - Date.parse(line?.start ?? ''), (2 * hour) / 60);
  });

  it('prefers a different printer than the one that failed', () => {
    const result = plan(
      [job('again', { failedOn: printerId('h2d'), failedAt: now })],
      [h2d, printer('slow', [400, 400, 400], { capabilities: { ...h2d.capabilities, speedFactor: 2 } })],
    );
    assert.equal(result.lines[0]?.printerId, 'slow');
  });

  it('plans every copy, and no more of a large order than the farm can hold', () => {
    assert.equal(plan([job('three', { copiesToStart: 3 })], [h2d]).lines.length, 2);
    assert.equal(plan([job('many', { copiesToStart: 25_000 })], [h2d, giga]).lines.length, 4);
  });

  it('completes a kit together, whatever arrived in between', () => {
    const kit = (id: string, partsDone = 0): Partial<PlanningJob> => ({ kit: { id, partsDone } });
    const jobs = Array.from({ length: 8 }, (_, index) =>
      job(`job${index}`, { createdAt: now - hour * (9 - index), ...(index % 7 === 0 && kit('lamp')) }),
    );
    for (const operator of [undefined, { timeZone: 'UTC', begin: 0, end: 0 }]) {
      const { lines } = plan(jobs, [h2d], operator && { operator });
      const places = lines.flatMap((line, index) => (['job0', 'job7'].includes(line.jobId) ? [index] : []));
      assert.equal((places[1] ?? 0) - (places[0] ?? 0), 1, lines.map((line) => line.jobId).join(' '));
    }
  });

  it('prioritises the last part of a kit whose other parts are done or printing', () => {
    const operator = { timeZone: 'UTC', begin: 0, end: 0 };
    const jobs = Array.from({ length: 8 }, (_, index) => job(`job${index}`, { createdAt: now - hour * (9 - index) }));
    const last = (kit?: PlanningJob['kit']) => ({ ...(jobs[7] as PlanningJob), ...(kit && { kit }) });
    const place = (kit: PlanningJob['kit'], busy: PlanningPrinter['busy'] = null): number =>
      plan([...jobs.slice(0, 7), last(kit)], [{ ...h2d, busy }], { operator }).lines.findIndex(
        (line) => line.jobId === 'job7',
      );
    const busy = { with: 'a part', until: now + hour };
    assert.equal(place({ id: 'lamp', partsDone: 2 }), 0);
    assert.equal(place({ id: 'lamp', partsDone: 0 }, { ...busy, kit: 'lamp' }), 0);
    assert.ok(place({ id: 'lamp', partsDone: 0 }, busy) > 0);
  });

  it('knows the operator hours far enough ahead for a queue of half a year', () => {
    const operator = { timeZone: 'UTC', begin: 8 * 60, end: 20 * 60 };
    const jobs = Array.from({ length: 900 }, (_, index) => job(`job${index}`, { hours: 8 }));
    const { lines, value } = plan(jobs, [h2d, giga, artisan], { operator });
    assert.equal(lines.length, 900);
    assert.ok(lines.every((line) => line.start !== null));
    assert.ok(value && value.gap > 0 && value.gap < 1, JSON.stringify(value));
  });

  it('lets printers finish together once no job has arrived for a day, and favours short jobs while they arrive', () => {
    const operator = { timeZone: 'UTC', begin: 0, end: 0 };
    const twin = printer('twin', [325, 320, 325]);
    const lastEnd = (createdAt: number): number => {
      const jobs = [2, 2, 2, 10].map((hours, index) => job(`job${index}`, { hours, createdAt }));
      const { lines } = plan(jobs, [h2d, twin], { operator });
      return Math.max(...lines.map((line) => Date.parse(line.end ?? '') - now)) / hour;
    };
    assert.ok(lastEnd(now - hour) > 12);
    assert.ok(lastEnd(now - 25 * hour) < 11);
  });
});

describe('The reason why a printer is idle', () => {
  const because = (more: Partial<Snapshot>, place = giga): string => {
    const snapshot = {
      now,
      jobs: [job('long', { hours: 9 }), job('short')],
      clearMinutes: 5,
      changeMinutes: 12,
      ...more,
    };
    return explainPrinter({ ...snapshot, printers: [place] }, makePlan({ ...snapshot, printers: [place] }), place)
      .because;
  };
  const at = (hours: number): number => now + hours * hour;
  const maintenance = (from: number, until: number): PlanningPrinter => ({
    ...giga,
    closed: [{ from: at(from), until: at(until), reason: 'new nozzle' }],
  });

  it('is quiet hours, with their end', () => {
    const quiet = { timeZone: 'UTC', begin: 10 * 60, end: 15 * 60 };
    assert.equal(because({ quiet }), 'no print starts in quiet hours, until 2026-11-24T15:00:00.000Z');
    assert.doesNotMatch(because({ quiet: { ...quiet, begin: 14 * 60 } }), /quiet/);
  });

  it('is a closure, also one that no waiting job would finish before', () => {
    assert.match(because({}, maintenance(-1, 3)), /may not print until 2026-11-24T15:00:00.000Z: new nozzle/);
    assert.match(because({}, maintenance(1, 3)), /may not print from .* until 2026-11-24T15:00:00.000Z: new nozzle/);
    assert.doesNotMatch(because({}, maintenance(3, 5)), /new nozzle/);
  });
});
