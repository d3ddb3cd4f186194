import assert from 'node:assert/strict';
import { createReadStream, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Farm } from '../../lib/farm/farm';
import { hold } from '../../lib/jobs/changes';
import { examineAgain } from '../../lib/jobs/examine-again';
import { submitJob } from '../../lib/jobs/submit';
import { snapshotNow } from '../../lib/schedule/plan';
import { storeFile } from '../../lib/shared-files/take-file';
import { findJob, historyOf } from '../../lib/store/jobs';
import { fixture, temporaryDirectory } from '../fixtures';
import { dropFarm, openBareFarm } from '../support/bare-farm';

describe('Jobs that an earlier version accepted', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  after(() => dropFarm(farm));

  /** A job as stored in a database from before the upgrade. */
  async function jobFromBefore(file: string, materialId = 'pla_black_esun'): Promise<string> {
    const stored = await storeFile(farm, createReadStream(file), file);
    const answer = await submitJob(
      farm,
      { job_name: 'from before', stl_path: stored.stl_path, material_id: materialId, accept_unknown_machine: true },
      'test',
    );
    await farm.database.query(
      'UPDATE print_jobs SET file_facts = NULL, plate = NULL, accept_unknown_machine = false WHERE id = $1',
      [answer.job_id],
    );
    return answer.job_id;
  }
  const again = () => examineAgain(farm, new AbortController().signal);

  it('continue if they would be accepted today', async () => {
    const id = await jobFromBefore(fixture('models', '20mm-xyz-cube.stl'));
    await again();
    const job = await findJob(farm.database, id);
    assert.deepEqual(job.fileFacts, { sliced: null, volumes: [] });
    assert.equal(job.hold, false);
  });

  it('are held with the reason if they would be rejected today, and released by an operator', async () => {
    const named = readFileSync(fixture('models', 'self-prusaslicer250-cube20-giga.gcode'), 'utf8');
    const nameless = join(temporaryDirectory(), 'nameless.gcode');
    writeFileSync(nameless, named.replace('; printer_model = OrangeStormGiga', '; printer_model = '));
    const id = await jobFromBefore(nameless);
    await again();
    const held = await findJob(farm.database, id);
    assert.equal(held.hold, true);
    assert.match(held.statusReason ?? '', /^held: no printer can take it: The file does not name the machine/);
    const history = await historyOf(farm.database, held.id);
    assert.match(history.at(-1)?.reason ?? '', /^held: /);
    assert.equal(history.at(-1)?.changed_by, 'upgrade');
    await hold(farm, id, false, 'operator', undefined, { accept_unknown_machine: true });
    const released = await findJob(farm.database, id);
    assert.equal(released.hold, false);
    assert.equal(released.acceptUnknownMachine, true);
    assert.equal(released.statusReason, null);
  });

  it('wait, and report it, while their file is unavailable', async () => {
    const id = await jobFromBefore(fixture('models', '20mm-xyz-cube.stl'));
    await farm.database.query(`UPDATE print_jobs SET model_sha256 = repeat('0', 64) WHERE id = $1`, [id]);
    await again();
    const job = await findJob(farm.database, id);
    assert.equal(job.hold, false);
    assert.match(job.statusReason ?? '', /^waits: its file cannot be read/);
    const { jobs } = await snapshotNow(farm);
    assert.equal(jobs.find((one) => one.id === id)?.held, true);
  });
});
