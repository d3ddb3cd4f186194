-- Up Migration

-- Grows with every change of a job, whoever makes it and of whatever column: what somebody has seen is named by it, so that a change
-- can be refused that was decided upon something older.
ALTER TABLE print_jobs ADD COLUMN version BIGINT NOT NULL DEFAULT 1;
CREATE FUNCTION count_job_version() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  NEW.version := OLD.version + 1;
  RETURN NEW;
END $$;
CREATE TRIGGER job_version BEFORE UPDATE ON print_jobs
  FOR EACH ROW WHEN (OLD.* IS DISTINCT FROM NEW.*) EXECUTE FUNCTION count_job_version();

-- Down Migration
-- None: the schema only goes forward.
