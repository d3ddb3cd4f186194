import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import type { Farm } from '../../lib/farm/farm';
import { answerOutcome } from '../../lib/jobs/outcome';
import { restored } from '../../lib/jobs/restored';
import type { AttemptPhase } from '../../lib/model/attempt';
import { isTerminal, type JobStatus } from '../../lib/model/status';
import { openFarm } from '../../lib/runtime';
import { findAttempt } from '../../lib/store/attempts';
import { findJob, historyOf } from '../../lib/store/jobs';
import { unsent } from '../../lib/store/outbox';
import { allPrinters } from '../../lib/store/printers';
import { addJob, dropFarm, openBareFarm } from '../support/bare-farm';
import { addDefaultFarm } from '../support/default-farm';
import { platewise } from '../support/program';
import { embeddedPostgresUrl, temporaryDirectory } from '../support/servers';
import { bringJobTo } from '../support/stages';

const printer = 'elegoo_giga';

interface Row {
  phase: AttemptPhase;
  status: JobStatus;
  /** Its phase afterwards. */
  becomes: AttemptPhase;
  shown: JobStatus;
  cancelled?: boolean;
}

/** The new phase for each phase, and the status that its job shows. */
const table: Row[] = [
  { phase: 'dispatched', status: 'scheduled', becomes: 'ended', shown: 'queued' },
  { phase: 'claimed', status: 'slicing', becomes: 'outcome_unknown', shown: 'uploading' },
  { phase: 'preparing', status: 'slicing', becomes: 'outcome_unknown', shown: 'uploading' },
  { phase: 'uploading', status: 'uploading', becomes: 'outcome_unknown', shown: 'uploading' },
  { phase: 'starting', status: 'uploading', becomes: 'outcome_unknown', shown: 'uploading' },
  { phase: 'outcome_unknown', status: 'uploading', becomes: 'outcome_unknown', shown: 'uploading' },
  { phase: 'printing', status: 'printing', becomes: 'outcome_unknown', shown: 'printing' },
  { phase: 'ended', status: 'completed', becomes: 'ended', shown: 'completed' },
  { phase: 'dispatched', status: 'scheduled', becomes: 'ended', shown: 'cancelled', cancelled: true },
  { phase: 'printing', status: 'printing', becomes: 'outcome_unknown', shown: 'printing', cancelled: true },
];

describe('A restored database', () => {
  let farm: Farm;
  beforeEach(async () => {
    farm = await openBareFarm();
  });
  afterEach(() => dropFarm(farm));

  /** A job with an attempt in a phase, held by an agent that is alive, and its dispatch waiting to be published. */
  async function arrange({ phase, status, cancelled }: Row): Promise<{ job: string; attempt: string }> {
    const job = await addJob(farm, `${phase} part`);
    await bringJobTo(farm.database, job, status);
    if (cancelled) await farm.database.query('UPDATE print_jobs SET cancel_requested_at = now() WHERE id = $1', [job]);
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot, phase, dispatched_at, fence, lease_owner, lease_until,
         start_intent_at, started_at, outcome, ended_at)
       VALUES ($1, 1, $2, $3, 'extruder', $4::text, now() - interval '3 minutes',
         CASE WHEN $4::text <> 'dispatched' THEN 1 END, CASE WHEN $4::text <> 'dispatched' THEN gen_random_uuid() END,
         CASE WHEN $4::text NOT IN ('dispatched', 'ended') THEN now() + interval '10 seconds' END,
         CASE WHEN $4::text IN ('starting', 'printing', 'outcome_unknown') THEN now() - interval '2 minutes' END,
         CASE WHEN $4::text = 'printing' THEN now() - interval '2 minutes' END,
         CASE WHEN $4::text = 'ended' THEN 'completed' END, CASE WHEN $4::text = 'ended' THEN now() END)
       RETURNING id`,
      [job, printer, `${job}.gcode`, phase],
    );
    const attempt = rows[0]?.id ?? assert.fail();
    await farm.database.query(
      `INSERT INTO outbox (kind, routing_key, job_id, attempt_id, body) VALUES ('dispatch', 'q', $1, $2, '{}')`,
      [job, attempt],
    );
    return { job, attempt };
  }

  for (const row of table) {
    const name = `${row.phase}${row.cancelled ? ', cancelled' : ''}`;
    it(`turns an attempt in "${name}" into one in "${row.becomes}", and its job is ${row.shown}`, async () => {
      const { job, attempt } = await arrange(row);
      const done = await restored(farm.database, 'ada');
      const after = (await findAttempt(farm.database, attempt)) ?? assert.fail();
      assert.equal(after.phase, row.becomes);
      const shown = await findJob(farm.database, job);
      assert.equal(shown.status, row.shown);
      const open = !isTerminal(row.shown);
      assert.equal(shown.hold, open, 'a job under way is held');
      assert.equal(done.held, open ? 1 : 0);
      assert.equal(done.withdrawn, row.phase === 'dispatched' ? 1 : 0);
      const unknown = row.becomes === 'outcome_unknown';
      assert.equal(done.outcomeUnknown, unknown ? 1 : 0);
      assert.equal(/^outcome_unknown: the database was restored/.test(shown.statusReason ?? ''), unknown);
      if (row.phase === 'dispatched') assert.equal(after.outcome, 'withdrawn');
      if (unknown) {
        assert.equal(after.leaseOwner, null, 'the earlier holder can no longer write it');
        assert.ok(after.leaseUntil && Date.parse(after.leaseUntil) < Date.now(), 'the next agent takes it over');
        assert.ok(after.startIntentAt);
      }
      const lines = (await historyOf(farm.database, shown.id)).filter(({ changed_by: by }) => by === 'ada');
      if (row.phase === 'ended') assert.deepEqual(lines, []);
      else assert.ok(lines.some(({ reason }) => /the database was restored from a backup/.test(reason ?? '')));
      const waiting = await unsent(farm.database, 100, { lanes: [], ids: [] });
      assert.ok(!waiting.some(({ attemptId, kind }) => kind === 'dispatch' && attemptId === attempt && unknown));
      const { rows } = await farm.database.query<{ waits: boolean }>(
        'SELECT sent_at IS NULL AS waits FROM outbox WHERE attempt_id = $1',
        [attempt],
      );
      assert.deepEqual(rows, [{ waits: false }], 'its dispatch is no longer published');
    });
  }

  it('leaves queued jobs alone', async () => {
    const job = await addJob(farm, 'queued part');
    await restored(farm.database, 'ada');
    const { status, hold } = await findJob(farm.database, job);
    assert.deepEqual([status, hold], ['queued', false]);
  });

  it('requires every bed to be inspected, whatever was known of it, with another version, an actor and a reason', async () => {
    await farm.database.query(`UPDATE printers SET bed_state = 'clear', bed_cause = NULL WHERE id = 'bamboo_h2d'`);
    await farm.database.query(`UPDATE printers SET bed_cause = 'foreign' WHERE id = 'snapmaker_artisan'`);
    const before = await allPrinters(farm.database);
    const { beds } = await restored(farm.database, 'ada');
    const after = await allPrinters(farm.database);
    assert.equal(beds, after.length);
    for (const [index, { bedState, bedCause, bedAttemptId, bedVersion }] of after.entries()) {
      assert.deepEqual([bedState, bedCause, bedAttemptId], ['occupied', 'unknown', null]);
      assert.equal(bedVersion, (before[index]?.bedVersion ?? 0) + 1);
    }
    const { rows } = await farm.database.query<{ by: string; reason: string }>(
      `SELECT body ->> 'changed_by' AS by, body ->> 'reason' AS reason FROM outbox WHERE body ->> 'event' = 'bed'`,
    );
    assert.equal(rows.length, after.length);
    assert.ok(rows.every(({ by, reason }) => by === 'ada' && /restored/.test(reason)));
  });

  it('never reuses a number that it may have used before', async () => {
    const { attempt: first } = await arrange({
      phase: 'ended',
      status: 'completed',
      becomes: 'ended',
      shown: 'completed',
    });
    const lost = 1000;
    const before = (await findAttempt(farm.database, first))?.taskId ?? assert.fail();
    await restored(farm.database, 'ada');
    const { attempt } = await arrange({ phase: 'dispatched', status: 'scheduled', becomes: 'ended', shown: 'queued' });
    assert.ok(((await findAttempt(farm.database, attempt))?.taskId ?? 0) > before + lost);
    await farm.database.query(`SELECT setval('print_task_ids', 2147483647)`);
    await restored(farm.database, 'ada');
    const { rows } = await farm.database.query<{ next: number }>(`SELECT nextval('print_task_ids') AS next`);
    assert.ok((rows[0]?.next ?? 0) > 0);
  });

  it('derives the status of a job with several copies from its open attempts', async () => {
    const { job, attempt } = await arrange(table[1] ?? assert.fail());
    await farm.database.query('UPDATE print_jobs SET copies = 2 WHERE id = $1', [job]);
    const { rows } = await farm.database.query<{ id: string }>(
      `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot) VALUES ($1, 2, 'bamboo_h2d', 'other', 'ams0-0') RETURNING id`,
      [job],
    );
    const done = await restored(farm.database, 'ada');
    assert.deepEqual([done.withdrawn, done.outcomeUnknown, done.held], [1, 1, 1]);
    assert.equal((await findAttempt(farm.database, attempt))?.phase, 'outcome_unknown');
    assert.equal((await findAttempt(farm.database, rows[0]?.id ?? ''))?.phase, 'ended');
    const { status, statusReason } = await findJob(farm.database, job);
    assert.equal(status, 'uploading');
    assert.match(statusReason ?? '', /^outcome_unknown:/);
  });

  it('accepts "it did not" no earlier than a start can have arrived', async () => {
    const { attempt } = await arrange(table[1] ?? assert.fail());
    await restored(farm.database, 'ada');
    await assert.rejects(answerOutcome(farm, attempt, { printed: false, machine_off: true }, 'ada'), /may still reach/);
    const { status } = await answerOutcome(farm, attempt, { printed: true }, 'ada');
    assert.equal(status, 'completed');
  });

  it('may be reported as restored twice', async () => {
    const { job } = await arrange(table[6] ?? assert.fail());
    await restored(farm.database, 'ada');
    await restored(farm.database, 'ada');
    const { status, statusReason } = await findJob(farm.database, job);
    assert.deepEqual([status, /^outcome_unknown:/.test(statusReason ?? '')], ['printing', true]);
  });

  it('is reported by "platewise restored"', async () => {
    const name = `restored_${randomUUID().replaceAll('-', '')}`;
    await farm.database.query(`CREATE DATABASE ${name}`);
    const url = (await embeddedPostgresUrl()).replace('/postgres?', `/${name}?`);
    const empty = await platewise(['restored', '--json'], { DATABASE_URL: url });
    assert.deepEqual([empty.code, /no farm in this database/.test(empty.stderr)], [1, true]);
    const other = await openFarm({
      dataDirectory: temporaryDirectory('other-farm'),
      databaseUrl: url,
      log: () => undefined,
    });
    await addDefaultFarm(other.database);
    await other.close();
    const { code, stdout, stderr } = await platewise(['restored', '--json'], { DATABASE_URL: url });
    assert.equal(code, 0, stderr);
    assert.deepEqual(JSON.parse(stdout), { withdrawn: 0, outcome_unknown: 0, held: 0, beds: 3 });
    assert.equal((await platewise(['restored', 'everything'], { DATABASE_URL: url })).code, 2);
    await farm.database.query(`DROP DATABASE ${name} WITH (FORCE)`);
  });
});
