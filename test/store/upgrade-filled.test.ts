import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { attemptPhases } from '../../lib/model/attempt';
import { Database } from '../../lib/store/database';
import { knownMigrations, migrate } from '../../lib/store/migrate';
import { databases } from '../support/servers';

/** The migrations before the one that adds the rules. */
const before = knownMigrations().findIndex((name) => name.startsWith('000016'));
const statusOf: Record<string, string> = {
  dispatched: 'scheduled',
  claimed: 'slicing',
  preparing: 'slicing',
  uploading: 'uploading',
  starting: 'uploading',
  outcome_unknown: 'uploading',
  printing: 'printing',
  ended: 'completed',
};

for (const { name, connection } of databases()) {
  describe(`An upgrade of a filled database on ${name}`, () => {
    let database: Database;
    const query = async <Row extends object = Record<string, unknown>>(sql: string, values: unknown[] = []) =>
      (await database.query<Row & Record<string, unknown>>(sql, values)).rows;
    const row = async (sql: string, values: unknown[] = []) => (await query(sql, values))[0] ?? {};

    beforeEach(async () => {
      database = new Database({
        connection: await connection(),
        schema: `test_${randomUUID().replaceAll('-', '')}`,
        onProblem: () => undefined,
      });
      await migrate(database, before);
    });
    afterEach(async () => {
      await database.query(`DROP SCHEMA ${database.schema} CASCADE`);
      await database.close();
    });

    const addPrinter = (id: string) =>
      database.query(
        `INSERT INTO printers (id, name, make, capabilities, bed_state, bed_cause, seen_at)
         VALUES ($1::varchar, $1, 'moonraker', '{}', 'clear', NULL, now())`,
        [id],
      );
    const addJob = async (status = 'queued', printer: string | null = 'one', copiesDone = 0): Promise<string> => {
      const job = await row(
        `INSERT INTO print_jobs (job_name, stl_path, material_id, print_settings, status, assigned_printer_id, copies_done,
           completed_at, model_sha256, model_kind, model_x_mm, model_y_mm, model_z_mm, model_volume_mm3)
         VALUES ('part', '/part.stl', 'pla_black_esun', '{}', $1::text, $2, $3,
           CASE WHEN $1::text IN ('completed', 'failed', 'cancelled') THEN now() END, repeat('0', 64), 'stl', 1, 1, 1, 1) RETURNING id`,
        [status, printer, copiesDone],
      );
      return String(job['id']);
    };
    const addAttempt = async (
      job: string,
      phase: string,
      { printer = 'one', copy = 1, lease = true }: { printer?: string; copy?: number; lease?: boolean } = {},
    ): Promise<string> => {
      const attempt = await row(
        `INSERT INTO print_attempts (job_id, copy, printer_id, phase, fence, lease_owner, lease_until, start_intent_at, file_name, slot,
           outcome, ended_at)
         VALUES ($1, $2, $3, $4::text, CASE WHEN $4::text <> 'dispatched' THEN 1 END, CASE WHEN $4::text <> 'dispatched' AND $5 THEN gen_random_uuid() END,
           CASE WHEN $4::text NOT IN ('dispatched', 'ended') AND $5 THEN now() + interval '1 hour' END,
           CASE WHEN $4::text IN ('starting', 'printing', 'outcome_unknown') THEN now() END, gen_random_uuid(), 'x',
           CASE WHEN $4::text = 'ended' THEN 'completed' END, CASE WHEN $4::text = 'ended' THEN now() END) RETURNING id`,
        [job, copy, printer, phase, lease],
      );
      return String(attempt['id']);
    };
    const occupy = (printer: string, attempt: string) =>
      database.query(
        `UPDATE printers SET bed_state = 'occupied', bed_cause = 'attempt', bed_attempt_id = $2 WHERE id = $1`,
        [printer, attempt],
      );

    it('leaves valid data as it is: jobs in every phase, with all that belongs to them', async () => {
      for (const phase of attemptPhases) {
        await addPrinter(phase);
        const job = await addJob(statusOf[phase], phase, phase === 'ended' ? 1 : 0);
        const attempt = await addAttempt(job, phase, { printer: phase });
        if (['starting', 'printing', 'outcome_unknown', 'ended'].includes(phase)) await occupy(phase, attempt);
        await database.query(
          `INSERT INTO job_status_history (job_id, from_status, to_status, reason) VALUES ($1, NULL, 'queued', 'submitted'),
             ($1, 'queued', 'scheduled', 'planned'), ($1, 'scheduled', 'scheduled', 'a remark')`,
          [job],
        );
        if (phase !== 'ended') continue;
        await database.query(
          `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, grams, cost_usd)
           VALUES ($1, $2, $3, 'pla_black_esun', 'completed', 1, 1)`,
          [job, attempt, phase],
        );
        await database.query(
          `INSERT INTO dead_letters (job_id, attempt_id, reason, message) VALUES ($1, $2, 'broken', '{}')`,
          [job, attempt],
        );
      }
      await database.query(
        `INSERT INTO spools (material_id, initial_grams, grams_left) SELECT id, 1000, 500 FROM materials`,
      );
      const tables = ['print_jobs', 'print_attempts', 'job_status_history', 'print_outcomes', 'dead_letters', 'spools'];
      const all = async () => {
        const lines: Record<string, unknown> = {};
        for (const table of tables) lines[table] = await query(`SELECT * FROM ${table} ORDER BY id`);
        lines['printers'] = await query('SELECT * FROM printers WHERE seen_at IS NOT NULL ORDER BY id');
        return lines;
      };
      const was = await all();
      await migrate(database);
      // Later migrations add columns; the earlier ones keep their values.
      const now = await all();
      for (const [table, rows] of Object.entries(was)) {
        const columns = Object.keys((rows as object[])[0] ?? {});
        const same = (now[table] as Record<string, unknown>[]).map((row) =>
          Object.fromEntries(columns.map((column) => [column, row[column]])),
        );
        assert.deepEqual(same, rows, table);
      }
    });

    it('removes the printers and materials that were never used, and no others', async () => {
      await migrate(database);
      assert.deepEqual(await query('SELECT id FROM printers UNION ALL SELECT id FROM materials'), []);
    });

    it('keeps printers that a node or a job names, and materials that were used or changed', async () => {
      await database.query(`UPDATE printers SET seen_at = now() WHERE id = 'elegoo_giga'`);
      const job = await addJob('queued', null);
      await database.query(`UPDATE print_jobs SET force_printer = 'snapmaker_artisan' WHERE id = $1`, [job]);
      await database.query(`UPDATE materials SET usd_per_kg = 17 WHERE id = 'pla_red_esun'`);
      await database.query(`UPDATE materials SET archived_at = now() WHERE id = 'abs_black_esun'`);
      await database.query(
        `INSERT INTO spools (material_id, label, initial_grams, grams_left) VALUES ('tpu_black_sainsmart', 'mine', 10, 10)`,
      );
      await migrate(database);
      assert.deepEqual(await query('SELECT id FROM printers UNION ALL SELECT id FROM materials ORDER BY id'), [
        ...['abs_black_esun', 'elegoo_giga', 'pla_black_esun', 'pla_red_esun', 'snapmaker_artisan'].map((id) => ({
          id,
        })),
        { id: 'tpu_black_sainsmart' },
      ]);
    });

    it('leaves the demonstration its materials', async () => {
      await database.query(
        `INSERT INTO spools (material_id, label, initial_grams, grams_left) VALUES ('pla_black_esun', 'simulated', 10, 10)`,
      );
      await migrate(database);
      assert.equal((await query('SELECT id FROM materials')).length, 12);
    });

    it('repairs invalid data, loses nothing, and records it in the history', async () => {
      for (const id of ['one', 'two', 'three', 'four', 'five', 'six']) await addPrinter(id);
      // Printing without a lease or a holder, and the bed is clear.
      const printing = await addAttempt(await addJob('printing'), 'printing', { lease: false });
      const unknown = await addAttempt(await addJob('uploading', 'two'), 'outcome_unknown', { printer: 'two' });
      // A lease on an ended attempt, and a claim on an unclaimed one.
      const ended = await addAttempt(await addJob('failed'), 'ended');
      await database.query('UPDATE print_attempts SET lease_until = now() WHERE id = $1', [ended]);
      const dispatched = await addAttempt(await addJob('scheduled', 'three'), 'dispatched', { printer: 'three' });
      await database.query(`UPDATE print_attempts SET fence = 3, lease_owner = gen_random_uuid() WHERE id = $1`, [
        dispatched,
      ]);
      // Copy 99 of 1, beside none and beside copy 1; and of an attempt that has ended.
      const strayJob = await addJob('slicing', 'four');
      const stray = await addAttempt(strayJob, 'claimed', { printer: 'four', copy: 99 });
      const doubleJob = await addJob('slicing', 'five');
      await addAttempt(doubleJob, 'claimed', { printer: 'five' });
      const double = await addAttempt(doubleJob, 'claimed', { printer: 'six', copy: 2 });
      const past = await addAttempt(await addJob('failed'), 'ended', { copy: 99 });
      // A bed that another printer's attempt occupies.
      await occupy('three', ended);
      const versionBefore = (await row(`SELECT bed_version FROM printers WHERE id = 'one'`))['bed_version'];
      // An outcome without its attempt.
      await database.query(
        `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, grams, cost_usd)
         VALUES ($1, gen_random_uuid(), 'one', 'pla_black_esun', 'completed', 7, 1)`,
        [await addJob('failed')],
      );
      // Two open dead letters of one job, the newer one of another job's attempt.
      const given = await addJob('failed');
      await database.query(
        `INSERT INTO dead_letters (job_id, attempt_id, reason, message, created_at) VALUES
           ($1, NULL, 'older', '{}', now() - interval '1 hour'), ($1, $2, 'newer', '{}', now()), (NULL, $2, 'lost', '{}', now())`,
        [given, ended],
      );
      // A job that depends on itself, jobs that are assigned without a printer, and one that is completed with 0 of 1 copies.
      const own = await addJob();
      await database.query('UPDATE print_jobs SET depends_on = ARRAY[id, $2] WHERE id = $1', [own, given]);
      const lost = await addJob('scheduled', null);
      const knownJob = await addJob('failed');
      await addAttempt(knownJob, 'ended');
      await database.query(
        `UPDATE print_jobs SET assigned_printer_id = NULL, status = 'queued', completed_at = NULL WHERE id = $1`,
        [knownJob],
      );
      await database.query(`UPDATE print_jobs SET status = 'scheduled' WHERE id = $1`, [knownJob]);
      const half = await addJob('completed', 'one', 0);
      // Words that are not a status, and a transition that does not exist.
      await database.query(
        `INSERT INTO job_status_history (job_id, from_status, to_status, reason) VALUES ($1, NULL, 'queued', 'submitted'),
           ($1, 'queued', 'scheduled', 'planned'), ($1, 'banana', 'rocket', 'monkey'), ($1, 'queued', 'printing', NULL),
           ($1, NULL, 'failed', 'x')`,
        [half],
      );
      await database.query(
        `INSERT INTO spools (material_id, label, initial_grams, grams_left) VALUES ('pla_black_esun', 'small', 10, 99999)`,
      );
      const counts = () =>
        row(
          `SELECT (SELECT count(*) FROM print_jobs) AS jobs, (SELECT count(*) FROM print_attempts) AS attempts,
             (SELECT count(*) FROM print_outcomes) AS outcomes, (SELECT count(*) FROM dead_letters) AS letters,
             (SELECT count(*) FROM spools) AS spools,
             (SELECT count(*) FROM job_status_history WHERE changed_by IS DISTINCT FROM 'upgrade') AS lines`,
        );
      const was = await counts();

      await migrate(database);
      assert.deepEqual(await counts(), was);

      const attempt = (id: string) =>
        row(`SELECT copy, fence, lease_owner, lease_until < now() AS over FROM print_attempts WHERE id = $1`, [id]);
      const held = await attempt(printing);
      assert.ok(held['lease_owner'] !== null && held['over'] === true, 'the next agent takes it over');
      assert.deepEqual(await attempt(dispatched), { copy: 1, fence: null, lease_owner: null, over: null });
      assert.equal((await attempt(ended))['over'], null);
      assert.equal((await attempt(stray))['copy'], 1);
      assert.equal((await attempt(double))['copy'], 2);
      assert.equal((await attempt(past))['copy'], 99);
      const copies = (id: string) => row('SELECT copies, copies_done FROM print_jobs WHERE id = $1', [id]);
      assert.deepEqual(await copies(strayJob), { copies: 1, copies_done: 0 });
      assert.deepEqual(await copies(doubleJob), { copies: 2, copies_done: 0 });

      const bed = (id: string) =>
        row('SELECT bed_state AS state, bed_cause AS cause, bed_attempt_id AS attempt FROM printers WHERE id = $1', [
          id,
        ]);
      assert.deepEqual(await bed('one'), { state: 'occupied', cause: 'attempt', attempt: printing });
      assert.deepEqual(await bed('two'), { state: 'occupied', cause: 'unknown', attempt: null });
      assert.deepEqual(await bed('three'), { state: 'occupied', cause: 'unknown', attempt: null });
      assert.ok(unknown);
      const { bed_version: versionAfter } = await row(`SELECT bed_version FROM printers WHERE id = 'one'`);
      assert.equal(versionAfter, Number(versionBefore) + 1, 'a client that saw it clear has seen an older version');

      assert.deepEqual(
        await query('SELECT reason, resolution, attempt_id FROM dead_letters ORDER BY created_at, reason'),
        [
          { reason: 'older', resolution: 'discarded', attempt_id: null },
          { reason: 'lost', resolution: null, attempt_id: null },
          { reason: 'newer', resolution: null, attempt_id: null },
        ],
      );

      const job = (id: string) =>
        row('SELECT status, assigned_printer_id AS printer FROM print_jobs WHERE id = $1', [id]);
      assert.deepEqual(await job(lost), { status: 'queued', printer: null });
      assert.deepEqual(await job(knownJob), { status: 'scheduled', printer: 'one' });
      assert.deepEqual(await job(half), { status: 'completed', printer: 'one' });
      assert.deepEqual(await copies(half), { copies: 1, copies_done: 1 });
      assert.deepEqual(await row('SELECT depends_on FROM print_jobs WHERE id = $1', [own]), { depends_on: [given] });
      const lines = (id: string) =>
        query(
          'SELECT from_status AS "from", to_status AS "to", reason FROM job_status_history WHERE job_id = $1 ORDER BY id',
          [id],
        );
      assert.deepEqual(await lines(lost), [{ from: 'scheduled', to: 'queued', reason: 'it had no printer' }]);
      assert.deepEqual(await lines(half), [
        { from: null, to: 'queued', reason: 'submitted' },
        { from: 'queued', to: 'scheduled', reason: 'planned' },
        { from: 'scheduled', to: 'scheduled', reason: 'recorded as "banana" to "rocket": monkey' },
        { from: 'scheduled', to: 'scheduled', reason: 'recorded as "queued" to "printing"' },
        { from: 'scheduled', to: 'scheduled', reason: 'recorded as "nothing" to "failed": x' },
        { from: 'completed', to: 'completed', reason: '0 of 1 copies were counted as done; it is completed' },
      ]);
      assert.deepEqual(await query(`SELECT initial_grams AS initial, grams_left AS "left" FROM spools`), [
        { initial: 99_999, left: 99_999 },
      ]);
    });

    it('forgets the number of counterfeit chips, which is read as an id no more', async () => {
      for (const [id, identity] of [
        ['one', { mcu: 'A50285BI', host: 'h' }],
        ['two', { mcu: '2C0018000851383531393138' }],
      ] as const) {
        await addPrinter(id);
        await database.query('UPDATE printers SET identity = $2 WHERE id = $1', [id, JSON.stringify(identity)]);
      }
      await migrate(database);
      assert.deepEqual(await query('SELECT identity FROM printers ORDER BY id'), [
        { identity: { host: 'h' } },
        { identity: { mcu: '2C0018000851383531393138' } },
      ]);
    });
  });
}
