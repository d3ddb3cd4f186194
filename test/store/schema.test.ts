import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { type JobStatus, jobStatuses, statusGraph } from '../../lib/model/status';
import { Database } from '../../lib/store/database';
import { migrate, SchemaTooNewError } from '../../lib/store/migrate';
import { addDefaultFarm } from '../support/default-farm';
import { freshDatabase } from '../support/fresh-database';
import { databases } from '../support/servers';

for (const { name, connection } of databases()) {
  describe(`The schema on ${name}`, () => {
    it('is created once when several processes start at the same time', async () => {
      const schema = `test_${randomUUID().replaceAll('-', '')}`;
      const config = await connection();
      const starting = Array.from(
        { length: 8 },
        () => new Database({ connection: config, schema, onProblem: (error) => assert.fail(error.message) }),
      );
      try {
        await Promise.all(starting.map(migrate));
        const { rows } = await (starting[0] as Database).query<{ count: number }>('SELECT count(*) FROM farm');
        assert.equal(rows[0]?.count, 1);
      } finally {
        await (starting[0] as Database).query(`DROP SCHEMA ${schema} CASCADE`);
        await Promise.all(starting.map((database) => database.close()));
      }
    });

    it('is rejected if a newer version has been here', async () => {
      const { database, drop } = await freshDatabase(await connection());
      await database.query(`INSERT INTO platewise_migrations (name, run_on) VALUES ('000999_what-is-to-come', now())`);
      await assert.rejects(migrate(database), (error) => {
        assert.ok(error instanceof SchemaTooNewError, String(error));
        return /000999_what-is-to-come/.test(error.message) && /newer version/.test(error.remedy);
      });
      await drop();
    });

    it('starts without printers and materials', async () => {
      const { database, drop } = await freshDatabase(await connection());
      for (const table of ['printers', 'printer_slots', 'materials']) {
        assert.equal((await database.query(`SELECT 1 FROM ${table}`)).rowCount, 0, table);
      }
      await drop();
    });

    it('holds the same status graph as lib/model', async () => {
      const { database, drop } = await freshDatabase(await connection());
      const { rows } = await database.query<{ from_status: JobStatus; to_status: JobStatus }>(
        'SELECT from_status, to_status FROM job_status_transitions',
      );
      const stored = rows.map((row) => `${row.from_status} → ${row.to_status}`).sort();
      const expected = jobStatuses.flatMap((from) => statusGraph[from].map((to) => `${from} → ${to}`)).sort();
      assert.deepEqual(stored, expected);
      await drop();
    });

    it('rejects a change of status that is not in the graph, whichever client writes it', async () => {
      const { database, drop } = await freshDatabase(await connection());
      await addDefaultFarm(database);
      const { rows } = await database.query<{ id: string }>(
        `INSERT INTO print_jobs (job_name, stl_path, material_id, print_settings, model_sha256, model_kind, model_x_mm, model_y_mm, model_z_mm, model_volume_mm3)
         VALUES ('part', '/part.stl', 'pla_black_esun', '{}', repeat('0', 64), 'stl', 1, 1, 1, 1) RETURNING id`,
      );
      await assert.rejects(
        database.query(`UPDATE print_jobs SET status = 'printing' WHERE id = $1`, [rows[0]?.id]),
        /cannot go from queued to printing/,
      );
      await drop();
    });

    it('has the columns, types and checks of the contract', async () => {
      const { database, drop } = await freshDatabase(await connection());
      const { rows } = await database.query<{ column_name: string; type: string; not_null: boolean }>(
        `SELECT attname AS column_name, format_type(atttypid, atttypmod) AS type, attnotnull AS not_null
         FROM pg_attribute WHERE attrelid = 'print_jobs'::regclass AND attnum > 0`,
      );
      const columns = Object.fromEntries(
        rows.map((row) => [row.column_name, `${row.type}${row.not_null ? ' not null' : ''}`]),
      );
      const contract: Record<string, string> = {
        id: 'uuid not null',
        job_name: 'character varying(255) not null',
        stl_path: 'text not null',
        gcode_path: 'text',
        material_id: 'character varying(50) not null',
        print_settings: 'jsonb not null',
        estimated_grams: 'numeric(10,2)',
        estimated_cost_usd: 'numeric(10,2)',
        estimated_duration_hours: 'numeric(5,2)',
        priority: 'integer not null',
        deadline_at: 'timestamp with time zone',
        assigned_printer_id: 'character varying(50)',
        status: 'character varying(20) not null',
        status_reason: 'text',
        started_at: 'timestamp with time zone',
        completed_at: 'timestamp with time zone',
        actual_duration_hours: 'numeric(5,2)',
        actual_cost_usd: 'numeric(10,2)',
        created_at: 'timestamp with time zone not null',
        updated_at: 'timestamp with time zone not null',
        created_by: 'character varying(100)',
        retry_count: 'integer',
        max_retries: 'integer',
        goal_id: 'character varying(100)',
        outcome_id: 'uuid',
      };
      for (const [column, type] of Object.entries(contract)) assert.equal(columns[column], type, column);
      const { rows: constraints } = await database.query<{ conname: string }>(
        `SELECT conname FROM pg_constraint WHERE conrelid = 'print_jobs'::regclass`,
      );
      const names = constraints.map((row) => row.conname);
      assert.ok(names.includes('valid_priority') && names.includes('valid_status'));
      const { rows: indexes } = await database.query<{ indexname: string }>(
        `SELECT indexname FROM pg_indexes WHERE schemaname = $1`,
        [database.schema],
      );
      const wanted = ['status', 'priority', 'material', 'printer', 'created'].map(
        (suffix) => `idx_print_jobs_${suffix}`,
      );
      for (const index of [...wanted, 'idx_job_status_history_job']) {
        assert.ok(
          indexes.some((row) => row.indexname === index),
          index,
        );
      }
      await drop();
    });
  });
}
