import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { reassign } from '../../lib/jobs/reassign';
import type { AttemptPhase } from '../../lib/model/attempt';
import { printerId } from '../../lib/model/ids';
import { findJob, historyOf } from '../../lib/store/jobs';
import { arrangeAttempt, attemptOf, endAllAttempts } from '../support/attempts';
import { addJob, dropFarm, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');
const artisan = printerId('snapmaker_artisan');

describe('A job that is reassigned to another printer, in the database', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(() => endAllAttempts(farm));
  after(() => dropFarm(farm));

  const give = (job: string, to: string | null, versions?: number[]) =>
    reassign(farm, job, { force_printer: to }, 'ada', versions);

  for (const phase of ['dispatched', 'claimed', 'preparing', 'uploading'] as const satisfies AttemptPhase[]) {
    it(`is withdrawn while it is ${phase}: nothing was sent`, async () => {
      const { job, attempt } = await arrangeAttempt(farm, phase);
      const told: string[] = [];
      const unlisten = await farm.database.listen((payload) => told.push(payload));
      assert.deepEqual(await give(job, artisan), {
        job_id: job,
        status: 'queued',
        force_printer: artisan,
        taken_from: [giga],
      });
      const { outcome, reason } = await attemptOf(farm, attempt);
      assert.deepEqual([outcome, reason], ['withdrawn', `reassigned to ${artisan} by ada`]);
      const { statusReason, retryCount, failedOn } = await findJob(farm.database, job);
      assert.deepEqual([statusReason, retryCount, failedOn], [`reassigned to ${artisan} by ada`, 0, null]);
      const end = performance.now() + 3000;
      while (!told.includes(`attempt:${attempt}`) && performance.now() < end)
        await new Promise((resolve) => setTimeout(resolve, 10));
      unlisten();
      assert.ok(told.includes(`attempt:${attempt}`), 'its agent is notified');
    });
  }

  for (const phase of ['starting', 'outcome_unknown', 'printing'] as const satisfies AttemptPhase[]) {
    it(`stays while its only copy is ${phase}`, async () => {
      const { job, attempt } = await arrangeAttempt(farm, phase);
      await assert.rejects(give(job, artisan), {
        code: 'conflict',
        message: `${giga} prints it already.`,
        remedy: 'Let it end, or cancel the job.',
      });
      assert.equal((await attemptOf(farm, attempt)).phase, phase);
      assert.equal((await findJob(farm.database, job)).forcePrinter, null);
      assert.deepEqual((await give(job, giga)).taken_from, [], 'it may stay where it is');
      assert.deepEqual((await give(job, null)).force_printer, null);
    });
  }

  it('moves with the copies that have not started, and leaves the others', async () => {
    const printing = await arrangeAttempt(farm, 'printing', { copies: 2 });
    const waiting = await arrangeAttempt(farm, 'dispatched', { of: printing.job, copy: 2, printer: 'bamboo_h2d' });
    assert.deepEqual(await give(printing.job, artisan), {
      job_id: printing.job,
      status: 'printing',
      force_printer: artisan,
      taken_from: ['bamboo_h2d'],
    });
    assert.equal((await attemptOf(farm, printing.attempt)).phase, 'printing');
    assert.equal((await attemptOf(farm, waiting.attempt)).outcome, 'withdrawn');
  });

  it('stays if the copies that print are the last', async () => {
    const { job } = await arrangeAttempt(farm, 'printing', { copies: 2 });
    await farm.database.query('UPDATE print_jobs SET copies_done = 1 WHERE id = $1', [job]);
    await assert.rejects(give(job, artisan), { code: 'conflict' });
  });

  it('leaves ended attempts alone', async () => {
    const { job, attempt } = await arrangeAttempt(farm, 'ended');
    assert.deepEqual((await give(job, artisan)).taken_from, []);
    assert.equal((await attemptOf(farm, attempt)).outcome, 'failed');
  });

  it('leaves no printer when any will do', async () => {
    const { job, attempt } = await arrangeAttempt(farm, 'uploading', { forcePrinter: giga });
    assert.deepEqual(await give(job, null), { job_id: job, status: 'uploading', force_printer: null, taken_from: [] });
    assert.equal((await attemptOf(farm, attempt)).phase, 'uploading');
    assert.equal((await historyOf(farm.database, job)).at(-1)?.changed_by, 'ada');
  });

  it('stays where it is if it has ended, is being cancelled, or has changed', async () => {
    const remedy = 'Choose an open job.';
    const job = await addJob(farm, 'part');
    await assert.rejects(give(job, artisan, [99]), { code: 'stale_version' });
    await farm.database.query('UPDATE print_jobs SET cancel_requested_at = now() WHERE id = $1', [job]);
    await assert.rejects(give(job, artisan), { message: 'The job is being cancelled; it cannot move.', remedy });
    await farm.database.query(`UPDATE print_jobs SET status = 'cancelled', completed_at = now() WHERE id = $1`, [job]);
    await assert.rejects(give(job, artisan), { message: 'The job is cancelled; it cannot move.', remedy });
  });

  it('cannot move to a printer that does not exist, or that can never print it', async () => {
    const job = await addJob(farm, 'part', { forcePrinter: giga });
    const remedy = 'Choose another printer, or null for any.';
    await assert.rejects(give(job, 'nobody'), (error: { message: string; errors: unknown }) => {
      assert.match(error.message, /There is no printer "nobody"\./);
      assert.deepEqual(error.errors, [{ field: 'force_printer', value: 'nobody', remedy }]);
      return true;
    });
    await farm.database.query('UPDATE print_jobs SET model_x_mm = 700 WHERE id = $1', [job]);
    await assert.rejects(give(job, artisan), { code: 'unacceptable_input', message: /700/ });
    assert.equal((await findJob(farm.database, job)).forcePrinter, giga);
    assert.equal((await give(job, giga)).force_printer, giga);
  });
});
