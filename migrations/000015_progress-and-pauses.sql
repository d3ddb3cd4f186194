-- Up Migration

-- The pause before a retry, apart from the time that was asked for. They are looked through at every tick; most jobs have none.
ALTER TABLE print_jobs ADD COLUMN retry_at TIMESTAMPTZ;
CREATE INDEX print_jobs_paused ON print_jobs (failed_at) WHERE retry_at IS NOT NULL AND completed_at IS NULL;

-- How far a print was seen to have come, for when nobody sees its end. Null: not known.
ALTER TABLE print_attempts
  ADD COLUMN progress DOUBLE PRECISION CHECK (progress BETWEEN 0 AND 1),
  ADD COLUMN filament_mm DOUBLE PRECISION CHECK (filament_mm >= 0);

-- What every job changes many times is cleaned after a fixed number of dead rows, so that they do not grow with the history.
ALTER TABLE outbox SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE print_jobs SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
ALTER TABLE print_attempts SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 1000);
