import assert from 'node:assert/strict';
import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import { createReadStream } from 'node:fs';
import { join } from 'node:path';
import { clearBedOf } from '../../lib/jobs/changes';
import { type Reassigned, reassign } from '../../lib/jobs/reassign';
import { submitJob } from '../../lib/jobs/submit';
import { ConflictError, MalformedInputError, UnacceptableInputError } from '../../lib/model/errors';
import { storeFile } from '../../lib/shared-files/take-file';
import { writeBox } from '../support/models';
import { SimulatedFarm } from '../support/simulated-farm';

const giga = 'elegoo_giga';
const artisan = 'snapmaker_artisan';

describe('Giving a job to another printer', () => {
  let farm: SimulatedFarm;
  beforeEach(async () => {
    farm = await new SimulatedFarm({ printers: [giga, artisan], speed: 500 }).start();
    await farm.online();
  });
  afterEach(async () => {
    await farm.stop();
  });

  const submit = async (more: Record<string, unknown> = {}): Promise<string> => {
    const model = writeBox(join(farm.directory, 'models', 'box.stl'), 20, 20, 20);
    const stored = await storeFile(farm.farm, createReadStream(model), 'box.stl');
    const job = { job_name: 'box', stl_path: stored.stl_path, material_id: 'pla_black_esun', ...more };
    return (await submitJob(farm.farm, job, 'test')).job_id;
  };
  const starts = (id: string): number => farm.truth(id).filter(({ event }) => event === 'start').length;

  /** Reassigns the job as soon as its attempt passes a moment. */
  const at = (moment: string, jobId: () => string): Promise<Reassigned> =>
    new Promise((resolve, reject) => {
      const listener = (told: unknown): void => {
        if ((told as { moment: string }).moment !== moment) return;
        unsubscribe('platewise:attempt', listener);
        reassign(farm.farm, jobId(), { force_printer: artisan }, 'operator').then(resolve, reject);
      };
      subscribe('platewise:attempt', listener);
    });

  for (const moment of ['claim:after', 'preparing:after', 'uploading:after']) {
    it(`withdraws it after ${moment}, and nothing of it starts there`, async () => {
      const id = await submit({ force_printer: giga, hold: true });
      const moved = at(moment, () => id);
      await farm.farm.database.query('UPDATE print_jobs SET hold = false WHERE id = $1', [id]);
      farm.schedule();
      const answer = await moved;
      assert.deepEqual([answer.force_printer, answer.taken_from], [artisan, [giga]]);
      const job = await farm.until(id, 'completed');
      assert.deepEqual(
        job.attempts.map(({ printer_id, outcome }) => [printer_id, outcome]),
        [
          [giga, 'withdrawn'],
          [artisan, 'completed'],
        ],
      );
      assert.deepEqual([starts(giga), starts(artisan)], [0, 1]);
      assert.ok(
        job.history.some(({ reason, changed_by }) => /reassigned/.test(reason ?? '') && changed_by === 'operator'),
      );
      assert.equal(job['retry_count'], 0, 'a reassignment is not a failure');
    });
  }

  // From the upload on, the start may win.
  for (const moment of ['upload:before', 'starting:before']) {
    it(`either moves it or is rejected at ${moment}, and it is printed once`, async () => {
      const id = await submit({ force_printer: giga, hold: true });
      const moved = at(moment, () => id);
      await farm.farm.database.query('UPDATE print_jobs SET hold = false WHERE id = $1', [id]);
      farm.schedule();
      const refused = await moved.then(
        () => false,
        (error: unknown) => error instanceof ConflictError,
      );
      await farm.until(id, 'completed');
      assert.deepEqual([starts(giga), starts(artisan)], refused ? [1, 0] : [0, 1]);
    });
  }

  it('is rejected once the job prints, and after it has ended', async () => {
    const id = await submit({ force_printer: giga });
    await farm.until(id, 'printing');
    await assert.rejects(reassign(farm.farm, id, { force_printer: artisan }, 'operator'), ConflictError);
    await farm.until(id, 'completed');
    await assert.rejects(reassign(farm.farm, id, { force_printer: null }, 'operator'), ConflictError);
    await clearBedOf(farm.farm, giga, {}, 'operator');
  });

  it('names the error in the printer field, and changes nothing', async () => {
    const id = await submit({ force_printer: giga, hold: true });
    for (const [body, kind] of [
      [{}, MalformedInputError],
      [{ force_printer: 'nobody' }, UnacceptableInputError],
    ] as const) {
      await assert.rejects(
        reassign(farm.farm, id, body, 'operator'),
        (error: unknown) => error instanceof kind && error.errors[0]?.field === 'force_printer',
      );
    }
    const job = await farm.until(id, 'queued');
    assert.equal(job['force_printer'], giga);
    assert.equal(job.history.length, 1);
    await reassign(farm.farm, id, { force_printer: null }, 'operator');
    assert.equal((await farm.until(id, 'queued'))['force_printer'], null);
  });
});
