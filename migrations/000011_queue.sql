-- Up Migration

-- When a job failed on the printer of failed_on: for some hours another is preferred. Null: before this was noted, long ago.
ALTER TABLE print_jobs ADD COLUMN failed_at TIMESTAMPTZ;

-- Down Migration
-- None: the schema only goes forward.
