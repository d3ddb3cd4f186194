import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { type AttemptId, printerId } from '../../lib/model/ids';
import {
  clearBed,
  findPrinter,
  lockPrinter,
  occupyBed,
  occupyBedByOther,
  type Printer,
  restoreBed,
} from '../../lib/store/printers';
import { arrangeAttempt, endAllAttempts } from '../support/attempts';
import { dropFarm, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');

describe('The bed of a printer', () => {
  let farm: Farm;
  let ours: AttemptId;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(async () => {
    await endAllAttempts(farm);
    ours = (await arrangeAttempt(farm, 'uploading')).attempt;
    await farm.database.transaction(async (tx) => clearBed(tx, await lockPrinter(tx, giga), undefined, 'ada'));
  });
  after(() => dropFarm(farm));

  const bed = async (): Promise<[Printer['bedState'], Printer['bedCause'], Printer['bedAttemptId']]> => {
    const { bedState, bedCause, bedAttemptId } = await findPrinter(farm.database, giga);
    return [bedState, bedCause, bedAttemptId];
  };
  const intend = () =>
    farm.database.transaction(async (tx) => {
      await occupyBed(tx, giga, ours, 'agent');
      await tx.query(`UPDATE print_attempts SET phase = 'starting', start_intent_at = now() WHERE id = $1`, [ours]);
    });
  const restore = (attempt = ours) =>
    farm.database.transaction(async (tx) => {
      await tx.query(`UPDATE print_attempts SET phase = 'uploading' WHERE id = $1 AND phase = 'starting'`, [attempt]);
      await restoreBed(tx, await lockPrinter(tx, giga), attempt, 'agent');
    });

  it('is occupied by us from the intent on, and clear again if the start was not sent', async () => {
    await intend();
    assert.deepEqual(await bed(), ['occupied', 'attempt', ours]);
    await restore();
    assert.deepEqual(await bed(), ['clear', null, null]);
  });

  for (const cause of ['foreign', 'unknown'] as const) {
    it(`stays occupied if a start was not sent because something ${cause} was seen on it in the meantime`, async () => {
      await intend();
      await farm.database.transaction((tx) => occupyBedByOther(tx, giga, cause, 'agent'));
      const { bedVersion } = await findPrinter(farm.database, giga);
      await restore();
      assert.deepEqual(await bed(), ['occupied', cause, null]);
      assert.equal((await findPrinter(farm.database, giga)).bedVersion, bedVersion, 'nothing has changed');
    });
  }

  it('is not cleared by an attempt that did not occupy it', async () => {
    await intend();
    await endAllAttempts(farm);
    const { attempt: later } = await arrangeAttempt(farm, 'uploading');
    await restore(later);
    assert.deepEqual(await bed(), ['occupied', 'attempt', ours]);
  });

  it('is cleared by an operator who sends its current version, and rejected with any other version', async () => {
    await intend();
    await endAllAttempts(farm);
    const { bedVersion: seen } = await findPrinter(farm.database, giga);
    const clear = (version: number | undefined) =>
      farm.database.transaction(async (tx) => clearBed(tx, await lockPrinter(tx, giga), version, 'ada'));
    for (const version of [seen - 1, seen + 1]) await assert.rejects(clear(version), { code: 'stale_bed_version' });
    assert.deepEqual(await bed(), ['occupied', 'attempt', ours]);
    assert.equal((await clear(seen)).bedVersion, seen + 1);
    assert.deepEqual(await bed(), ['clear', null, null]);
  });
});
