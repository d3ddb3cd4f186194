-- Up Migration

-- When a job failed on the printer of failed_on: for some hours another is preferred. Null: before this was noted, long ago.
ALTER TABLE print_jobs ADD COLUMN failed_at TIMESTAMPTZ;

-- What is no longer used and stays in the history.
ALTER TABLE spools ADD COLUMN archived_at TIMESTAMPTZ;
ALTER TABLE materials ADD COLUMN archived_at TIMESTAMPTZ;
CREATE INDEX idx_spools_in_use ON spools (material_id) WHERE archived_at IS NULL;
CREATE INDEX idx_print_attempts_spool ON print_attempts (spool_id) WHERE phase <> 'ended';

-- Jobs may be forgotten after a time that the owner chooses; what became of their prints stays. The indexes are for finding
-- them, and what goes with them.
ALTER TABLE print_outcomes DROP CONSTRAINT print_outcomes_job;
CREATE INDEX idx_print_jobs_ended ON print_jobs (completed_at) WHERE completed_at IS NOT NULL;
CREATE INDEX idx_dead_letters_job ON dead_letters (job_id);
CREATE INDEX idx_dead_letters_attempt ON dead_letters (attempt_id);
CREATE INDEX idx_idempotency_keys_job ON idempotency_keys (job_id);
CREATE INDEX idx_idempotency_keys_created ON idempotency_keys (created_at);

-- That nothing new is to start; one row while the farm is paused, none otherwise.
CREATE TABLE farm_pause (
  single BOOLEAN PRIMARY KEY DEFAULT true CONSTRAINT one_pause CHECK (single),
  paused_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  paused_by VARCHAR(100) NOT NULL,
  reason TEXT
);

-- Down Migration
-- None: the schema only goes forward.
