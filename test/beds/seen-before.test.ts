import assert from 'node:assert/strict';
import { hasEnded } from '../../lib/beds/bed-judgement';
import type { Farm } from '../../lib/farm/farm';
import { clearBedOf } from '../../lib/jobs/changes';
import { recordOutcome } from '../../lib/jobs/record-outcome';
import { tick } from '../../lib/jobs/tick';
import { printerId } from '../../lib/model/ids';
import { printerStates } from '../../lib/model/printer';
import { findAttempt, openAttemptOf } from '../../lib/store/attempts';
import { lockJob } from '../../lib/store/jobs';
import { findPrinter, occupyBed } from '../../lib/store/printers';
import { addJob, dropFarm, makeReady, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');

describe('A bed that was inspected before a print ended on it', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
  });
  after(() => dropFarm(farm));

  // The fault campaign, seed 1301: the operator looked between the intent and the first layer, and the clear request was delayed until the print had ended.
  it('is not cleared by that inspection, even if no report ever showed the print running', async () => {
    const job = await addJob(farm, 'part', { forcePrinter: giga });
    assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 1);
    const attempt = await openAttemptOf(farm.database, giga);
    assert.ok(attempt);
    const seen = await farm.database.transaction((tx) => occupyBed(tx, giga, attempt.id, 'agent'));
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', outcome = 'completed', started_at = now(), ended_at = now() WHERE id = $1`,
      [attempt.id],
    );
    const ended = await findAttempt(farm.database, attempt.id);
    assert.ok(ended);
    await farm.database.transaction(async (tx) =>
      recordOutcome(tx, await lockJob(tx, job), {
        attempt: ended,
        outcome: 'completed',
        reason: 'done',
        timeScale: 1,
        sawItRun: true,
        lastProgress: 1,
        filamentMm: null,
        tariff: undefined,
        lowStockGrams: 0,
        actor: 'agent',
      }),
    );
    await assert.rejects(clearBedOf(farm, giga, { bed_version: seen.bedVersion }, 'ada', true), {
      code: 'stale_bed_version',
    });
    const now = await findPrinter(farm.database, giga);
    assert.equal(now.bedState, 'occupied');
    assert.equal(now.bedAttemptId, attempt.id);
    const { bed } = await clearBedOf(farm, giga, { bed_version: now.bedVersion }, 'ada', true);
    assert.equal(bed.state, 'clear');
  });

  it('counts the end of any print that a report showed running', () => {
    for (const state of printerStates) {
      const active = ['printing', 'paused', 'preparing'].includes(state);
      assert.equal(hasEnded({ wasActive: true, report: { state, job: null } }), !active, state);
      assert.equal(hasEnded({ wasActive: false, report: { state, job: null } }), false, state);
    }
  });
});
