-- Up Migration

-- When a printer may not print: maintenance, somebody else's hour. The planner puts every print wholly before or after.
CREATE TABLE printer_closures (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  printer_id VARCHAR(50) NOT NULL REFERENCES printers (id),
  from_at TIMESTAMPTZ NOT NULL,
  until_at TIMESTAMPTZ NOT NULL,
  reason TEXT NOT NULL,
  created_by VARCHAR(100) NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  CONSTRAINT valid_closure CHECK (from_at < until_at)
);
CREATE INDEX idx_printer_closures_until ON printer_closures (until_at);

-- The start that was promised when a job was submitted; with print_jobs.started_at it shows how far promises can be trusted.
CREATE TABLE start_promises (
  job_id UUID PRIMARY KEY REFERENCES print_jobs (id) ON DELETE CASCADE,
  made_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  situation VARCHAR(10) NOT NULL CONSTRAINT valid_situation CHECK (situation IN ('open', 'closing', 'across')),
  lead_minutes DOUBLE PRECISION NOT NULL CHECK (lead_minutes >= 0),
  -- The middle of the plan, and the interval that was told.
  start_at TIMESTAMPTZ NOT NULL,
  p10_at TIMESTAMPTZ NOT NULL,
  p90_at TIMESTAMPTZ NOT NULL
);

-- Down Migration
-- None: the schema only goes forward.
