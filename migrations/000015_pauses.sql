-- Up Migration

-- Pauses before a retry are looked through at every tick; most queued jobs have none.
CREATE INDEX print_jobs_paused ON print_jobs (failed_at) WHERE status = 'queued' AND failed_at IS NOT NULL;
