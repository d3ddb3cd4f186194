import assert from 'node:assert/strict';
import { type AttemptPhase, attemptPhases, phaseGraph } from '../../lib/model/attempt';
import { type JobStatus, jobStatuses, statusGraph } from '../../lib/model/status';
import type { Database } from '../../lib/store/database';
import { freshDatabase } from '../support/fresh-database';
import { databases } from '../support/servers';

const printers = ['one', 'other'] as const;
const nobody = '00000000-0000-0000-0000-00000000000';

for (const { name, connection } of databases()) {
  describe(`The schema on ${name} refuses`, () => {
    let database: Database;
    let drop: () => Promise<void>;
    before(async () => {
      ({ database, drop } = await freshDatabase(await connection()));
      await database.query(
        `INSERT INTO materials (id, name, type, colour, colour_hex, brand, density_g_cm3, usd_per_kg, nozzle_temp, bed_temp)
         VALUES ('pla', 'PLA', 'PLA', 'black', '000000', 'any', 1.24, 20, 210, 60)`,
      );
      for (const id of printers) {
        await database.query(
          `INSERT INTO printers (id, name, make, capabilities, bed_state, bed_cause) VALUES ($1::varchar, $1, 'moonraker', '{}', 'clear', NULL)`,
          [id],
        );
      }
    });
    after(() => drop());
    afterEach(async () => {
      await database.query(`UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown', bed_attempt_id = NULL`);
      await database.query('DELETE FROM print_outcomes');
      await database.query('DELETE FROM print_jobs');
      await database.query(`UPDATE printers SET bed_state = 'clear', bed_cause = NULL`);
    });

    const one = async (sql: string, values: unknown[] = []): Promise<string> =>
      (await database.query<{ id: string }>(sql, values)).rows[0]?.id ?? '';
    /** The constraint that rejects a statement. */
    const refused = async (constraint: string, sql: string, values: unknown[] = []): Promise<void> =>
      assert.rejects(database.query(sql, values), (error: Error) => {
        const { constraint: by } = (error.cause ?? error) as { constraint?: string };
        assert.equal(by, constraint, error.message);
        return true;
      });

    const addJob = (copies = 1): Promise<string> =>
      one(
        `INSERT INTO print_jobs (job_name, stl_path, material_id, print_settings, copies, model_sha256, model_kind, model_x_mm,
           model_y_mm, model_z_mm, model_volume_mm3)
         VALUES ('part', '/part.stl', 'pla', '{}', $1, repeat('0', 64), 'stl', 1, 1, 1, 1) RETURNING id`,
        [copies],
      );
    const claimed = (phase: AttemptPhase): boolean => phase !== 'dispatched' && phase !== 'ended';
    /** An attempt in a phase, as the code leaves it; from its intent on its part lies on the bed. */
    async function addAttempt(
      phase: AttemptPhase,
      { job, printer = 'one', copy = 1 }: { job?: string; printer?: (typeof printers)[number]; copy?: number } = {},
    ): Promise<string> {
      const started = ['starting', 'printing', 'outcome_unknown'].includes(phase);
      const jobId = job ?? (await addJob(copy));
      return database.transaction(async (tx) => {
        const { rows } = await tx.query<{ id: string }>(
          `INSERT INTO print_attempts (job_id, copy, printer_id, phase, fence, lease_owner, lease_until, start_intent_at, file_name,
             slot, outcome, ended_at)
           VALUES ($1, $2, $3, $4, $5, $6, CASE WHEN $7 THEN now() END, CASE WHEN $8 THEN now() END, gen_random_uuid(), 'x',
             $9::text, CASE WHEN $9::text IS NOT NULL THEN now() END) RETURNING id`,
          [
            ...[jobId, copy, printer, phase, phase === 'dispatched' ? null : 1],
            ...[phase === 'dispatched' ? null : `${nobody}1`, claimed(phase), started],
            phase === 'ended' ? 'completed' : null,
          ],
        );
        const id = rows[0]?.id ?? '';
        if (started) {
          await tx.query(
            `UPDATE printers SET bed_state = 'occupied', bed_cause = 'attempt', bed_attempt_id = $2 WHERE id = $1`,
            [printer, id],
          );
        }
        return id;
      });
    }

    it('no phase that follows in the graph, but every other, as in lib/model', async () => {
      const { rows } = await database.query<{ from_phase: AttemptPhase; to_phase: AttemptPhase }>(
        'SELECT from_phase, to_phase FROM attempt_phase_transitions',
      );
      const stored = rows.map((row) => `${row.from_phase} → ${row.to_phase}`).sort();
      const expected = attemptPhases.flatMap((from) => phaseGraph[from].map((to) => `${from} → ${to}`)).sort();
      assert.deepEqual(stored, expected);
      for (const from of attemptPhases) {
        const attempt = await addAttempt(from);
        for (const to of attemptPhases) {
          if (to === from) continue;
          const change = `UPDATE print_attempts SET phase = '${to}', fence = ${to === 'dispatched' ? 'NULL' : '2'},
            lease_owner = ${to === 'dispatched' ? 'NULL' : `'${nobody}1'`}, lease_until = ${claimed(to) ? 'now()' : 'NULL'},
            start_intent_at = now(), outcome = ${to === 'ended' ? `'failed'` : 'NULL'},
            ended_at = ${to === 'ended' ? 'now()' : 'NULL'} WHERE id = '${attempt}'`;
          const bed = `UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown', bed_attempt_id = NULL WHERE id = 'one'`;
          if (!phaseGraph[from].includes(to)) await refused('attempt_phase_transition', change);
          else {
            const undone = new Error('only tried');
            const tried = database.transaction(async (tx) => {
              await tx.query(bed);
              await tx.query(change);
              await tx.query('SET CONSTRAINTS ALL IMMEDIATE');
              throw undone;
            });
            await assert.rejects(tried, undone, `${from} → ${to}`);
          }
        }
        await database.query(
          `UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown', bed_attempt_id = NULL`,
        );
        await database.query('DELETE FROM print_attempts');
        await database.query(`UPDATE printers SET bed_state = 'clear', bed_cause = NULL`);
      }
    });

    it('a claimed attempt without a lease, and a lease on an unclaimed or ended one', async () => {
      for (const phase of attemptPhases) {
        const attempt = await addAttempt(phase);
        const lease = claimed(phase) ? 'NULL' : 'now()';
        await refused('lease_iff_claimed', `UPDATE print_attempts SET lease_until = ${lease} WHERE id = $1`, [attempt]);
        await database.query(
          `UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown', bed_attempt_id = NULL`,
        );
        await database.query('DELETE FROM print_attempts');
        await database.query(`UPDATE printers SET bed_state = 'clear', bed_cause = NULL`);
      }
    });

    it('a claimed attempt without a holder, unless a restore has lost track of it', async () => {
      const attempt = await addAttempt('printing');
      const release = 'UPDATE print_attempts SET lease_owner = NULL WHERE id = $1';
      await refused('owner_while_claimed', release, [attempt]);
      await database.query(`UPDATE print_attempts SET phase = 'outcome_unknown' WHERE id = $1`, [attempt]);
      await database.query(release, [attempt]);
      await refused('owner_while_claimed', `UPDATE print_attempts SET phase = 'printing' WHERE id = $1`, [attempt]);
    });

    it('a holder without a fencing number, and a fencing number on an unclaimed attempt', async () => {
      const attempt = await addAttempt('dispatched');
      const hold = `UPDATE print_attempts SET lease_owner = '${nobody}1' WHERE id = $1`;
      await refused('owner_has_fence', hold, [attempt]);
      await refused('unclaimed_has_no_fence', 'UPDATE print_attempts SET fence = 1 WHERE id = $1', [attempt]);
    });

    it('a copy beyond those of the job, and fewer copies than are under way', async () => {
      const job = await addJob(2);
      const add = `INSERT INTO print_attempts (job_id, copy, printer_id, file_name, slot) VALUES ($1, $2, 'one', 'x', 'x')`;
      await refused('copy_within_job', add, [job, 99]);
      await refused('print_attempts_copy_check', add, [job, 0]);
      const attempt = await addAttempt('claimed', { job, copy: 2 });
      await refused('copy_within_job', 'UPDATE print_attempts SET copy = 3 WHERE id = $1', [attempt]);
      await refused('copies_hold_attempts', 'UPDATE print_jobs SET copies = 1 WHERE id = $1', [job]);
      await database.query(
        `UPDATE print_attempts SET phase = 'ended', outcome = 'not_started', ended_at = now(), lease_until = NULL WHERE id = $1`,
        [attempt],
      );
      await database.query('UPDATE print_jobs SET copies = 1 WHERE id = $1', [job]);
    });

    it(`another printer's attempt on a bed`, async () => {
      const attempt = await addAttempt('printing');
      await refused(
        'printers_bed_attempt',
        `UPDATE printers SET bed_state = 'occupied', bed_cause = 'attempt', bed_attempt_id = $1 WHERE id = 'other'`,
        [attempt],
      );
    });

    for (const phase of ['starting', 'printing', 'outcome_unknown'] as const) {
      it(`a clear bed under an attempt in "${phase}"`, async () => {
        const attempt = await addAttempt(phase);
        const clear = `UPDATE printers SET bed_state = 'clear', bed_cause = NULL, bed_attempt_id = NULL WHERE id = 'one'`;
        await refused('bed_of_start', clear);
        const occupied = `UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown' WHERE id = 'one'`;
        await database.transaction(async (tx) => {
          await tx.query(clear);
          await tx.query(occupied);
        });
        await database.query('DELETE FROM print_attempts WHERE id = $1', [attempt]);
        await database.query(clear);
        await refused(
          'bed_of_start',
          `INSERT INTO print_attempts (job_id, copy, printer_id, phase, fence, lease_owner, lease_until, start_intent_at, file_name, slot)
           VALUES ($1, 1, 'one', $2, 1, $3, now(), now(), 'x', 'x')`,
          [await addJob(), phase, `${nobody}1`],
        );
      });
    }

    it('a start on a clear bed, in either order of two transactions', async () => {
      const attempt = await addAttempt('uploading');
      const start = `UPDATE print_attempts SET phase = 'starting', start_intent_at = now() WHERE id = '${attempt}'`;
      const clear = `UPDATE printers SET bed_state = 'clear', bed_cause = NULL, bed_attempt_id = NULL WHERE id = 'one'`;
      await refused('bed_of_start', start);
      for (const first of [start, clear]) {
        await database.query(`UPDATE printers SET bed_state = 'occupied', bed_cause = 'unknown' WHERE id = 'one'`);
        const clients = [await database.connect(), await database.connect()] as const;
        try {
          for (const client of clients) await client.query('BEGIN');
          await clients[0].query(first);
          await clients[1].query(first === start ? clear : start);
          const ends = await Promise.allSettled(clients.map((client) => client.query('COMMIT')));
          assert.equal(ends.filter(({ status }) => status === 'rejected').length, 1);
          const { rows } = await database.query(
            `SELECT 1 FROM print_attempts a JOIN printers p ON p.id = a.printer_id WHERE a.phase = 'starting' AND p.bed_state = 'clear'`,
          );
          assert.equal(rows.length, 0);
        } finally {
          for (const client of clients) await client.end();
        }
        await database.query(`UPDATE print_attempts SET phase = 'uploading' WHERE phase = 'starting'`);
      }
    });

    it('an outcome without its attempt, or of another job or printer; outcomes outlive their jobs', async () => {
      const job = await addJob();
      const attempt = await addAttempt('ended', { job });
      const add = `INSERT INTO print_outcomes (job_id, attempt_id, printer_id, material_id, outcome, grams, cost_usd)
        VALUES ($1, $2, $3, 'pla', 'completed', 1, 1)`;
      await refused('outcome_of_attempt', add, [job, job, 'one']);
      await refused('outcome_of_attempt', add, [await addJob(), attempt, 'one']);
      await refused('outcome_of_attempt', add, [job, attempt, 'other']);
      await database.query(add, [job, attempt, 'one']);
      await refused('outcome_of_attempt', 'UPDATE print_outcomes SET attempt_id = gen_random_uuid()');
      await database.query('DELETE FROM print_jobs WHERE id = $1', [job]);
      assert.equal((await database.query('SELECT 1 FROM print_outcomes')).rowCount, 1);
    });

    it("a second open dead letter of a job, and one of another job's attempt", async () => {
      const job = await addJob();
      const attempt = await addAttempt('ended');
      const add = `INSERT INTO dead_letters (job_id, attempt_id, reason, message) VALUES ($1, $2, 'broken', '{}')`;
      await refused('dead_letters_attempt', add, [job, attempt]);
      await refused('attempt_has_job', add, [null, attempt]);
      await database.query(add, [job, null]);
      await refused('one_open_dead_letter_per_job', add, [job, null]);
      await database.query(`UPDATE dead_letters SET resolved_at = now(), resolution = 'replayed'`);
      await database.query(add, [job, null]);
      for (const _of of ['no job', 'no job either']) await database.query(add, [null, null]);
      await database.query('DELETE FROM dead_letters');
    });

    it('a line of history without a change', async () => {
      const job = await addJob();
      const add = 'INSERT INTO job_status_history (job_id, from_status, to_status) VALUES ($1, $2, $3)';
      await refused('history_line', add, [job, 'banana', 'rocket']);
      await refused('history_line', add, [job, 'banana', 'banana']);
      for (const to of jobStatuses) {
        if (to === 'queued') await database.query(add, [job, null, to]);
        else await refused('history_line', add, [job, null, to]);
        for (const from of jobStatuses) {
          if (from === to || statusGraph[from].includes(to)) await database.query(add, [job, from, to]);
          else await refused('history_line', add, [job, from, to]);
        }
      }
      await refused('history_line', `UPDATE job_status_history SET to_status = 'rocket' WHERE job_id = $1`, [job]);
    });

    it('a job that is assigned without a printer', async () => {
      const job = await addJob();
      for (const status of ['scheduled', 'slicing', 'uploading', 'printing'] satisfies JobStatus[]) {
        await refused(
          'assigned_once_scheduled',
          `INSERT INTO print_jobs (job_name, stl_path, material_id, print_settings, status, model_sha256, model_kind, model_x_mm,
             model_y_mm, model_z_mm, model_volume_mm3)
           VALUES ('part', '/part.stl', 'pla', '{}', $1, repeat('0', 64), 'stl', 1, 1, 1, 1)`,
          [status],
        );
      }
      await refused('assigned_once_scheduled', `UPDATE print_jobs SET status = 'scheduled' WHERE id = $1`, [job]);
    });

    it('a completed job with copies still to print, unless it goes back into the queue', async () => {
      const job = await addJob(2);
      for (const status of ['scheduled', 'slicing', 'uploading', 'printing']) {
        await database.query(`UPDATE print_jobs SET status = $2, assigned_printer_id = 'one' WHERE id = $1`, [
          job,
          status,
        ]);
      }
      const complete = `UPDATE print_jobs SET status = 'completed', completed_at = now(), copies_done = $2 WHERE id = $1`;
      await refused('completed_means_all_copies', complete, [job, 1]);
      await database.query(complete, [job, 2]);
      await refused('completed_means_all_copies', 'UPDATE print_jobs SET copies_done = 1 WHERE id = $1', [job]);
      await database.query(
        `UPDATE print_jobs SET status = 'queued', completed_at = NULL, copies_done = 1 WHERE id = $1`,
        [job],
      );
    });

    it('a job that waits for itself', async () => {
      const job = await addJob();
      await refused('not_its_own_dependency', 'UPDATE print_jobs SET depends_on = ARRAY[id] WHERE id = $1', [job]);
    });

    it('more on a spool than it holds, and less than nothing', async () => {
      const add = `INSERT INTO spools (material_id, initial_grams, grams_left) VALUES ('pla', 10, $1) RETURNING id`;
      await refused('grams_within_spool', add, [99_999]);
      await refused('spools_grams_left_check', add, [-1]);
      const spool = await one(add, [10]);
      await refused('grams_within_spool', 'UPDATE spools SET grams_left = 11 WHERE id = $1', [spool]);
      await database.query('UPDATE spools SET grams_left = 11, initial_grams = 11 WHERE id = $1', [spool]);
    });
  });
}
