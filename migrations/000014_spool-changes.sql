-- Up Migration

-- Which spool was taken out of a print's slot while it was printed, and how much had come out until then: what each spool gave is
-- reckoned from it when the print has ended. The print's own row names the spool that feeds it now. Null: not known. What the spool
-- gave stays promised of it until it is taken off.
CREATE TABLE spool_changes (
  attempt_id UUID NOT NULL REFERENCES print_attempts (id) ON DELETE CASCADE,
  number INT NOT NULL CHECK (number >= 1),
  spool_id UUID NOT NULL REFERENCES spools (id),
  progress DOUBLE PRECISION CHECK (progress BETWEEN 0 AND 1),
  filament_mm DOUBLE PRECISION CHECK (filament_mm >= 0),
  reserved_grams DECIMAL(10,2) NOT NULL CHECK (reserved_grams >= 0),
  changed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (attempt_id, number)
);
CREATE INDEX idx_spool_changes_spool ON spool_changes (spool_id);

-- One row for an attempt and a spool, because a print may draw from several: still nothing is ever taken twice.
ALTER TABLE spool_deductions DROP CONSTRAINT spool_deductions_pkey, ADD PRIMARY KEY (attempt_id, spool_id);

-- Down Migration
-- None: the schema only goes forward.
