-- Up Migration

-- Counts what may change the plan. A sequence, because it is counted outside of transactions and locks nothing: whoever reads it before the
-- rows that a plan is made from knows afterwards whether anything has changed since.
CREATE SEQUENCE plan_changes;
-- The first value of a sequence looks like none.
SELECT nextval('plan_changes');

-- The plan that the farm goes by, with what the next one needs to know: starts that are promises by now, and what operators were asked to do.
CREATE TABLE standing_plan (
  -- A digest of the settings that it was made with: two processes with other operator hours must not take each other's plans.
  settings TEXT PRIMARY KEY,
  -- A later plan has a higher one.
  version BIGINT NOT NULL,
  -- plan_changes, read before its snapshot was taken.
  changes BIGINT NOT NULL,
  made_at TIMESTAMPTZ NOT NULL,
  plan JSONB NOT NULL,
  -- Start (ms since 1970) of each job that is near enough to be a promise.
  promised JSONB NOT NULL,
  -- Since when (ms since 1970) an operator has been asked for each change of filament.
  asked JSONB NOT NULL
);
ALTER TABLE standing_plan SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 200);

-- What an operator wants of the print that runs: the agent carries it out. It is gone once the printer shows it, or the print has ended.
CREATE TABLE printer_wishes (
  printer_id VARCHAR(50) PRIMARY KEY REFERENCES printers (id) ON DELETE CASCADE,
  wanted TEXT NOT NULL CONSTRAINT known_wish CHECK (wanted IN ('pause', 'resume')),
  -- The attempt that was open when it was wished for; null: a print that is not ours.
  attempt_id UUID REFERENCES print_attempts (id) ON DELETE CASCADE,
  wished_by TEXT NOT NULL,
  wished_at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(),
  -- Why the printer refused; it is not asked again then.
  problem TEXT
);
