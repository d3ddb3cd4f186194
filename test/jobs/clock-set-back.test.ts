import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import { tick } from '../../lib/jobs/tick';
import { printerId } from '../../lib/model/ids';
import { tendDispatches } from '../../lib/services/maintenance/dispatches';
import { attemptsOf, failuresOfCopy } from '../../lib/store/attempts';
import { findJob } from '../../lib/store/jobs';
import { findPrinter } from '../../lib/store/printers';
import { addJob, makeReady, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');

/** Every timestamp so far lies an hour ahead, as after a database clock that was an hour fast has been set back. */
describe('After the clock of the database was set back', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm({ schema: `test_${randomUUID().replaceAll('-', '')}` });
    await makeReady(farm);
  });
  afterEach(async () => {
    await farm.database.query(`DROP SCHEMA ${farm.database.schema} CASCADE`);
    await farm.close();
  });

  const dispatched = async () => {
    const id = await addJob(farm, 'one', { forcePrinter: giga });
    await tick(farm, undefined, 'scheduler');
    return id;
  };

  it('a lost dispatch is published again', async () => {
    await dispatched();
    await farm.database.query(`UPDATE outbox SET sent_at = now() + interval '1 hour' WHERE kind = 'dispatch'`);
    await tendDispatches(farm);
    const { rows } = await farm.database.query(`SELECT sent_at FROM outbox WHERE kind = 'dispatch'`);
    assert.deepEqual(rows, [{ sent_at: null }]);
  });

  it('an unclaimed dispatch is withdrawn', async () => {
    const id = await dispatched();
    await farm.database.query(`UPDATE print_attempts SET dispatched_at = now() + interval '1 hour'`);
    await tendDispatches(farm);
    assert.equal((await attemptsOf(farm.database, id))[0]?.outcome, 'withdrawn');
  });

  it('a claim whose holder is gone with its node is withdrawn', async () => {
    const id = await dispatched();
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'claimed', fence = 1, lease_owner = gen_random_uuid(), claimed_at = now(),
         lease_until = now() + interval '1 hour'`,
    );
    await farm.database.query(`UPDATE printers SET seen_at = now() - interval '1 hour'`);
    await tendDispatches(farm);
    assert.equal((await attemptsOf(farm.database, id))[0]?.outcome, 'withdrawn');
  });

  it('a printer that has not reported since is not online', async () => {
    await farm.database.query(`UPDATE printers SET seen_at = now() + interval '1 hour'`);
    assert.equal((await findPrinter(farm.database, giga)).online, false);
  });

  it('a job with a retry delay becomes due; a requested start time stays', async () => {
    const id = await addJob(farm, 'one', { notBefore: new Date(Date.now() + 86_400_000).toISOString() });
    await farm.database.query(
      `UPDATE print_jobs SET failed_on = $1, failed_at = now() + interval '1 hour', retry_at = now() + interval '1 hour 10 seconds'`,
      [giga],
    );
    await tendDispatches(farm);
    const { retryAt, notBefore } = await findJob(farm.database, id);
    assert.equal(retryAt, null);
    assert.notEqual(notBefore, null);
  });

  it('a copy is not retried without end', async () => {
    const id = await dispatched();
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', outcome = 'failed', ended_at = now(), start_intent_at = now(), fence = 1`,
    );
    await farm.database.query(`UPDATE print_jobs SET retries_from = now() + interval '1 hour'`);
    assert.equal(await failuresOfCopy(farm.database, id, 1), 1);
  });
});
