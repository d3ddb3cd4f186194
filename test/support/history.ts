import type { Database } from '../../lib/store/database';

/**
 * Fills a database with completed jobs as if they had been printed one after the other on the three printers, with
 * everything that they leave behind: attempts, outcomes, history, sent messages of the last day, deductions, promises.
 */
export async function addHistory(database: Database, jobs: number): Promise<void> {
  const client = await database.connect();
  try {
    // The generated data is consistent; checking it row by row would take most of the time.
    await client.query('SET session_replication_role = replica');
    await client.query(
      `CREATE TEMP TABLE life AS
       SELECT n, gen_random_uuid() AS job_id, gen_random_uuid() AS attempt_id, gen_random_uuid() AS outcome_id,
         now() - (($1::int - n) * 60 + 7200) * interval '1 second' AS ended_at,
         (ARRAY['bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan'])[1 + n % 3] AS printer_id,
         (SELECT (array_agg(id ORDER BY id))[1 + n % 12] FROM materials) AS material_id
       FROM generate_series(1, $1::int) AS n`,
      [jobs],
    );
    await client.query(
      `INSERT INTO print_jobs (id, job_name, stl_path, material_id, print_settings, estimated_grams, estimated_cost_usd,
         estimated_duration_hours, priority, assigned_printer_id, status, started_at, completed_at, created_at, updated_at, copies_done,
         model_sha256, model_kind, model_x_mm, model_y_mm, model_z_mm, model_volume_mm3, job_seq, outcome_id)
       SELECT job_id, 'job ' || n, md5(n::text) || '.stl', material_id, '{}', 10, 1, 1, 1 + n % 10, printer_id, 'completed',
         ended_at - interval '1 hour', ended_at, ended_at - interval '2 hours', ended_at, 1,
         md5(n::text) || md5(n::text), 'stl', 10, 10, 10, 1000, 6, outcome_id FROM life`,
    );
    await client.query(
      `INSERT INTO print_attempts (id, job_id, copy, printer_id, phase, fence, file_name, slot, dispatched_at, claimed_at, start_intent_at,
         started_at, ended_at, outcome, gcode_sha256)
       SELECT attempt_id, job_id, 1, printer_id, 'ended', n, 'pw-' || n || '.gcode', 'x', ended_at - interval '65 minutes',
         ended_at - interval '64 minutes', ended_at - interval '1 hour', ended_at - interval '1 hour', ended_at, 'completed',
         md5(n::text) || md5(n::text) FROM life`,
    );
    await client.query(
      `INSERT INTO print_outcomes (id, job_id, attempt_id, printer_id, material_id, outcome, duration_hours, estimated_hours, grams,
         cost_usd, created_at, photo_reference)
       SELECT outcome_id, job_id, attempt_id, printer_id, material_id, 'completed', 1, 1, 10, 1, ended_at,
         CASE WHEN n % 10 = 0 THEN md5(n::text) || md5(n::text) || '.jpg' END FROM life`,
    );
    await client.query(
      `INSERT INTO job_status_history (job_id, from_status, to_status, reason, changed_at, changed_by)
       SELECT job_id, unnest(ARRAY[NULL, 'queued', 'scheduled', 'slicing', 'uploading', 'printing']),
         unnest(ARRAY['queued', 'scheduled', 'slicing', 'uploading', 'printing', 'completed']), 'because', ended_at, 'history' FROM life`,
    );
    await client.query(
      `INSERT INTO start_promises (job_id, made_at, situation, lead_minutes, start_at, p10_at, p90_at)
       SELECT job_id, ended_at - interval '2 hours', 'open', 60, ended_at - interval '1 hour', ended_at - interval '1 hour',
         ended_at - interval '1 hour' FROM life`,
    );
    await client.query(
      `INSERT INTO outbox (kind, routing_key, job_id, body, created_at, sent_at, times_sent, event_id)
       SELECT 'status', '', job_id, jsonb_build_object('event', 'job', 'job_id', job_id), ended_at, ended_at, 1, n FROM life
       WHERE ended_at > now() - interval '1 day'`,
    );
    await client.query(`SELECT setval('job_event_ids', $1)`, [jobs + 1]);
  } finally {
    await client.end();
  }
  await database.query('VACUUM ANALYZE');
}
