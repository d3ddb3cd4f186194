import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { printerId } from '../../lib/model/ids';
import { changeStatus, findJob, unfinishedJobs } from '../../lib/store/jobs';
import { addJob, dropFarm, openBareFarm } from '../support/bare-farm';

describe('Jobs in the database', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  after(() => dropFarm(farm));

  it('are the same whether all unfinished ones are read or a single one', async () => {
    const first = await addJob(farm, 'first', {
      deadlineAt: '2030-01-02T03:04:05.678Z',
      printSettings: { infill: 20 },
    });
    await addJob(farm, 'second', {
      ...{ copies: 3, hold: true, dependsOn: [first], estimatedGrams: null },
      model: {
        sha256: 'a'.repeat(64),
        kind: '3mf',
        dimensions: { x: 0.1, y: 1 / 3, z: 1e-7 },
        volumeMm3: 123456789.125,
      },
    });
    const all = await unfinishedJobs(farm.database);
    assert.deepEqual(
      all.map((job) => job.jobName),
      ['first', 'second'],
    );
    for (const job of all) {
      // The number of a job's last event exists in the database alone.
      const { jobSeq: _number, ...alone } = (await findJob(farm.database, job.id)) as typeof job & { jobSeq?: number };
      assert.deepEqual(job, alone);
    }
  });

  it('change their status along the graph, and only from the expected status', async () => {
    const id = await addJob(farm, 'third');
    const before = await findJob(farm.database, id);
    const change = (job: typeof before, to: 'scheduled' | 'printing') =>
      farm.database.transaction((tx) =>
        changeStatus(tx, job, to, { reason: null, actor: 'ada', assignedPrinterId: printerId('elegoo_giga') }),
      );
    await assert.rejects(change(before, 'printing'), /it cannot become printing/);
    assert.equal((await change(before, 'scheduled')).status, 'scheduled');
    await assert.rejects(change(before, 'scheduled'), /changed in the meantime/);
    assert.equal((await findJob(farm.database, id)).version, before.version + 1);
  });
});
