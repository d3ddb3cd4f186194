import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { answerOutcome } from '../../lib/jobs/outcome';
import { recordOutcome } from '../../lib/jobs/record-outcome';
import { tick } from '../../lib/jobs/tick';
import type { AttemptPhase } from '../../lib/model/attempt';
import { type JobId, printerId } from '../../lib/model/ids';
import type { PrinterReport } from '../../lib/model/printer';
import { addSpool, changeSlot, changeSpool, removeSpool, spools } from '../../lib/stock/spools';
import { type Attempt, findAttempt, noteProgress, openAttemptOf } from '../../lib/store/attempts';
import { lockJob } from '../../lib/store/jobs';
import { loadedSlots, storeReport } from '../../lib/store/printers';
import { addJob, dropFarm, idle, makeReady, openBareFarm } from '../support/bare-farm';
import { bringAttemptTo, bringJobTo } from '../support/stages';

const pla = 'pla_black_esun';
const giga = printerId('elegoo_giga');
const slot = 'extruder';

describe('A spool that is changed during a print', () => {
  let farm: Farm;
  let attempt: Attempt;
  let job: JobId;
  /** The print's first spool and another one, of 1000 g each. */
  let first: string;
  let second: string;

  beforeEach(async () => {
    farm = await openBareFarm();
    await makeReady(farm);
    first = (await spools(farm)).spools.find(({ printer_id }) => printer_id === giga)?.spool_id ?? '';
    second = (await addSpool(farm, { material_id: pla, grams: 1000 })).spool_id;
    job = await addJob(farm, 'part', { estimatedGrams: 100, forcePrinter: giga });
    assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 1);
    const open = await openAttemptOf(farm.database, giga);
    assert.ok(open);
    attempt = open;
  });
  afterEach(() => dropFarm(farm));

  const phase = async (name: AttemptPhase): Promise<void> => {
    await bringAttemptTo(farm.database, attempt.id, name);
    await farm.database.query(
      `UPDATE print_attempts SET started_at = now() - interval '1 hour', estimated_grams = 100, estimated_seconds = 7200`,
    );
  };
  /** Makes the printer show the print, paused by default. */
  const report = (more: Partial<PrinterReport>) =>
    storeReport(farm.database, giga, {
      connected: true,
      problem: null,
      report: { ...idle, state: 'paused', job: { name: attempt.fileName }, ...more },
    });
  const load = (spool: string | null) => changeSlot(farm, giga, slot, { spool_id: spool });
  const gramsOf = async (spool: string) =>
    (await spools(farm)).spools.find(({ spool_id }) => spool_id === spool)?.grams_left;
  /** Ends the print and records its outcome. */
  async function end(more: Partial<Parameters<typeof recordOutcome>[2]> = {}): Promise<void> {
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'ended', outcome = 'completed', ended_at = now(), lease_until = NULL`,
    );
    const ended = await findAttempt(farm.database, attempt.id);
    assert.ok(ended);
    await farm.database.transaction(async (tx) =>
      recordOutcome(tx, await lockJob(tx, job), {
        attempt: ended,
        outcome: 'completed',
        reason: 'it ended',
        timeScale: 1,
        sawItRun: true,
        lastProgress: 1,
        filamentMm: null,
        tariff: undefined,
        lowStockGrams: 150,
        actor: 'test',
        ...more,
      }),
    );
  }
  /** The deductions of each spool, and the recorded outcome. */
  async function charged(): Promise<{ of: Record<string, number>; recorded: number | undefined }> {
    const { rows } = await farm.database.query<{ spool_id: string; grams: number }>(
      'SELECT spool_id, grams FROM spool_deductions WHERE attempt_id = $1',
      [attempt.id],
    );
    const outcome = await farm.database.query<{ grams: number }>('SELECT grams FROM print_outcomes');
    return { of: Object.fromEntries(rows.map((row) => [row.spool_id, row.grams])), recorded: outcome.rows[0]?.grams };
  }

  it('is charged for what was extruded while it was loaded, and so is the next', async () => {
    await phase('printing');
    await report({ progress: 0.3 });
    assert.equal((await load(second)).spool_id, second);
    await end();
    assert.deepEqual(await charged(), { of: { [first]: 30, [second]: 70 }, recorded: 100 });
    assert.deepEqual([await gramsOf(first), await gramsOf(second)], [970, 930]);
  });

  it('is charged for what the printer counted, if it counts', async () => {
    await phase('printing');
    // 10 m of 1.75 mm at 1.24 g/cm³ are 29.8255 g.
    await report({ progress: 0.5, filamentMm: 10_000 });
    await load(second);
    await end({ filamentMm: 30_000 });
    assert.deepEqual(await charged(), { of: { [first]: 29.83, [second]: 59.65 }, recorded: 89.48 });
  });

  it('may be removed before the next is loaded, and come back', async () => {
    await phase('printing');
    await report({ progress: 0.2 });
    assert.equal((await load(null)).spool_id, null);
    await report({ progress: 0.25 });
    await load(second);
    await load(second);
    await report({ progress: 0.6 });
    await load(first);
    await end();
    assert.deepEqual(await charged(), { of: { [first]: 60, [second]: 40 }, recorded: 100 });
  });

  it('is charged once, however often it is retried, and never more than is on it', async () => {
    await phase('printing');
    await changeSpool(farm, first, { grams_left: 10 });
    await report({ progress: 0.3 });
    await load(second);
    await end();
    const once = await charged();
    assert.deepEqual(once.of, { [first]: 10, [second]: 70 });
    await assert.rejects(end(), /print_outcomes_attempt_id_key/);
    assert.deepEqual(await charged(), once);
    assert.deepEqual([await gramsOf(first), await gramsOf(second)], [0, 930]);
  });

  it('triggers an event when it becomes low, as does the next', async () => {
    await phase('printing');
    await changeSpool(farm, first, { grams_left: 160 });
    await changeSpool(farm, second, { grams_left: 160 });
    await report({ progress: 0.5 });
    await load(second);
    await end();
    const { rows } = await farm.database.query<{ spool: string }>(
      `SELECT body ->> 'spool_id' AS spool FROM outbox WHERE body ->> 'event' = 'low_stock'`,
    );
    assert.deepEqual(rows.map((row) => row.spool).sort(), [first, second].sort());
  });

  it('is charged nothing if the print had not started', async () => {
    assert.equal((await load(second)).spool_id, second);
    await phase('printing');
    await end();
    assert.deepEqual(await charged(), { of: { [second]: 100 }, recorded: 100 });
  });

  it('is charged by the last known state if nothing is known at the change', async () => {
    await phase('printing');
    await report({ job: { name: 'something else.gcode' }, progress: 0.9, filamentMm: 50_000 });
    await load(second);
    await end();
    assert.deepEqual((await charged()).of, { [second]: 100 });
  });

  it('must be of the same material, and have enough for a print that has not started', async () => {
    const other = (await addSpool(farm, { material_id: 'petg_black_esun', grams: 1000 })).spool_id;
    const little = (await addSpool(farm, { material_id: pla, grams: 50 })).spool_id;
    await assert.rejects(load(other), { code: 'other_material', remedy: /pla_black_esun/ });
    await assert.rejects(load(little), { code: 'slot_in_use', message: /50 g short/ });
    await assert.rejects(load(null), { code: 'slot_in_use' });
    await phase('printing');
    await report({ progress: 0.5 });
    await assert.rejects(load(other), { code: 'other_material' });
    assert.equal((await load(little)).spool_id, little, 'during a print a low amount is only reported');
    assert.equal((await openAttemptOf(farm.database, giga))?.spoolId, little);
  });

  it('is not changed while it is unknown whether the print runs', async () => {
    for (const name of ['starting', 'outcome_unknown'] as const) {
      await phase(name);
      await assert.rejects(load(second), { code: 'slot_in_use' }, name);
    }
    await phase('printing');
    await report({ state: 'idle', ending: 'finished', progress: null });
    await assert.rejects(load(second), { code: 'slot_in_use' });
    assert.deepEqual((await farm.database.query('SELECT * FROM spool_changes')).rows, []);
  });

  it('keeps the promise for the amount extruded; the next is promised the rest', async () => {
    await phase('printing');
    await report({ progress: 0.3 });
    await load(second);
    const freeIn = async (id: string, name: string) =>
      (await loadedSlots(farm.database)).find((one) => one.printerId === id && one.slot === name)?.gramsFree;
    assert.equal(await freeIn(giga, slot), 930);
    // Another printer may use it, with the amount that will be left.
    await changeSlot(farm, 'bamboo_h2d', 'ams0-1', { spool_id: first });
    assert.equal(await freeIn('bamboo_h2d', 'ams0-1'), 970);
    await assert.rejects(changeSpool(farm, first, { gross_grams: 900, tare_grams: 200 }), { code: 'spool_in_use' });
    await assert.rejects(removeSpool(farm, first), { code: 'spool_in_use' });
    await end();
    assert.equal(await freeIn('bamboo_h2d', 'ams0-1'), 970);
    assert.equal(await gramsOf(first), 970);
    assert.equal((await removeSpool(farm, first)).archived, true);
  });

  it('feeds one print, even if two operators record it at the same moment', async () => {
    await addJob(farm, 'another part', { estimatedGrams: 100, forcePrinter: printerId('bamboo_h2d') });
    assert.equal((await tick(farm, undefined, 'scheduler')).assignments.length, 1);
    await phase('printing');
    const where = (await openAttemptOf(farm.database, 'bamboo_h2d'))?.slot ?? '';
    const recorded = await Promise.allSettled([
      load(second),
      changeSlot(farm, 'bamboo_h2d', where, { spool_id: second }),
    ]);
    assert.equal(recorded.filter(({ status }) => status === 'fulfilled').length, 1);
    for (const one of recorded) {
      if (one.status === 'rejected') assert.equal((one.reason as { code: string }).code, 'spool_in_use');
    }
  });

  it('is charged the observed share of a print that did not print according to an operator', async () => {
    await phase('printing');
    await report({ progress: 0.4 });
    await noteProgress(farm.database, attempt.id, 0.4, null);
    await farm.database.query(
      `UPDATE print_attempts SET phase = 'outcome_unknown', start_intent_at = now() - interval '1 hour'`,
    );
    await bringJobTo(farm.database, job, 'printing');
    await report({ state: 'idle', job: null, progress: null });
    await answerOutcome(farm, attempt.id, { printed: false }, 'ada');
    assert.deepEqual(await charged(), { of: { [first]: 40 }, recorded: 40 });
    assert.equal((await findAttempt(farm.database, attempt.id))?.outcome, 'failed');
  });

  describe('and ran out is charged all that it gave, and nothing of it is left in the books', () => {
    type Change = [progress: number, load: 'first' | 'second', ranOut?: 'ran out'];
    const cases: { when: string; changes: Change[]; shares: [number, number]; left: [number, number] }[] = [
      { when: 'it was the first', changes: [[0.4, 'second', 'ran out']], shares: [40, 60], left: [0, 940] },
      {
        when: 'it had been taken out and come back',
        changes: [
          [0.2, 'second'],
          [0.5, 'first'],
          [0.7, 'second', 'ran out'],
        ],
        shares: [40, 60],
        left: [0, 940],
      },
      {
        when: 'it had come back and gave nothing more',
        changes: [
          [0.2, 'second'],
          [0.5, 'first'],
          [0.5, 'second', 'ran out'],
        ],
        shares: [20, 80],
        left: [0, 920],
      },
      {
        when: 'it was the next',
        changes: [
          [0.2, 'second'],
          [0.5, 'first', 'ran out'],
        ],
        shares: [70, 30],
        left: [930, 0],
      },
    ];
    for (const { when, changes, shares, left } of cases) {
      it(when, async () => {
        await phase('printing');
        for (const [progress, next, ranOut] of changes) {
          await report({ progress });
          await farm.database.query(`UPDATE printers SET attention = $2::jsonb WHERE id = $1`, [
            giga,
            ranOut ? '{"code": "run_out", "text": "", "remedy": "", "since": "2026-01-01T00:00:00Z"}' : null,
          ]);
          await load(next === 'first' ? first : second);
        }
        await end();
        assert.deepEqual((await charged()).of, { [first]: shares[0], [second]: shares[1] });
        assert.deepEqual([await gramsOf(first), await gramsOf(second)], left);
        const { rows } = await farm.database.query<{ spool: string }>(
          `SELECT body ->> 'spool_id' AS spool FROM outbox WHERE body ->> 'event' = 'low_stock'`,
        );
        assert.deepEqual(
          rows.map(({ spool }) => spool),
          [left[0] === 0 ? first : second],
          'the spool that ran out is reported once',
        );
      });
    }
  });
});
