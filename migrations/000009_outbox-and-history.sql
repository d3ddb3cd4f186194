-- Up Migration

-- What has to keep its order among the messages that wait: those of one job, or of one printer's bed. Null: nothing.
ALTER TABLE outbox ADD COLUMN lane TEXT GENERATED ALWAYS AS (coalesce(job_id::text, body ->> 'printer_id')) STORED;
CREATE INDEX idx_outbox_waiting ON outbox (lane, id) WHERE sent_at IS NULL;
CREATE INDEX idx_outbox_dispatches ON outbox (lane) WHERE sent_at IS NULL AND kind = 'dispatch';

-- What is asked with every submission, plan or sweep must not cost more with every job that was ever printed.
CREATE INDEX idx_print_jobs_promised ON print_jobs (material_id) WHERE completed_at IS NULL;
CREATE INDEX idx_print_jobs_started ON print_jobs (started_at) WHERE started_at IS NOT NULL;
CREATE INDEX idx_print_jobs_model ON print_jobs (model_sha256);
CREATE INDEX idx_print_attempts_dispatched ON print_attempts (printer_id, dispatched_at);
CREATE INDEX idx_print_attempts_gcode ON print_attempts (gcode_sha256) WHERE gcode_sha256 IS NOT NULL;
CREATE INDEX idx_print_outcomes_learned ON print_outcomes (created_at DESC, id)
  WHERE outcome = 'completed' AND duration_hours > 0 AND estimated_hours > 0 AND warnings = '[]';
CREATE INDEX idx_print_outcomes_pictured ON print_outcomes (created_at) WHERE photo_reference IS NOT NULL;
CREATE INDEX idx_print_outcomes_picture ON print_outcomes (split_part(photo_reference, '.', 1)) WHERE photo_reference IS NOT NULL;
CREATE INDEX idx_dead_letters_open ON dead_letters (created_at DESC, id) WHERE resolved_at IS NULL;

-- Down Migration
-- None: the schema only goes forward.
