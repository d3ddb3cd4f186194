-- Up Migration

-- Which farm this database is, whatever server it is moved to, and when it was last put back to an older state. The epoch grows
-- with each time; see lib/coordinator/epoch.ts.
CREATE TABLE farm (
  single BOOLEAN PRIMARY KEY DEFAULT true CONSTRAINT one_farm CHECK (single),
  id UUID NOT NULL DEFAULT gen_random_uuid(),
  epoch BIGINT NOT NULL DEFAULT 1,
  restored_at TIMESTAMPTZ,
  restored_by VARCHAR(100),
  CONSTRAINT restored_by_somebody CHECK ((restored_at IS NULL) = (restored_by IS NULL))
);
-- Of a database from before, its first job tells which farm it is: also in a backup from before this table.
INSERT INTO farm (id) SELECT coalesce((SELECT id FROM print_jobs ORDER BY created_at, id LIMIT 1), gen_random_uuid());

-- How far each data directory has counted in this epoch. The same number stands in a file there, written after the row: a row that is
-- behind its file was put back.
CREATE TABLE farm_marks (
  node UUID PRIMARY KEY,
  mark BIGINT NOT NULL,
  marked_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Down Migration
-- None: the schema only goes forward.
