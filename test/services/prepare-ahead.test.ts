import assert from 'node:assert/strict';
import { createReadStream, existsSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { clearBedOf } from '../../lib/jobs/changes';
import { submitJob } from '../../lib/jobs/submit';
import { removeOldFiles } from '../../lib/services/maintenance/retention';
import { storeFile } from '../../lib/shared-files/take-file';
import type { JobView } from '../../lib/views/queries';
import { writeBox } from '../support/models';
import { SimulatedFarm } from '../support/simulated-farm';

const printer = 'elegoo_giga';

describe('Slicing ahead', () => {
  let farm: SimulatedFarm;
  before(async () => {
    farm = await new SimulatedFarm({ printers: [printer], speed: 500 }).start();
    await farm.online();
  });
  after(() => farm.stop());

  async function submit(edge: number, more: Record<string, unknown> = {}): Promise<string> {
    const model = writeBox(join(farm.directory, 'models', `box-${edge}.stl`), edge, edge, edge);
    const { stl_path } = await storeFile(farm.farm, createReadStream(model), 'box.stl');
    const body = { job_name: `box ${edge}`, stl_path, material_id: 'pla_black_esun', ...more };
    return (await submitJob(farm.farm, body, 'test')).job_id;
  }

  const prepared = async () =>
    (await farm.farm.database.query<{ gcode_sha256: string }>('SELECT gcode_sha256 FROM prepared_prints')).rows.map(
      (row) => row.gcode_sha256,
    );

  async function untilPrepared(count: number): Promise<string[]> {
    for (;;) {
      const rows = await prepared();
      if (rows.length >= count) return rows;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }

  const sliceOf = (job: JobView) => job.attempts[0]?.gcode_sha256;

  it('makes the next print file while the bed is occupied, and the start uses it', async () => {
    await farm.until(await submit(10), 'completed');
    const before = await prepared();
    // Its agent may have sliced it at the same moment; one of the two files is kept.
    assert.equal(before.length, 1);
    const second = await submit(11);
    const [ahead] = (await untilPrepared(2)).filter((sha256) => !before.includes(sha256));
    // The log follows the row of the print file.
    while (!farm.log.some((line) => line.includes('"box 11" is sliced ahead')))
      await new Promise((resolve) => setTimeout(resolve, 20));
    await clearBedOf(farm.farm, printer, {}, 'operator');
    farm.schedule();
    const job = await farm.until(second, 'completed');
    assert.equal(sliceOf(job), ahead);
    assert.equal((await prepared()).length, 2, 'it was not sliced again');
    const at = (status: string) => Date.parse(job.history.find((line) => line.to_status === status)?.changed_at ?? '');
    console.log(`      scheduled to upload: ${at('uploading') - at('scheduled')} ms (limit 1000)`);
  });

  it('slices the same input once, and again when a setting differs', async () => {
    await clearBedOf(farm.farm, printer, {}, 'operator');
    const same = await farm.until(await submit(11), 'completed');
    assert.equal((await prepared()).length, 2);
    assert.ok((await prepared()).includes(sliceOf(same) ?? ''));
    await submit(11, { print_settings: { infill: 40 } });
    await untilPrepared(3);
  });

  it('keeps files in use, and removes files that were unused for long', async () => {
    await clearBedOf(farm.farm, printer, {}, 'operator');
    const model = writeBox(join(farm.directory, 'models', 'unused.stl'), 5, 6, 7);
    const unused = (await storeFile(farm.farm, createReadStream(model), 'unused.stl')).stl_path;
    const held = await submit(12, { hold: true });
    const { rows } = await farm.farm.database.query<{ stl_path: string }>(
      'SELECT stl_path FROM print_jobs WHERE id = $1',
      [held],
    );
    const used = rows[0]?.stl_path ?? '';
    const long = new Date(Date.now() - 40 * 86_400_000);
    for (const path of [unused, used]) utimesSync(path, long, long);
    assert.equal(await removeOldFiles(farm.farm), 1);
    assert.equal(existsSync(unused), false);
    assert.equal(existsSync(used), true);
    utimesSync(used, long, long);
    const again = await submit(12, { hold: true });
    assert.ok(again);
    // Accepted again, it counts as new, whatever happens to the first job.
    await farm.farm.database.query('DELETE FROM print_jobs WHERE id = ANY ($1::uuid[])', [[held, again]]);
    assert.equal(await removeOldFiles(farm.farm), 0);
    assert.equal((await removeOldFiles(farm.farm, Date.now() + 31 * 86_400_000)) > 0, true);
    assert.equal(existsSync(used), false);
  });

  it('rejects a job whose file is gone', async () => {
    const model = writeBox(join(farm.directory, 'models', 'gone.stl'), 8, 6, 7);
    const { stl_path } = await storeFile(farm.farm, createReadStream(model), 'gone.stl');
    await farm.farm.files.remove(stl_path);
    await farm.farm.database.query('DELETE FROM shared_files');
    await assert.rejects(
      submitJob(farm.farm, { job_name: 'gone', stl_path, material_id: 'pla_black_esun' }, 'test'),
      /stl_path/,
    );
  });
});
