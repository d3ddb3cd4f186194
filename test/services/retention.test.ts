import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import { attemptId, type JobId, printerId } from '../../lib/model/ids';
import { forgetHistory } from '../../lib/services/maintenance/retention';
import { insertAttempt } from '../../lib/store/attempts';
import { numbers } from '../../lib/views/numbers';
import { addJob, dropFarm, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');

describe('Retention', () => {
  let farm: Farm;
  const open = async (days: Partial<{ keepJobsDays: number; keepKeysDays: number }>): Promise<void> => {
    farm = await openBareFarm(days);
  };
  afterEach(() => dropFarm(farm));

  /** A job that was cancelled this many days ago, with a line of history, a key and an attempt that printed 12 g. */
  const endedJob = async (name: string, days: number, more: Parameters<typeof addJob>[2] = {}): Promise<JobId> => {
    const id = await addJob(farm, name, more);
    const attempt = attemptId(randomUUID());
    await farm.database.transaction(async (tx) => {
      await insertAttempt(tx, {
        ...{ id: attempt, jobId: id, copy: 1, printerId: giga, fileName: `${attempt}.gcode`, slot: 'extruder' },
        ...{ tool: 0, plate: 1, spoolId: null, reservedGrams: 12 },
      });
      await tx.query(
        `UPDATE print_attempts SET phase = 'ended', outcome = 'failed', started_at = now(), ended_at = now() WHERE id = $1`,
        [attempt],
      );
      await tx.query(
        `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, grams, cost_usd)
         VALUES ($1, $2, $3, 'pla_black_esun', 'failed', 12, 3)`,
        [id, attempt, giga],
      );
      await tx.query(
        `INSERT INTO idempotency_keys (key, request_digest, job_id, created_at)
         VALUES ($1, repeat('a', 64), $2, now() - make_interval(days => $3))`,
        [name, id, days],
      );
      await tx.query(
        `UPDATE print_jobs SET status = 'cancelled', completed_at = now() - make_interval(days => $2) WHERE id = $1`,
        [id, days],
      );
    });
    return id;
  };
  const names = async (): Promise<string[]> =>
    (await farm.database.query<{ job_name: string }>('SELECT job_name FROM print_jobs ORDER BY job_name')).rows.map(
      (row) => row.job_name,
    );
  const count = async (table: string): Promise<number> =>
    (await farm.database.query<{ count: number }>(`SELECT count(*)::int AS count FROM ${table}`)).rows[0]?.count ?? 0;

  it('removes nothing by default', async () => {
    await open({});
    await endedJob('ancient', 4000);
    assert.deepEqual(await forgetHistory(farm), { jobs: 0, keys: 0 });
    assert.deepEqual(await names(), ['ancient']);
  });

  it('removes a job that ended long ago, with everything that belongs to it; its outcome stays', async () => {
    await open({ keepJobsDays: 10 });
    await endedJob('old', 11);
    await endedJob('young', 9);
    await addJob(farm, 'waiting');
    const before = await numbers(farm, { by: 'material' });
    assert.deepEqual(await forgetHistory(farm), { jobs: 1, keys: 0 });
    assert.deepEqual(await names(), ['waiting', 'young']);
    assert.deepEqual(
      [await count('print_attempts'), await count('idempotency_keys'), await count('print_outcomes')],
      [1, 1, 2],
    );
    const after = await numbers(farm, { by: 'material' });
    assert.deepEqual([after.total.grams, after.total.prints], [24, 2]);
    assert.deepEqual([after.total.grams, after.total.cost_usd], [before.total.grams, before.total.cost_usd]);
    assert.deepEqual(await forgetHistory(farm), { jobs: 0, keys: 0 });
  });

  it('never removes anything that is still needed', async () => {
    await open({ keepJobsDays: 1 });
    const dependency = await endedJob('dependency', 5);
    await addJob(farm, 'dependant', { dependsOn: [dependency] });
    await endedJob('kit, done', 5, { kitId: 'lamp' });
    await addJob(farm, 'kit, open', { kitId: 'lamp' });
    const onBed = await endedJob('on the bed', 5);
    await farm.database.query(
      `UPDATE printers SET bed_state = 'occupied', bed_cause = 'attempt',
         bed_attempt_id = (SELECT id FROM print_attempts WHERE job_id = $1) WHERE id = $2`,
      [onBed, giga],
    );
    const given = await endedJob('given up', 5);
    await farm.database.query(`INSERT INTO dead_letters (job_id, reason, message) VALUES ($1, 'broken', '{}')`, [
      given,
    ]);
    const all = await names();
    assert.deepEqual(await forgetHistory(farm), { jobs: 0, keys: 0 });
    assert.deepEqual(await names(), all);
    await farm.database.query(`UPDATE dead_letters SET resolved_at = now(), resolution = 'discarded'`);
    assert.deepEqual(await forgetHistory(farm), { jobs: 1, keys: 0 });
  });

  it('removes a key that is older than keys are kept, without its job', async () => {
    await open({ keepKeysDays: 2 });
    await endedJob('old', 3);
    await endedJob('young', 1);
    assert.deepEqual(await forgetHistory(farm), { jobs: 0, keys: 1 });
    assert.deepEqual(await names(), ['old', 'young']);
  });
});
