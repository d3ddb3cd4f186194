import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { createReadStream, readFileSync } from 'node:fs';
import type { Farm } from '../../lib/farm/farm';
import { previewJob } from '../../lib/jobs/preview';
import { submitJob } from '../../lib/jobs/submit';
import { UnacceptableInputError } from '../../lib/model/errors';
import { FileOffers } from '../../lib/services/file-offers';
import { storeFile } from '../../lib/shared-files/take-file';
import { fixture } from '../fixtures';
import { openBareFarm } from '../support/bare-farm';

const cube = fixture('models', '20mm-xyz-cube.stl');

describe('Two API nodes with separate data directories', () => {
  let here: Farm;
  let there: Farm;
  let offers: FileOffers;
  before(async () => {
    const schema = `test_${randomUUID().replaceAll('-', '')}`;
    here = await openBareFarm({ schema });
    there = await openBareFarm({ schema });
    offers = new FileOffers(here);
    await offers.start();
  });
  after(async () => {
    await offers.stop();
    await here.database.query(`DROP SCHEMA ${here.database.schema} CASCADE`);
    await there.close();
    await here.close();
  });

  const job = (stl_path: string) => ({ job_name: 'cube', stl_path, material_id: 'pla_black_esun' });
  const upload = () => storeFile(here, createReadStream(cube), 'cube.stl');
  const forget = async () => {
    await here.database.query('DELETE FROM shared_files');
    for await (const { path } of there.files.list()) await there.files.remove(path);
  };

  it('accept each other’s files like their own', async () => {
    const { stl_path, sha256 } = await upload();
    const { job_id } = await submitJob(there, job(stl_path), 'test');
    assert.ok(job_id);
    assert.deepEqual(readFileSync(there.files.pathOf(sha256, '.stl')), readFileSync(cube));
    await forget();
    const preview = await previewJob(there, job((await upload()).stl_path));
    assert.ok((preview.estimated_grams ?? 0) > 0);
  });

  it('fetch a file that was shared long ago and has been removed since', async () => {
    const { stl_path } = await upload();
    await forget();
    assert.equal((await submitJob(there, job(stl_path), 'test')).status, 'queued');
  });

  it('reject a file that neither of them has, and one that only looks like a stored file', async () => {
    const { stl_path, sha256 } = await upload();
    await forget();
    await here.files.remove(stl_path);
    const unknown = stl_path.replaceAll(sha256.slice(2), `${'0'.repeat(62)}`);
    for (const path of [stl_path, unknown, '/etc/passwd', `/srv/sha256/00/../../${sha256}.stl`]) {
      await assert.rejects(
        submitJob(there, job(path), 'test'),
        (error) => error instanceof UnacceptableInputError && error.errors[0]?.field === 'stl_path',
        path,
      );
    }
  });
});
