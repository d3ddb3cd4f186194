import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { submitJob } from '../../lib/jobs/submit';
import { storeFile } from '../../lib/shared-files/take-file';
import { storeFarmPause } from '../../lib/store/farm-pause';
import { fixture } from '../fixtures';
import { SimulatedFarm } from '../support/simulated-farm';

describe('A pause of the farm', () => {
  let farm: SimulatedFarm;
  afterEach(() => farm.stop());

  it('holds back a print that is uploading, even if it is not withdrawn', async () => {
    farm = await new SimulatedFarm({ printers: ['bamboo_h2d'], speed: 240 }).start();
    await farm.online();
    const simulator = farm.simulators.get('bamboo_h2d');
    assert.ok(simulator);
    await simulator.setFault('slow_link', { bytes_per_second: 20_000 });
    const { stl_path } = await storeFile(farm.farm, createReadStream(fixture('models/20mm-xyz-cube.stl')), 'cube.stl');
    const { job_id } = await submitJob(
      farm.farm,
      { job_name: 'cube', stl_path, material_id: 'pla_black_esun' },
      'test',
    );
    await farm.until(job_id, 'uploading');
    await farm.farm.database.transaction((tx) => storeFarmPause(tx, null, 'test'));
    await simulator.setFault('slow_link', { on: false });
    await farm.until(
      job_id,
      ({ status, status_reason }) => status === 'queued' && /the farm is paused/.test(String(status_reason)),
    );
    const truth = readFileSync(simulator.ready.truth_log, 'utf8');
    assert.doesNotMatch(truth, /"event":"start/);
  });
});
