import assert from 'node:assert/strict';
import { createReadStream, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { submitJob } from '../../lib/jobs/submit';
import { tick } from '../../lib/jobs/tick';
import { storeFile } from '../../lib/shared-files/take-file';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import { writeBox } from '../support/models';
import { temporaryDirectory } from '../support/servers';
import { SimulatedFarm } from '../support/simulated-farm';

describe('The structured logs of two farms in one process', () => {
  const directory = temporaryDirectory('event-logs');
  const logOf = (name: string): string => join(directory, `${name}.jsonl`);
  const told = (name: string): { attempt_id: string; moment: string }[] =>
    readFileSync(logOf(name), 'utf8')
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as { event: string; attempt_id: string; moment: string })
      .filter(({ event }) => event === 'attempt');

  it("record each farm's own attempts only", async () => {
    const printing = await new SimulatedFarm({
      printers: ['elegoo_giga'],
      speed: 500,
      farm: { eventLog: logOf('printing') },
    }).start();
    await printing.online();
    const planning = await openBareFarm({ eventLog: logOf('planning') });
    await makeReady(planning);

    const model = writeBox(join(printing.directory, 'models', 'box.stl'), 20, 20, 20);
    const { stl_path } = await storeFile(printing.farm, createReadStream(model), 'box.stl');
    const job = { job_name: 'box', stl_path, material_id: 'pla_black_esun' };
    const { job_id } = await submitJob(printing.farm, job, 'test');
    await addJob(planning, 'planned');
    const { assignments } = await tick(planning, undefined, 'scheduler');
    const { attempts } = await printing.until(job_id, 'completed');
    // Closing the farms flushes the files.
    await printing.stop();
    await dropFarm(planning);

    const printed = told('printing');
    assert.deepEqual(new Set(printed.map((line) => line.attempt_id)), new Set(attempts.map((one) => one.attempt_id)));
    for (const moment of ['assign:after', 'publish:after', 'claim:after', 'start:written', 'ended:after']) {
      assert.ok(
        printed.some((line) => line.moment === moment),
        moment,
      );
    }
    assert.equal(assignments.length, 1);
    assert.deepEqual(
      told('planning').map((line) => [line.attempt_id, line.moment]),
      [[assignments[0]?.attemptId, 'assign:after']],
    );
  });
});
