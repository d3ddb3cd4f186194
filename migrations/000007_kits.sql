-- Up Migration

-- What should be complete together: the parts of one order, say.
ALTER TABLE print_jobs ADD COLUMN kit_id VARCHAR(100);
CREATE INDEX idx_print_jobs_kit ON print_jobs (kit_id) WHERE kit_id IS NOT NULL;

-- Down Migration
-- None: the schema only goes forward.
