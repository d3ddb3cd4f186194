import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { printerId } from '../../lib/model/ids';
import { attemptsOf } from '../../lib/store/attempts';
import { findJob } from '../../lib/store/jobs';
import { findPrinter } from '../../lib/store/printers';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';

const lines = ['elegoo_giga', 'snapmaker_artisan', 'bamboo_h2d'].map(printerId);

describe('The copies of a job', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  afterEach(() => dropFarm(farm));

  it('start in order, each once, and again only if one was not done', async () => {
    const job = await addJob(farm, 'part', { copies: 3 });
    const begin = async (printer: number) =>
      await tick(
        farm,
        { lines: [{ jobId: job, printerId: lines[printer] ?? assert.fail(), ready: true }] },
        'scheduler',
      );
    const copies = async () => (await attemptsOf(farm.database, job)).map(({ copy }) => copy).sort();
    await begin(0);
    await begin(1);
    assert.deepEqual(await copies(), [1, 2]);
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', ended_at = now(), fence = 1, outcome = CASE WHEN copy = 1 THEN 'completed' ELSE 'failed' END`,
    );
    await farm.database.query('UPDATE print_jobs SET copies_done = 1 WHERE id = $1', [job]);
    await begin(0);
    await begin(1);
    assert.deepEqual(await copies(), [1, 2, 2, 3]);
    const { refused } = await begin(2);
    assert.equal(refused[0]?.reason, 'no copy of the job is left to start');
  });

  it('are dispatched with the print data, from the chosen slot', async () => {
    const job = await addJob(farm, 'part');
    const { assignments } = await tick(
      farm,
      { lines: [{ jobId: job, printerId: printerId('elegoo_giga'), ready: true }] },
      'ada',
    );
    const [attempt] = await attemptsOf(farm.database, job);
    assert.deepEqual(assignments, [
      { jobId: job, printerId: 'elegoo_giga', attemptId: attempt?.id, status: 'scheduled' },
    ]);
    const spool = (
      await farm.database.query<{ spool_id: string }>(
        `SELECT spool_id FROM printer_slots WHERE printer_id = 'elegoo_giga' AND slot = 'extruder'`,
      )
    ).rows[0];
    assert.deepEqual(
      [attempt?.slot, attempt?.tool, attempt?.plate, attempt?.spoolId, attempt?.reservedGrams],
      ['extruder', 0, 1, spool?.spool_id, 10],
    );
    assert.match(attempt?.fileName ?? '', /^pw-part-[0-9a-f]{32}\.gcode$/);
    const { rows } = await farm.database.query<{ body: Record<string, unknown> }>(
      `SELECT body FROM outbox WHERE kind = 'dispatch'`,
    );
    assert.deepEqual(rows[0]?.body['attempt'], {
      attempt_id: attempt?.id,
      copy: 1,
      printer_id: 'elegoo_giga',
      file_name: attempt?.fileName,
      slot: 'extruder',
      model_sha256: '0'.repeat(64),
    });
  });

  it('start nowhere that a plan did not call ready, nor while the farm is paused', async () => {
    const job = await addJob(farm, 'part');
    const line = { jobId: job, printerId: printerId('elegoo_giga') };
    assert.deepEqual(await tick(farm, { lines: [{ ...line, ready: false }] }, 'ada'), { assignments: [], refused: [] });
    await farm.database.query(`INSERT INTO farm_pause (paused_by) VALUES ('ada')`);
    assert.deepEqual(await tick(farm, { lines: [{ ...line, ready: true }] }, 'ada'), { assignments: [], refused: [] });
    assert.equal((await findPrinter(farm.database, line.printerId)).fence, 0);
  });

  it('are fed by the spool of the chosen slot, on the chosen printer', async () => {
    await farm.database.query(
      `UPDATE printer_slots SET slot = 'nozzle1' WHERE printer_id = 'bamboo_h2d' AND slot = 'ams0-0'`,
    );
    const { rows: moved } = await farm.database.query<{ spool_id: string }>(
      `SELECT spool_id FROM printer_slots WHERE printer_id = 'snapmaker_artisan' AND slot = 'nozzle0'`,
    );
    await farm.database.query(`UPDATE printer_slots SET spool_id = NULL WHERE printer_id = 'snapmaker_artisan'`);
    await farm.database.query(
      `UPDATE printer_slots SET spool_id = $1 WHERE printer_id = 'snapmaker_artisan' AND slot = 'nozzle1'`,
      [moved[0]?.spool_id],
    );
    const job = await addJob(farm, 'part');
    await tick(farm, { lines: [{ jobId: job, printerId: printerId('snapmaker_artisan'), ready: true }] }, 'ada');
    const [attempt] = await attemptsOf(farm.database, job);
    const { rows } = await farm.database.query<{ spool_id: string }>(
      `SELECT spool_id FROM printer_slots WHERE printer_id = 'snapmaker_artisan' AND slot = $1`,
      [attempt?.slot],
    );
    assert.ok(attempt?.spoolId);
    assert.equal(attempt.spoolId, rows[0]?.spool_id);
    const { name } = await findPrinter(farm.database, 'snapmaker_artisan');
    const found = await findJob(farm.database, job);
    assert.deepEqual([found.statusReason, found.assignedPrinterId], [`planned for ${name}`, 'snapmaker_artisan']);
  });
});
