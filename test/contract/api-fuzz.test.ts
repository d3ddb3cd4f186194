import assert from 'node:assert/strict';
import { type FuzzSubject, fuzzApi } from '../support/api-fuzz/run';
import { lockedSubject, openSubject } from '../support/api-fuzz/subject';
import { RealFarm } from '../support/real-farm';

const seed = Number(process.env['PLATEWISE_FUZZ_SEED'] ?? 20261126);

describe(`The API under requests generated from its description (seed ${seed})`, () => {
  const farm = new RealFarm();
  let open: FuzzSubject;
  before(async () => {
    await farm.start({ SIM_SPEED: '240', PLATEWISE_UPLOADS_PER_MINUTE: '0' });
    open = await openSubject(farm);
  });
  after(() => farm.kill9());

  const run = async (subject: FuzzSubject, from: number, to: number, expected: string[]): Promise<void> => {
    const { requests, statuses, failures } = await fuzzApi(subject, { seed, from, to });
    assert.deepEqual(failures, []);
    assert.equal(requests, to - from);
    assert.ok(farm.running);
    // Otherwise it would have tried only rejected requests, or only valid ones.
    for (const status of ['200', '201', '400', '404', ...expected]) {
      assert.ok((statuses[status] ?? 0) > 0, `${status} never came: ${JSON.stringify(statuses)}`);
    }
  };

  it('never fails, leaks nothing and answers as described, without keys', () => run(open, 0, 300, []));

  it('and with keys of every scope', async () => {
    const locked = await lockedSubject(farm, open);
    await run(locked, 300, 900, ['401', '403']);
    for (const key of Object.values(locked.keys)) assert.ok(!farm.output.includes(key), 'a key is in the log');
  });
});
