-- Up Migration

-- The printer that a submitter prefers. A preference, so that the job is printed elsewhere if it would be done much later there.
ALTER TABLE print_jobs ADD COLUMN prefer_printer VARCHAR(50);
