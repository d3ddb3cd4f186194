import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { materialId } from '../../lib/model/ids';
import { numbers, numbersCsv } from '../../lib/views/numbers';
import { addJob, dropFarm, openBareFarm } from '../support/bare-farm';
import { bringJobTo } from '../support/stages';

interface Print {
  name: string;
  material?: string;
  printer?: string;
  slot?: string;
  from: string;
  to: string | null;
  outcome?: 'completed' | 'failed' | 'cancelled';
  hours?: number;
  estimated?: number;
  usd?: number;
  deadline?: string;
  warnings?: string[];
}

const march = (day: number, hour: number): string =>
  `2026-03-${String(day).padStart(2, '0')}T${String(hour).padStart(2, '0')}:00:00Z`;
const week = { from: march(1, 0), to: march(4, 0) };

/** Three days of two printers, made by hand; the figures below are counted on paper. */
const prints: Print[] = [
  // Over midnight: 2 h of printing on the 1st, 4 h on the 2nd. It ended on the 2nd, an hour later than estimated, too late.
  {
    ...{ name: 'late', from: march(1, 22), to: march(2, 4), outcome: 'completed', hours: 6, estimated: 5, usd: 3 },
    deadline: march(2, 3),
  },
  // Another filament in the same slot: a swap. In time.
  {
    ...{ name: 'in time', material: 'petg_white_esun', from: march(2, 6), to: march(2, 9), outcome: 'completed' },
    ...{ hours: 3, estimated: 3, usd: 2, deadline: march(3, 0) },
  },
  // The other slot: no swap. Its duration was not observed, so the estimate proves nothing about errors.
  {
    ...{ name: 'unwatched', slot: 'ams0-1', from: march(2, 10), to: march(2, 12), outcome: 'completed' },
    ...{ hours: 2, estimated: 8, usd: 1, warnings: ['nobody watched'] },
  },
  // Fails on the other printer; estimates of failed prints prove nothing either.
  {
    ...{ name: 'failed', printer: 'elegoo_giga', slot: 'extruder', from: march(3, 1), to: march(3, 2) },
    ...{ outcome: 'failed', hours: 1, estimated: 9, usd: 0.5 },
  },
  // Before and after the requested period.
  { name: 'before', slot: 'ams0-2', from: '2026-02-20T00:00:00Z', to: '2026-02-20T05:00:00Z', outcome: 'completed' },
  { name: 'after', slot: 'ams0-2', from: march(9, 0), to: march(9, 1), outcome: 'completed' },
];

describe('The figures of a farm', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
    await farm.database.query(
      `UPDATE printers SET first_connected_at = CASE id WHEN 'bamboo_h2d' THEN $1::timestamptz
         WHEN 'elegoo_giga' THEN $2::timestamptz END, name = CASE id WHEN 'elegoo_giga' THEN '=1+1' ELSE name END`,
      ['2026-01-01T00:00:00Z', march(3, 0)],
    );
    for (const print of prints) await store(print);
    // Due in that period and still open: missed. Cancelled: does not count.
    await addJob(farm, 'forgotten', { deadlineAt: march(2, 12) });
    const cancelled = await addJob(farm, 'cancelled', { deadlineAt: march(2, 12) });
    await farm.database.query(`UPDATE print_jobs SET status = 'cancelled', completed_at = now() WHERE id = $1`, [
      cancelled,
    ]);
  });
  after(() => dropFarm(farm));

  async function store(print: Print): Promise<void> {
    const { printer = 'bamboo_h2d', slot = 'ams0-0', outcome = 'completed', material = 'pla_black_esun' } = print;
    const job = await addJob(farm, print.name, {
      deadlineAt: print.deadline ?? null,
      materialId: materialId(material),
    });
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, slot, file_name, phase, outcome, started_at, ended_at)
       VALUES ($1, 1, $2, $3, $4, 'ended', $5, $6, $7) RETURNING id`,
      [job, printer, slot, print.name, outcome, print.from, print.to],
    );
    await farm.database.query(
      `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, duration_hours, estimated_hours,
         grams, cost_usd, filament_usd, warnings)
       VALUES ($1, $2, $3, $4, $5, $6, $7, 10, $8, $8, $9)`,
      [
        ...[job, rows[0]?.id, printer, material, outcome, print.hours ?? 1, print.estimated ?? 1, print.usd ?? 1],
        JSON.stringify(print.warnings ?? []),
      ],
    );
    await bringJobTo(farm.database, job, 'printing', printer);
    await bringJobTo(farm.database, job, outcome, printer);
    await farm.database.query('UPDATE print_jobs SET completed_at = $2 WHERE id = $1', [job, print.to]);
  }

  it('add up what ended in a period, and no more', async () => {
    const { total, from, to } = await numbers(farm, week);
    assert.deepEqual([from, to], ['2026-03-01T00:00:00.000Z', '2026-03-04T00:00:00.000Z']);
    assert.deepEqual([total.prints, total.completed, total.failed, total.cancelled], [4, 3, 1, 0]);
    assert.equal(total.print_hours, 12);
    assert.equal(total.grams, 40);
    assert.deepEqual([total.cost_usd, total.filament_usd, total.machine_usd], [6.5, 6.5, 0]);
    assert.equal(total.swaps, 1);
    assert.deepEqual([total.deadlines, total.deadlines_kept, total.deadlines_kept_percent], [3, 1, 33.3]);
    assert.equal(total.eta_error_percent, 12.5, 'one hour of eight');
    // Three days of the one printer, one day of the other; 6 + 3 + 2 + 1 hours of printing.
    assert.deepEqual([total.busy_hours, total.available_hours, total.utilisation_percent], [12, 96, 12.5]);
  });

  it('are split by day at midnight, in the requested time zone', async () => {
    const { groups } = await numbers(farm, { ...week, by: 'day' });
    assert.deepEqual(
      groups.map((day) => [day.key, day.prints, day.busy_hours, day.available_hours, day.swaps, day.deadlines]),
      [
        ['2026-03-01', 0, 2, 24, 0, 0],
        ['2026-03-02', 3, 9, 24, 1, 2],
        ['2026-03-03', 1, 1, 48, 0, 1],
      ],
    );
    const east = await numbers(farm, { ...week, by: 'day', time_zone: 'Asia/Tokyo' });
    assert.deepEqual(
      east.groups.map((day) => [day.key, day.prints, day.busy_hours]),
      [
        ['2026-03-01', 0, 0],
        ['2026-03-02', 3, 11],
        ['2026-03-03', 1, 1],
        ['2026-03-04', 0, 0],
      ],
    );
    assert.deepEqual(east.total, (await numbers(farm, week)).total);
  });

  it('are grouped by printer and by material', async () => {
    const { groups } = await numbers(farm, { ...week, by: 'printer' });
    assert.deepEqual(
      groups.map((one) => [one.key, one.prints, one.busy_hours, one.available_hours, one.deadlines, one.cost_usd]),
      [
        ['bamboo_h2d', 3, 11, 72, 2, 6],
        ['elegoo_giga', 1, 1, 24, 0, 0.5],
      ],
    );
    const by = await numbers(farm, { ...week, by: 'material' });
    assert.deepEqual(
      by.groups.map((one) => [one.key, one.name, one.prints, one.swaps, one.deadlines_kept, one.available_hours]),
      [
        ['pla_black_esun', 'eSUN PLA+ black', 3, 0, 0, 96],
        ['petg_white_esun', 'eSUN PETG white', 1, 1, 1, 96],
      ],
    );
  });

  it('are zero and unknown if nothing was printed', async () => {
    const { groups, total } = await numbers(farm, { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z' });
    assert.deepEqual(
      groups.map((day) => [day.key, day.prints, day.utilisation_percent]),
      [['2020-01-01', 0, null]],
    );
    const last = { from: '2020-01-01T00:00:00Z', to: '2020-01-02T00:00:00Z', by: 'material' };
    assert.deepEqual((await numbers(farm, last)).groups, []);
    assert.deepEqual([total.prints, total.cost_usd], [0, 0]);
    assert.deepEqual(
      [total.utilisation_percent, total.deadlines_kept_percent, total.eta_error_percent],
      [null, null, null],
    );
  });

  it('become a table without formulas', async () => {
    const lines = numbersCsv(await numbers(farm, { ...week, by: 'printer' })).split('\r\n');
    assert.match(lines[0] ?? '', /^key,name,prints,completed,/);
    assert.match(lines[2] ?? '', /^elegoo_giga,'=1\+1,1,0,1,/, 'a name that starts like a formula stays text');
    assert.match(lines[3] ?? '', /^total,Total,4,3,1,/);
    assert.equal(lines.length, 5);
    for (const start of ['=', '+', '-', '@']) {
      await farm.database.query(`UPDATE printers SET name = $1 WHERE id = 'elegoo_giga'`, [`${start}SUM(A1)`]);
      assert.ok(numbersCsv(await numbers(farm, { ...week, by: 'printer' })).includes(`,'${start}SUM(A1),`), start);
    }
  });

  it('reject invalid parameters, field by field', async () => {
    const refused = { from: 'yesterday', to: '2026-13-01T00:00:00Z', by: 'colour', time_zone: '+05:00' };
    for (const [field, value] of Object.entries(refused)) {
      await assert.rejects(
        numbers(farm, { [field]: value }),
        (error: { errors?: { field: string; remedy: string }[] }) => error.errors?.[0]?.field === field,
        field,
      );
    }
    await assert.rejects(numbers(farm, { from: '2020-01-01T00:00:00Z' }), /is invalid/);
  });
});
