import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import type { AttemptPhase } from '../../lib/model/attempt';
import { printerId } from '../../lib/model/ids';
import {
  advanceAttempt,
  claimAttempt,
  endAttempt,
  endBeforeStart,
  endByWord,
  failuresOfCopy,
  loseTrackOf,
  noteProgress,
  orphanOf,
  releaseLease,
  renewLease,
  requestCancelOfAttempts,
  staleDispatches,
  undoIntent,
  withdrawAttempt,
} from '../../lib/store/attempts';
import { forgetFailures, requestCancel } from '../../lib/store/jobs';
import { storeReport } from '../../lib/store/printers';
import type { Transaction } from '../../lib/store/queryable';
import { type Arranged, arrangeAttempt, attemptOf, endAllAttempts } from '../support/attempts';
import { dropFarm, idle, openBareFarm } from '../support/bare-farm';

const giga = printerId('elegoo_giga');
const phases: AttemptPhase[] = [
  'dispatched',
  'claimed',
  'preparing',
  'uploading',
  'starting',
  'outcome_unknown',
  'printing',
  'ended',
];
const leaseSeconds = 10;

describe('The statements that guard an attempt', () => {
  let farm: Farm;
  before(async () => {
    farm = await openBareFarm();
  });
  beforeEach(() => endAllAttempts(farm));
  after(() => dropFarm(farm));

  const inTransaction = <Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> =>
    farm.database.transaction(work);
  const set = (sql: string, { attempt }: Arranged): Promise<unknown> =>
    farm.database.query(`UPDATE print_attempts SET ${sql} WHERE id = $1`, [attempt]);

  describe('a claim', () => {
    const claim = ({ attempt }: Arranged, printer = giga) =>
      inTransaction((tx) =>
        claimAttempt(tx, { attemptId: attempt, printerId: printer, owner: randomUUID(), leaseSeconds }),
      );

    for (const phase of phases) {
      const free = phase === 'dispatched';
      it(`${free ? 'takes' : 'does not take'} an attempt that is ${phase} and held by another agent`, async () => {
        const arranged = await arrangeAttempt(farm, phase);
        const claimed = await claim(arranged);
        assert.equal(claimed?.phase, free ? 'claimed' : undefined);
        assert.equal((await attemptOf(farm, arranged.attempt)).phase, free ? 'claimed' : phase);
      });

      it(`${phase === 'ended' ? 'does not take' : 'takes'} an attempt that is ${phase} and whose lease has expired, unchanged`, async () => {
        const arranged = await arrangeAttempt(farm, phase);
        if (phase !== 'dispatched' && phase !== 'ended')
          await set(`lease_until = now() - interval '1 second'`, arranged);
        const claimed = await claim(arranged);
        const found = free ? 'claimed' : phase;
        assert.equal(claimed?.phase, phase === 'ended' ? undefined : found);
      });
    }

    it('increments the fencing number of the printer, but only if it succeeds', async () => {
      const arranged = await arrangeAttempt(farm, 'dispatched');
      const first = (await claim(arranged))?.fence ?? assert.fail();
      assert.equal(await claim(arranged), undefined);
      await set(`lease_until = now() - interval '1 second'`, arranged);
      const second = await claim(arranged);
      assert.equal(second?.fence, first + 1);
      assert.ok(Date.parse(second?.leaseUntil ?? '') > Date.now() + (leaseSeconds - 2) * 1000);
    });

    it('takes an attempt that was written before the clock of the database was set back', async () => {
      const arranged = await arrangeAttempt(farm, 'printing', { leaseSeconds: leaseSeconds + 60 });
      assert.equal((await claim(arranged))?.phase, 'printing');
    });

    it('takes no attempt of another printer', async () => {
      const arranged = await arrangeAttempt(farm, 'dispatched');
      assert.equal(await claim(arranged, printerId('bamboo_h2d')), undefined);
    });

    it('skips a locked row', async () => {
      const arranged = await arrangeAttempt(farm, 'dispatched');
      await inTransaction(async (tx) => {
        await tx.query('SELECT 1 FROM print_attempts WHERE id = $1 FOR UPDATE', [arranged.attempt]);
        assert.equal(await claim(arranged), undefined);
      });
    });
  });

  describe('a lease', () => {
    it('is renewed while it is valid', async () => {
      const arranged = await arrangeAttempt(farm, 'printing');
      assert.equal(await renewLease(farm.database, arranged.claim, 60), true);
      const until = Date.parse((await attemptOf(farm, arranged.attempt)).leaseUntil ?? '');
      assert.ok(until > Date.now() + 50_000);
    });

    it('that has expired is not revived', async () => {
      const arranged = await arrangeAttempt(farm, 'printing', { leaseSeconds: -1 });
      const { leaseUntil } = await attemptOf(farm, arranged.attempt);
      assert.equal(await renewLease(farm.database, arranged.claim, 60), false);
      assert.equal((await attemptOf(farm, arranged.attempt)).leaseUntil, leaseUntil);
    });

    it('is renewed only by its holder, and not after the end', async () => {
      const { claim } = await arrangeAttempt(farm, 'printing');
      assert.equal(await renewLease(farm.database, { ...claim, owner: randomUUID() }, 60), false);
      assert.equal(await renewLease(farm.database, { ...claim, fence: 0 }, 60), false);
      await inTransaction((tx) => endAttempt(tx, claim, 'completed', null));
      assert.equal(await renewLease(farm.database, claim, 60), false);
    });

    it('is released immediately, by its holder', async () => {
      const { claim, attempt } = await arrangeAttempt(farm, 'printing');
      await releaseLease(farm.database, { ...claim, owner: randomUUID() });
      await releaseLease(farm.database, { ...claim, fence: 0 });
      assert.equal(await orphanOf(farm.database, giga, leaseSeconds), undefined);
      await releaseLease(farm.database, claim);
      assert.equal((await orphanOf(farm.database, giga, leaseSeconds))?.id, attempt);
    });
  });

  describe('an orphan', () => {
    for (const phase of phases) {
      const taken = phase !== 'dispatched' && phase !== 'ended';
      it(`${taken ? 'is' : 'is not'} an attempt that is ${phase} and whose holder is gone`, async () => {
        const { attempt } = await arrangeAttempt(farm, phase, { leaseSeconds: -1 });
        assert.equal((await orphanOf(farm.database, giga, leaseSeconds))?.id, taken ? attempt : undefined);
      });
    }

    it('is no attempt that is held, or of another printer', async () => {
      await arrangeAttempt(farm, 'printing');
      await arrangeAttempt(farm, 'printing', { printer: 'bamboo_h2d', leaseSeconds: -1 });
      assert.equal(await orphanOf(farm.database, giga, leaseSeconds), undefined);
    });
  });

  describe('a step', () => {
    const toStart = (of: Arranged, claim = of.claim) =>
      inTransaction((tx) => advanceAttempt(tx, claim, ['uploading'], 'starting'));

    it('is made by the holder of the attempt', async () => {
      const arranged = await arrangeAttempt(farm, 'uploading');
      const started = await toStart(arranged);
      assert.equal(started?.phase, 'starting');
      assert.ok(started.startIntentAt !== null && started.startedAt === null);
      const printing = await inTransaction((tx) => advanceAttempt(tx, arranged.claim, ['starting'], 'printing'));
      assert.ok(printing?.startedAt);
      const again = await inTransaction((tx) => advanceAttempt(tx, arranged.claim, ['printing'], 'printing'));
      assert.equal(again?.startedAt, printing.startedAt, 'the first time counts');
    });

    it('is not made from another phase, with another fencing number, by another owner, or without a lease', async () => {
      const preparing = await arrangeAttempt(farm, 'preparing');
      assert.equal(await toStart(preparing), undefined);
      await endAllAttempts(farm);
      const arranged = await arrangeAttempt(farm, 'uploading');
      assert.equal(await toStart(arranged, { ...arranged.claim, fence: 2 }), undefined);
      assert.equal(await toStart(arranged, { ...arranged.claim, owner: randomUUID() }), undefined);
      await set(`lease_until = now() - interval '1 second'`, arranged);
      assert.equal(await toStart(arranged), undefined);
      assert.equal((await attemptOf(farm, arranged.attempt)).phase, 'uploading');
    });

    it('to a start is not made once a cancel was requested; others are', async () => {
      const arranged = await arrangeAttempt(farm, 'preparing');
      await inTransaction(async (tx) => {
        await requestCancel(tx, { id: arranged.job } as never, 'ada');
        await requestCancelOfAttempts(tx, arranged.job);
      });
      const uploading = await inTransaction((tx) => advanceAttempt(tx, arranged.claim, ['preparing'], 'uploading'));
      assert.equal(uploading?.phase, 'uploading');
      assert.equal(await toStart(arranged), undefined);
      await set(`phase = 'starting', start_intent_at = now()`, arranged);
      const printing = await inTransaction((tx) => advanceAttempt(tx, arranged.claim, ['starting'], 'printing'));
      assert.equal(printing?.phase, 'printing', 'a print that had started before is shown');
    });
  });

  describe('an end', () => {
    it('is written by the holder of the attempt, once', async () => {
      const { claim } = await arrangeAttempt(farm, 'printing');
      const end = (by = claim) => inTransaction((tx) => endAttempt(tx, by, 'failed', 'why'));
      assert.equal(await end({ ...claim, fence: 2 }), undefined);
      assert.equal(await end({ ...claim, owner: randomUUID() }), undefined);
      const ended = await end();
      assert.deepEqual(
        [ended?.phase, ended?.outcome, ended?.reason, ended?.leaseUntil],
        ['ended', 'failed', 'why', null],
      );
      assert.equal(await end(), undefined);
    });

    it('is not written without a lease', async () => {
      const { claim } = await arrangeAttempt(farm, 'printing', { leaseSeconds: -1 });
      assert.equal(await inTransaction((tx) => endAttempt(tx, claim, 'failed', 'why')), undefined);
    });

    for (const phase of phases) {
      const before = ['dispatched', 'claimed', 'preparing', 'uploading'].includes(phase);
      it(`before the start is ${before ? '' : 'not '}written for an attempt that is ${phase}, regardless of its holder`, async () => {
        const { attempt } = await arrangeAttempt(farm, phase);
        const ended = await inTransaction((tx) => endBeforeStart(tx, attempt, 'cancelled', 'why'));
        assert.equal(ended?.outcome, before ? 'cancelled' : undefined);
      });

      it(`by withdrawal is ${phase === 'dispatched' ? '' : 'not '}written for an attempt that is ${phase} and held`, async () => {
        const { attempt } = await arrangeAttempt(farm, phase);
        const ended = await inTransaction((tx) => withdrawAttempt(tx, attempt, 'why', leaseSeconds));
        assert.equal(ended?.outcome, phase === 'dispatched' ? 'withdrawn' : undefined);
      });

      it(`by withdrawal is ${before ? '' : 'not '}written for an attempt that is ${phase} and not held`, async () => {
        const { attempt } = await arrangeAttempt(farm, phase, { leaseSeconds: -1 });
        const ended = await inTransaction((tx) => withdrawAttempt(tx, attempt, 'why', leaseSeconds));
        assert.equal(ended?.outcome, before ? 'withdrawn' : undefined);
      });

      const asked = ['starting', 'outcome_unknown'].includes(phase);
      it(`by an operator's answer is ${asked ? '' : 'not '}written for an attempt that is ${phase}, if only two other phases are allowed`, async () => {
        const { attempt } = await arrangeAttempt(farm, phase);
        const ended = await inTransaction((tx) =>
          endByWord(tx, attempt, ['starting', 'outcome_unknown'], 'completed', 'why'),
        );
        assert.equal(ended?.outcome, asked ? 'completed' : undefined);
      });

      const lost = phase !== 'dispatched' && phase !== 'ended';
      it(`is ${lost ? '' : 'not '}unknown, after a restore, for an attempt that was ${phase}`, async () => {
        const { attempt } = await arrangeAttempt(farm, phase);
        const found = await inTransaction((tx) => loseTrackOf(tx, attempt, 'why'));
        assert.equal(found?.phase, lost ? 'outcome_unknown' : undefined);
      });
    }
  });

  describe('an intent', () => {
    it('is undone by the process that wrote it, even without a lease', async () => {
      const arranged = await arrangeAttempt(farm, 'starting', { leaseSeconds: -1 });
      const undo = (claim = arranged.claim) => inTransaction((tx) => undoIntent(tx, claim));
      assert.equal(await undo({ ...arranged.claim, fence: 2 }), undefined, 'another process has acted on it');
      assert.equal(await undo({ ...arranged.claim, owner: randomUUID() }), undefined);
      const undone = await undo();
      assert.deepEqual([undone?.phase, undone?.startIntentAt], ['uploading', null]);
      assert.equal(await undo(), undefined);
    });

    it('is not undone for a running print', async () => {
      const { claim } = await arrangeAttempt(farm, 'printing');
      assert.equal(await inTransaction((tx) => undoIntent(tx, claim)), undefined);
    });
  });

  describe('the progress of a print', () => {
    it('only grows, up to the whole', async () => {
      const { attempt } = await arrangeAttempt(farm, 'printing');
      const seen = async (progress: number | null, mm: number | null) => {
        await noteProgress(farm.database, attempt, progress, mm);
        const { progress: at, filamentMm } = await attemptOf(farm, attempt);
        return [at, filamentMm];
      };
      assert.deepEqual(await seen(0.5, 100), [0.5, 100]);
      assert.deepEqual(await seen(0.4, 90), [0.5, 100]);
      assert.deepEqual(await seen(1.2, null), [1, 100]);
    });

    it('is recorded only for a running print', async () => {
      const { attempt } = await arrangeAttempt(farm, 'starting');
      await noteProgress(farm.database, attempt, 0.5, 100);
      assert.equal((await attemptOf(farm, attempt)).progress, null);
    });
  });

  describe('failures', () => {
    const failed = async (of: Arranged, copy: number, outcome: string, endedAgo = '0 s'): Promise<void> => {
      await farm.database.query(
        `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot, phase, outcome, ended_at, fence)
         VALUES ($1, $2, $3, $4, 'extruder', 'ended', $5, now() - $6::interval, 1)`,
        [of.job, copy, giga, randomUUID(), outcome, endedAgo],
      );
    };

    it('count for one copy, by the kinds that cost a try', async () => {
      const arranged = await arrangeAttempt(farm, 'uploading', { copies: 2 });
      for (const outcome of ['failed', 'not_started', 'withdrawn', 'cancelled', 'completed'])
        await failed(arranged, 1, outcome);
      await failed(arranged, 2, 'failed');
      assert.equal(await failuresOfCopy(farm.database, arranged.job, 1), 2);
      assert.equal(await failuresOfCopy(farm.database, arranged.job, 2), 1);
      assert.equal(await failuresOfCopy(farm.database, arranged.job, 3), 0);
    });

    it('count since the job was replayed', async () => {
      const arranged = await arrangeAttempt(farm, 'dispatched');
      await farm.database.query(`UPDATE print_jobs SET retries_from = now() - interval '1 hour' WHERE id = $1`, [
        arranged.job,
      ]);
      await failed(arranged, 1, 'failed', '1 minute');
      await failed(arranged, 1, 'failed', '2 hours');
      assert.equal(await failuresOfCopy(farm.database, arranged.job, 1), 1);
      await inTransaction((tx) => forgetFailures(tx, arranged.job));
      assert.equal(await failuresOfCopy(farm.database, arranged.job, 1), 0, 'a replay starts over');
    });
  });

  describe('an unclaimed dispatch', () => {
    const limits = { expiresSeconds: 600, offlineAfterSeconds: 30, leaseSeconds };
    const report = (connected: boolean) => storeReport(farm.database, giga, { connected, problem: null, report: idle });
    const stale = async (): Promise<boolean[]> =>
      (await staleDispatches(farm.database, limits)).map(({ offline }) => offline);
    const arrange = async (phase: AttemptPhase, age: string): Promise<Arranged> => {
      const arranged = await arrangeAttempt(farm, phase);
      await set(`dispatched_at = now() - interval '${age}'`, arranged);
      return arranged;
    };

    it('is left to an agent for ten minutes', async () => {
      await report(true);
      const arranged = await arrange('dispatched', '9 minutes');
      assert.deepEqual(await stale(), []);
      await set(`dispatched_at = now() - interval '11 minutes'`, arranged);
      assert.deepEqual(await stale(), [false]);
    });

    it('is left for five seconds to a printer that has just gone offline', async () => {
      await report(false);
      const arranged = await arrange('dispatched', '2 seconds');
      assert.deepEqual(await stale(), []);
      await set(`dispatched_at = now() - interval '7 seconds'`, arranged);
      assert.deepEqual(await stale(), [true]);
    });

    it('is withdrawn from a printer that no longer reports', async () => {
      await report(true);
      await farm.database.query(`UPDATE printers SET seen_at = now() - interval '31 seconds' WHERE id = $1`, [giga]);
      await arrange('dispatched', '7 seconds');
      assert.deepEqual(await stale(), [true]);
    });

    it('is no longer withdrawn once it is claimed, whatever happened to the printer', async () => {
      await report(false);
      for (const phase of ['claimed', 'starting', 'printing', 'ended'] as const) {
        await arrange(phase, '1 hour');
        assert.deepEqual(await stale(), [], phase);
        await endAllAttempts(farm);
      }
    });

    for (const phase of phases) {
      const abandoned = ['claimed', 'preparing', 'uploading'].includes(phase);
      if (phase === 'dispatched') continue;
      it(`${abandoned ? 'is' : 'is not'} equivalent to an attempt that is ${phase} and whose agent and node are gone`, async () => {
        await report(true);
        const arranged = await arrange(phase, '1 minute');
        if (phase !== 'ended') await set(`lease_until = now() - interval '40 seconds'`, arranged);
        assert.equal((await stale()).length, 0, 'its printer is served, so its agent takes it over');
        await farm.database.query(`UPDATE printers SET seen_at = now() - interval '31 seconds' WHERE id = $1`, [giga]);
        assert.equal((await stale()).length, abandoned ? 1 : 0);
        if (phase !== 'ended') await set(`lease_until = now() - interval '20 seconds'`, arranged);
        assert.equal((await stale()).length, 0, 'an agent may still come back for it');
      });
    }
  });
});
