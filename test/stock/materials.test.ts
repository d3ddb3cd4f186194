import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { parseStatusMessage } from '../../lib/contracts/messages';
import type { Farm } from '../../lib/farm/farm';
import { recordOutcome } from '../../lib/jobs/record-outcome';
import { settle } from '../../lib/jobs/settle';
import { type AttemptId, attemptId, type JobId, materialId, printerId, type SpoolId } from '../../lib/model/ids';
import { parseRetryPolicy } from '../../lib/model/retry-policy';
import { materials } from '../../lib/stock/materials';
import { type Attempt, findAttempt, insertAttempt } from '../../lib/store/attempts';
import { findJob, lockJob } from '../../lib/store/jobs';
import { deductGrams, findSpool, insertSpool, missingGrams } from '../../lib/store/materials';
import { addJob as addJobTo, dropFarm, openBareFarm } from '../support/bare-farm';
import { bringJobTo } from '../support/stages';

const pla = materialId('pla_black_esun');
const giga = printerId('elegoo_giga');

describe('Grams', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  after(async () => {
    await dropFarm(farm);
  });

  const addJob = (grams: number, copies = 1): Promise<JobId> =>
    addJobTo(farm, 'part', { estimatedGrams: grams, copies });

  const addSpool = async (grams: number): Promise<SpoolId> =>
    (await farm.database.transaction((tx) => insertSpool(tx, { materialId: pla, grams, label: null }))).id;

  async function addAttempt(jobId: JobId, grams: number, spoolId: SpoolId): Promise<AttemptId> {
    const id = attemptId(randomUUID());
    await farm.database.transaction((tx) =>
      insertAttempt(tx, {
        id,
        jobId,
        copy: 1,
        printerId: giga,
        fileName: `${id}.gcode`,
        slot: 'extruder',
        tool: 0,
        plate: 1,
        spoolId,
        reservedGrams: grams,
      }),
    );
    return id;
  }

  /** An attempt of a new job that was printing and has ended. */
  async function endedAttempt(grams: number, spoolId: SpoolId): Promise<Attempt> {
    const jobId = await addJob(grams);
    const id = await addAttempt(jobId, grams, spoolId);
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', outcome = 'failed', started_at = now() - interval '2 hours', ended_at = now(),
         estimated_grams = $2, estimated_seconds = 7200 WHERE id = $1`,
      [id, grams],
    );
    await bringJobTo(farm.database, jobId, 'printing');
    const attempt = await findAttempt(farm.database, id);
    assert.ok(attempt);
    return attempt;
  }

  const deduct = (attempt: AttemptId, spool: SpoolId, grams: number) =>
    farm.database.transaction((tx) => deductGrams(tx, { attemptId: attempt, spoolId: spool, grams, lowGrams: 150 }));

  const record = (attempt: Attempt, more: Partial<Parameters<typeof recordOutcome>[2]> = {}) =>
    farm.database.transaction(async (tx) =>
      recordOutcome(tx, await lockJob(tx, attempt.jobId), {
        attempt,
        outcome: 'failed',
        reason: 'the print failed',
        timeScale: 1,
        sawItRun: true,
        lastProgress: 0.25,
        filamentMm: null,
        tariff: undefined,
        lowStockGrams: 150,
        actor: 'test',
        ...more,
      }),
    );

  const gramsLeft = async (spool: SpoolId) => (await findSpool(farm.database, spool)).gramsLeft;

  it('are deducted from a spool once per attempt, however often it is retried, and never below zero', async () => {
    const spool = await addSpool(1000);
    const first = await endedAttempt(400, spool);
    await Promise.all([1, 2, 3].map(() => deduct(first.id, spool, 400)));
    assert.equal(await gramsLeft(spool), 600);
    await deduct(first.id, spool, 50);
    assert.equal(await gramsLeft(spool), 600);
    await assert.rejects(
      farm.database.query('INSERT INTO spool_deductions (attempt_id, spool_id, grams) VALUES ($1, $2, 1)', [
        first.id,
        spool,
      ]),
      /spool_deductions_pkey/,
    );
    const second = await endedAttempt(900, spool);
    await deduct(second.id, spool, 900);
    assert.equal(await gramsLeft(spool), 0);
    await assert.rejects(farm.database.query('UPDATE spools SET grams_left = -1 WHERE id = $1', [spool]), /grams_left/);
    const { rows } = await farm.database.query<{ grams: number }>(
      'SELECT sum(grams)::float8 AS grams FROM spool_deductions WHERE spool_id = $1',
      [spool],
    );
    assert.equal(rows[0]?.grams, 1000, 'the amounts used and left add up to the whole spool');
  });

  it('for a failed print are those that its printer counted, or else the observed share', async () => {
    const spool = await addSpool(1000);
    const seen = await endedAttempt(100, spool);
    await record(seen);
    assert.equal(await gramsLeft(spool), 975);
    const counted = await endedAttempt(100, spool);
    const { outcomeId } = await record(counted, { filamentMm: 10_000, reason: 'the nozzle is clogged' });
    // 10 m of 1.75 mm at 1.24 g/cm³
    const grams = 10_000 * Math.PI * 0.875 ** 2 * 0.00124;
    assert.ok(Math.abs((await gramsLeft(spool)) - (975 - grams)) < 0.01);
    const { rows } = await farm.database.query<Record<string, number | string>>(
      'SELECT grams, filament_usd, machine_usd, electricity_usd, cost_usd, duration_hours, failure_kind FROM print_outcomes WHERE id = $1',
      [outcomeId],
    );
    const [row] = rows;
    assert.ok(row && Math.abs(Number(row['grams']) - grams) < 0.01);
    assert.ok(Math.abs(Number(row['filament_usd']) - (grams / 1000) * 19.99) < 0.01);
    assert.ok(Math.abs(Number(row['machine_usd']) - 2 * 1.4) < 0.01);
    assert.equal(Number(row['electricity_usd']), 0);
    assert.equal(row['failure_kind'], null);
    await assert.rejects(record(counted), /print_outcomes_attempt_id_key/, 'an attempt has one outcome');
  });

  it('trigger one event when a spool becomes low', async () => {
    const spool = await addSpool(200);
    const told = async () =>
      (
        await farm.database.query<{ body: unknown }>(
          `SELECT body FROM outbox WHERE body->>'event' = 'low_stock' AND body->>'spool_id' = $1`,
          [spool],
        )
      ).rows.map((row) => row.body);
    await deduct((await endedAttempt(40, spool)).id, spool, 40);
    assert.deepEqual(await told(), []);
    await deduct((await endedAttempt(40, spool)).id, spool, 40);
    await deduct((await endedAttempt(40, spool)).id, spool, 40);
    const [body, ...others] = await told();
    assert.equal(others.length, 0);
    const message = parseStatusMessage(body);
    assert.ok(message.event === 'low_stock' && message.grams_left === 120 && message.material_id === pla);
  });

  it('are promised by material from submission on, for every copy', async () => {
    const of = async () =>
      (await materials(farm)).materials.find((one) => (one as { material_id: string }).material_id === pla) as {
        grams_left: number;
        grams_promised: number;
      };
    const before = await of();
    const id = await addJob(30, 4);
    assert.equal((await of()).grams_promised, before.grams_promised + 120);
    await farm.database.query('UPDATE print_jobs SET copies_done = 3 WHERE id = $1', [id]);
    assert.equal((await of()).grams_promised, before.grams_promised + 30);
    await farm.database.query(`UPDATE print_jobs SET status = 'cancelled', completed_at = now() WHERE id = $1`, [id]);
    assert.equal((await of()).grams_promised, before.grams_promised);
  });

  it('are found missing on a spool once a print is sliced', async () => {
    const spool = await addSpool(50);
    const attempt = await addAttempt(await addJob(40), 40, spool);
    assert.equal(await missingGrams(farm.database, attempt), 0);
    await farm.database.query('UPDATE print_attempts SET reserved_grams = 80 WHERE id = $1', [attempt]);
    assert.equal(await missingGrams(farm.database, attempt), 30);
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', outcome = 'not_started', ended_at = now() WHERE id = $1`,
      [attempt],
    );
  });

  describe('A failure by kind', () => {
    const fail = async (reason: string, policy: string, spool: SpoolId) => {
      const attempt = await endedAttempt(10, spool);
      const { failureKind } = await record(attempt, { reason });
      await farm.database.transaction(async (tx) =>
        settle(tx, await lockJob(tx, attempt.jobId), {
          attempt,
          outcome: 'failed',
          reason,
          actor: 'test',
          failure: 'transient',
          failureKind,
          retryPolicy: parseRetryPolicy(policy),
        }),
      );
      return findJob(farm.database, attempt.jobId);
    };

    it('is retried as before while the policy is off', async () => {
      const job = await fail('first layer: the part came loose', '', await addSpool(500));
      assert.equal(job.status, 'queued');
      assert.deepEqual(job.retrySettings, {});
      assert.doesNotMatch(job.statusReason ?? '', /hotter/);
      assert.equal(job.failedOn, giga);
      assert.ok(job.failedAt !== null, 'the preference for another printer fades from then on');
    });

    it('is retried with other settings if the owner has enabled it, which the history records', async () => {
      const loose = await fail('poor bed adhesion', 'adhesion, spaghetti', await addSpool(500));
      assert.deepEqual(loose.retrySettings, { first_layer_speed_factor: 0.6, bed_temp_offset: 5 });
      const { rows } = await farm.database.query<{ reason: string }>(
        'SELECT reason FROM job_status_history WHERE job_id = $1 ORDER BY id DESC LIMIT 1',
        [loose.id],
      );
      assert.match(rows[0]?.reason ?? '', /first layer at 60 % of its speed, the bed 5 °C hotter/);
      const noodles = await fail('Spaghetti was detected', 'adhesion, spaghetti', await addSpool(500));
      assert.deepEqual(noodles.retrySettings, { speed_factor: 0.7 });
      const other = await fail('poor bed adhesion', 'spaghetti', await addSpool(500));
      assert.deepEqual(other.retrySettings, {});
    });

    it('uses another spool after a run-out', async () => {
      const spool = await addSpool(500);
      const job = await fail('Filament ran out', 'run_out', spool);
      assert.equal(await gramsLeft(spool), 0);
      assert.match(job.statusReason ?? '', /another spool/);
    });
  });
});
