import assert from 'node:assert/strict';
import type { Farm } from '../../lib/farm/farm';
import { answerOutcome } from '../../lib/jobs/outcome';
import { recordOutcome } from '../../lib/jobs/record-outcome';
import { settle } from '../../lib/jobs/settle';
import type { AttemptEnd } from '../../lib/jobs/settlement';
import type { AttemptOutcome } from '../../lib/model/attempt';
import type { SpoolId } from '../../lib/model/ids';
import type { Job } from '../../lib/model/job';
import { type Attempt, endAttempt } from '../../lib/store/attempts';
import { findJob, historyOf, lockJob } from '../../lib/store/jobs';
import { deductGrams, findSpool, insertSpool } from '../../lib/store/materials';
import { findPrinter, storeReport } from '../../lib/store/printers';
import { takeSpoolOut } from '../../lib/store/spool-changes';
import { type Arranged, arrangeAttempt, attemptOf, endAllAttempts } from '../support/attempts';
import { dropFarm, idle, openBareFarm } from '../support/bare-farm';

describe('The end of an attempt, in the database', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(() => endAllAttempts(farm));
  after(() => dropFarm(farm));

  const spool = (grams: number): Promise<SpoolId> =>
    farm.database.transaction(
      async (tx) => (await insertSpool(tx, { materialId: 'pla_black_esun', grams, label: null })).id,
    );
  const gramsLeft = async (id: SpoolId): Promise<number> => (await findSpool(farm.database, id)).gramsLeft;

  /** Ends an attempt with an outcome and settles its job. */
  function end({ job, claim }: Arranged, outcome: AttemptOutcome, more: Partial<AttemptEnd> = {}): Promise<Job> {
    return farm.database.transaction(async (tx) => {
      const locked = await lockJob(tx, job);
      const attempt = (await endAttempt(tx, claim, outcome, 'why')) ?? assert.fail();
      return settle(tx, locked, { attempt, outcome, reason: 'why', actor: 'agent', ...more });
    });
  }
  const deadLetters = async ({ job }: Arranged): Promise<unknown[]> =>
    (await farm.database.query('SELECT reason, message FROM dead_letters WHERE job_id = $1', [job])).rows;

  it('is recorded with the filament that the print used', async () => {
    const arranged = await arrangeAttempt(farm, 'printing');
    const job = await end(arranged, 'completed', { hours: 2, costUsd: 3 });
    assert.deepEqual(
      [job.status, job.statusReason, job.copiesDone, job.actualDurationHours, job.actualCostUsd],
      ['completed', 'why', 1, 2, 3],
    );
  });

  it('adds to the amounts of earlier copies although the status stays', async () => {
    const arranged = await arrangeAttempt(farm, 'printing', { copies: 3 });
    await arrangeAttempt(farm, 'printing', { of: arranged.job, copy: 2, printer: 'bamboo_h2d' });
    const outcomeId = '00000000-0000-4000-8000-000000000001';
    await assert.rejects(end(arranged, 'completed', { outcomeId }), /outcome/, 'there is no such outcome');
    const first = await end(arranged, 'completed', { hours: 2, costUsd: 3 });
    assert.deepEqual([first.status, first.statusReason, first.copiesDone], ['printing', '1 of 3 copies done', 1]);
    assert.deepEqual([first.actualDurationHours, first.actualCostUsd], [2, 3]);
  });

  it('counts a retry although the status stays', async () => {
    const arranged = await arrangeAttempt(farm, 'printing', { copies: 2 });
    await arrangeAttempt(farm, 'printing', { of: arranged.job, copy: 2, printer: 'bamboo_h2d' });
    const job = await end(arranged, 'failed', { failure: 'transient' });
    assert.deepEqual([job.status, job.retryCount, job.statusReason], ['printing', 1, 'why; tried again in 10 s']);
  });

  it('requeues the job with a delay, and away from the printer that failed', async () => {
    const arranged = await arrangeAttempt(farm, 'uploading');
    const job = await end(arranged, 'not_started', { failure: 'transient' });
    const found = await findJob(farm.database, arranged.job);
    assert.deepEqual([job.status, found.failedOn, found.retryCount], ['queued', 'elegoo_giga', 1]);
    const pause = (Date.parse(found.retryAt ?? '') - Date.now()) / 1000;
    assert.ok(pause > 5 && pause <= 11, `${pause} s`);
    assert.deepEqual(await deadLetters(arranged), []);
  });

  it('gives up the job with a dead letter, and a message', async () => {
    const arranged = await arrangeAttempt(farm, 'uploading', { maxRetries: 0 });
    assert.equal((await end(arranged, 'not_started', { failure: 'transient' })).status, 'failed');
    const reason = 'why (given up after 1 try at this copy)';
    const { job, attempt } = arranged;
    const message = { job_id: job, job_name: 'uploading part', attempt_id: attempt, printer_id: 'elegoo_giga' };
    assert.deepEqual(await deadLetters(arranged), [{ reason, message }]);
    const { rows } = await farm.database.query(`SELECT body FROM outbox WHERE kind = 'dead_letter' AND job_id = $1`, [
      job,
    ]);
    assert.deepEqual(rows, [{ body: { ...message, reason } }]);
  });

  it('remembers that a job is given up until its other copies have ended', async () => {
    const one = await arrangeAttempt(farm, 'printing', { copies: 2, maxRetries: 0 });
    const other = await arrangeAttempt(farm, 'printing', { of: one.job, copy: 2, printer: 'bamboo_h2d' });
    assert.equal((await end(one, 'failed', { failure: 'transient' })).status, 'printing');
    assert.deepEqual(await deadLetters(one), []);
    const over = await end(other, 'completed');
    assert.deepEqual([over.status, over.copiesDone], ['failed', 1]);
    assert.equal((await deadLetters(one)).length, 1);
  });

  it('records that a print that was found finished did print', async () => {
    const arranged = await arrangeAttempt(farm, 'starting');
    assert.equal((await end(arranged, 'completed')).status, 'completed');
    const lines = await historyOf(farm.database, arranged.job);
    assert.deepEqual(
      lines.slice(-2).map(({ to_status, reason, changed_by }) => [to_status, reason, changed_by]),
      [
        ['printing', 'found on the printer', 'agent'],
        ['completed', 'why', 'agent'],
      ],
    );
  });

  it('empties a spool that ran out, but not after a spool change', async () => {
    const end1 = {
      failure: 'transient' as const,
      failureKind: 'run_out' as const,
      retryPolicy: new Set(['run_out' as const]),
    };
    for (const changed of [false, true]) {
      await endAllAttempts(farm);
      const [first, second] = [await spool(500), await spool(600)];
      const arranged = await arrangeAttempt(farm, 'printing', { spool: first });
      if (changed) {
        await farm.database.transaction((tx) =>
          takeSpoolOut(tx, arranged.attempt, { progress: 0.1, filamentMm: null }, 5),
        );
        await farm.database.query('UPDATE print_attempts SET spool_id = $2 WHERE id = $1', [arranged.attempt, second]);
      }
      await end(arranged, 'failed', end1);
      assert.deepEqual([await gramsLeft(first), await gramsLeft(second)], [changed ? 500 : 0, 600]);
    }
  });

  describe('charges', () => {
    const record = (of: Arranged, outcome: 'completed' | 'cancelled' | 'failed', lastProgress = 0.25) =>
      farm.database.transaction(async (tx) => {
        const job = await lockJob(tx, of.job);
        const attempt: Attempt = await attemptOf(farm, of.attempt);
        return recordOutcome(tx, job, {
          attempt: { ...attempt, endedAt: new Date().toISOString() },
          outcome,
          reason: 'filament ran out',
          timeScale: 1,
          sawItRun: true,
          lastProgress,
          filamentMm: null,
          tariff: undefined,
          lowStockGrams: 50,
          actor: 'test',
        });
      });
    const printing = async (grams: number): Promise<[Arranged, SpoolId]> => {
      const id = await spool(grams);
      const arranged = await arrangeAttempt(farm, 'printing', { spool: id });
      await farm.database.query('UPDATE print_attempts SET estimated_grams = 100, layers = 7 WHERE id = $1', [
        arranged.attempt,
      ]);
      return [arranged, id];
    };
    const outcomeOf = async (id: string): Promise<Record<string, unknown> | undefined> =>
      (await farm.database.query<Record<string, unknown>>('SELECT * FROM print_outcomes WHERE id = $1', [id])).rows[0];

    it('a finished print for the whole amount', async () => {
      const [arranged, id] = await printing(1000);
      const { outcomeId, failureKind } = await record(arranged, 'completed');
      assert.equal(await gramsLeft(id), 900);
      const row = await outcomeOf(outcomeId);
      assert.deepEqual([row?.['outcome'], row?.['failure_kind'] ?? null, failureKind], ['completed', null, null]);
      assert.equal(row?.['reason'], null);
    });

    it('a cancelled print for the extruded amount only', async () => {
      const [arranged, id] = await printing(1000);
      const { outcomeId, failureKind } = await record(arranged, 'cancelled');
      assert.equal(await gramsLeft(id), 975);
      const row = await outcomeOf(outcomeId);
      assert.deepEqual([row?.['outcome'], row?.['reason'], failureKind], ['cancelled', 'filament ran out', null]);
    });

    it('a failed print for the extruded amount, and names the kind of failure', async () => {
      const [arranged, id] = await printing(1000);
      const { failureKind } = await record(arranged, 'failed', 0.5);
      assert.equal(await gramsLeft(id), 950);
      assert.equal(failureKind, 'run_out');
    });

    it('never more than there was, and each spool once', async () => {
      const [arranged, id] = await printing(60);
      await record(arranged, 'completed');
      assert.equal(await gramsLeft(id), 0);
      await farm.database.query('UPDATE spools SET initial_grams = 300, grams_left = 300 WHERE id = $1', [id]);
      const again = { attemptId: arranged.attempt, spoolId: id, grams: 100, lowGrams: 50 };
      await farm.database.transaction((tx) => deductGrams(tx, again));
      assert.equal(await gramsLeft(id), 300);
    });

    it('each spool for its share', async () => {
      const [arranged, first] = await printing(1000);
      const second = await spool(1000);
      await farm.database.transaction((tx) =>
        takeSpoolOut(tx, arranged.attempt, { progress: 0.4, filamentMm: null }, 40),
      );
      await farm.database.query('UPDATE print_attempts SET spool_id = $2 WHERE id = $1', [arranged.attempt, second]);
      await record(arranged, 'completed');
      assert.deepEqual([await gramsLeft(first), await gramsLeft(second)], [960, 940]);
    });
  });

  describe("by an operator's answer", () => {
    const printed = { printed: true };
    const not = { printed: false };
    const off = { printed: false, machine_off: true };
    const online = (state: 'idle' | 'printing' = 'idle', connected = true) =>
      storeReport(farm.database, 'elegoo_giga' as never, { connected, problem: null, report: { ...idle, state } });

    it('that it printed leaves the bed of an unreachable printer unchanged', async () => {
      const { attempt } = await arrangeAttempt(farm, 'printing');
      await online('printing', false);
      await answerOutcome(farm, attempt, printed, 'ada');
      assert.equal((await findPrinter(farm.database, 'elegoo_giga')).bedAttemptId, attempt);
    });

    it('that it did not leaves the bed of a reachable printer unchanged', async () => {
      const { attempt } = await arrangeAttempt(farm, 'outcome_unknown');
      await online();
      await answerOutcome(farm, attempt, not, 'ada');
      assert.equal((await findPrinter(farm.database, 'elegoo_giga')).bedAttemptId, attempt);
    });

    it('is rejected with a remedy if it cannot be accepted', async () => {
      const { attempt } = await arrangeAttempt(farm, 'outcome_unknown');
      const { name } = await findPrinter(farm.database, 'elegoo_giga');
      await online('printing');
      await assert.rejects(answerOutcome(farm, attempt, not, 'ada'), {
        message: `${name} does not report itself as idle.`,
        remedy: 'Let it become idle, then answer again.',
      });
      await online('idle', false);
      await assert.rejects(answerOutcome(farm, attempt, not, 'ada'), {
        message: `${name} cannot be reached, so it may still print.`,
        remedy: /switch it off and answer/,
      });
      await farm.database.query('UPDATE print_attempts SET start_intent_at = now() WHERE id = $1', [attempt]);
      await assert.rejects(answerOutcome(farm, attempt, not, 'ada'), { remedy: 'Answer again 60 s after the start.' });
    });

    it('is accepted without a question only if the printer is unreachable', async () => {
      for (const phase of ['dispatched', 'uploading', 'starting', 'printing', 'outcome_unknown', 'ended'] as const) {
        await endAllAttempts(farm);
        await online();
        const { attempt } = await arrangeAttempt(farm, phase);
        if (phase !== 'outcome_unknown')
          await assert.rejects(answerOutcome(farm, attempt, printed, 'ada'), /needs no answer/, phase);
        await online('idle', false);
        const taken = ['starting', 'printing', 'outcome_unknown'].includes(phase);
        const answer = answerOutcome(farm, attempt, printed, 'ada');
        if (taken) assert.equal((await answer).status, 'completed');
        else await assert.rejects(answer, /needs no answer/, phase);
      }
      await assert.rejects(answerOutcome(farm, 'nothing', printed, 'ada'), { code: 'not_found' });
    });

    it('that it printed charges the job, and records the operator', async () => {
      await online();
      const { attempt, job } = await arrangeAttempt(farm, 'outcome_unknown');
      await answerOutcome(farm, attempt, printed, 'ada');
      const found = await findJob(farm.database, job);
      assert.deepEqual(
        [found.status, found.statusReason, found.copiesDone],
        ['completed', 'ada reports that it printed', 1],
      );
      assert.ok(found.outcomeId);
      assert.equal((await attemptOf(farm, attempt)).outcome, 'completed');
    });

    it('that it did not is accepted only for an idle printer', async () => {
      const { attempt, job } = await arrangeAttempt(farm, 'outcome_unknown');
      await online('printing');
      await assert.rejects(answerOutcome(farm, attempt, not, 'ada'), { code: 'printer_not_idle' });
      await assert.rejects(answerOutcome(farm, attempt, off, 'ada'), { code: 'printer_not_idle' });
      await online('idle', false);
      await assert.rejects(answerOutcome(farm, attempt, not, 'ada'), { code: 'printer_unreachable' });
      await online();
      const before = await findPrinter(farm.database, 'elegoo_giga');
      assert.equal((await answerOutcome(farm, attempt, not, 'ada')).status, 'queued');
      assert.equal((await findPrinter(farm.database, 'elegoo_giga')).bedVersion, before.bedVersion);
      assert.equal((await attemptOf(farm, attempt)).outcome, 'not_started');
      const found = await findJob(farm.database, job);
      assert.match(found.statusReason ?? '', /^ada reports that it did not print; tried again/);
      assert.equal(found.outcomeId, null);
    });

    it('that it did not, and that the printer is off, requires its bed to be inspected', async () => {
      const { attempt } = await arrangeAttempt(farm, 'printing');
      await online('printing', false);
      assert.equal((await answerOutcome(farm, attempt, off, 'ada')).status, 'queued');
      const { bedState, bedCause } = await findPrinter(farm.database, 'elegoo_giga');
      assert.deepEqual([bedState, bedCause], ['occupied', 'unknown']);
      const { outcome, reason } = await attemptOf(farm, attempt);
      assert.deepEqual([outcome, reason], ['failed', 'ada reports that it did not print and is switched off']);
    });

    it('that it did not is rejected while a start may still arrive', async () => {
      await online();
      const { attempt } = await arrangeAttempt(farm, 'outcome_unknown');
      const intended = (ago: string) =>
        farm.database.query(`UPDATE print_attempts SET start_intent_at = now() - interval '${ago}' WHERE id = $1`, [
          attempt,
        ]);
      await intended('1 second');
      await assert.rejects(answerOutcome(farm, attempt, not, 'ada'), /may still reach/);
      await intended('-1 hour');
      assert.equal((await answerOutcome(farm, attempt, not, 'ada')).status, 'queued', 'a clock that was set back');
    });
  });
});
