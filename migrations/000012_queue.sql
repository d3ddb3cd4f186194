-- Up Migration

-- When a job failed on the printer of failed_on: for some hours another is preferred. Null: before this was noted, long ago.
ALTER TABLE print_jobs ADD COLUMN failed_at TIMESTAMPTZ;

-- What is no longer used and stays in the history.
ALTER TABLE spools ADD COLUMN archived_at TIMESTAMPTZ;
ALTER TABLE materials ADD COLUMN archived_at TIMESTAMPTZ;
CREATE INDEX idx_spools_in_use ON spools (material_id) WHERE archived_at IS NULL;
CREATE INDEX idx_print_attempts_spool ON print_attempts (spool_id) WHERE phase <> 'ended';

-- Down Migration
-- None: the schema only goes forward.
