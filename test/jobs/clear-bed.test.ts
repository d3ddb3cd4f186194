import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { clearBedOf } from '../../lib/jobs/changes';
import { tick } from '../../lib/jobs/tick';
import { printerId } from '../../lib/model/ids';
import { openAttemptOf } from '../../lib/store/attempts';
import { findPrinter, lockPrinter, occupyBed } from '../../lib/store/printers';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';
import { bringAttemptTo } from '../support/stages';

const giga = printerId('elegoo_giga');

describe('A request to clear a bed', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  afterEach(() => dropFarm(farm));

  it('is rejected while a start is being committed', async () => {
    await addJob(farm, 'part', { forcePrinter: giga });
    await tick(farm, undefined, 'scheduler');
    const attempt = await openAttemptOf(farm.database, giga);
    assert.ok(attempt);
    await bringAttemptTo(farm.database, attempt.id, 'uploading');
    let cleared: Promise<unknown> = Promise.resolve();
    await farm.database.transaction(async (tx) => {
      await lockPrinter(tx, giga);
      // The request has to wait for the lock, and must not rely on the earlier state.
      cleared = clearBedOf(farm, giga, {}, 'ada');
      cleared.catch(() => undefined);
      await new Promise((resolve) => setTimeout(resolve, 300));
      await tx.query(`UPDATE print_attempts SET phase = 'starting', start_intent_at = now() WHERE id = $1`, [
        attempt.id,
      ]);
      await occupyBed(tx, giga, attempt.id, 'agent');
    });
    await assert.rejects(cleared, { code: 'printer_is_printing' });
    assert.equal((await findPrinter(farm.database, giga)).bedAttemptId, attempt.id);
  });
});
