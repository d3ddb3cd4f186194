-- Up Migration

-- G-code is read more closely now (commands with names, their heaters, lone carriage returns): what was known is read once
-- again, and open jobs are judged by it.
DELETE FROM files;
UPDATE print_jobs SET file_facts = NULL
  WHERE file_facts -> 'sliced' <> 'null'::jsonb AND status NOT IN ('completed', 'failed', 'cancelled');

-- Down Migration
-- None: the schema only goes forward.
