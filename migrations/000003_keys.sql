-- Up Migration

-- Who may use the HTTP interface. Only a digest of a key is kept: it has 256 random bits, so that nothing slower is needed.
-- Once a key was ever made the interface is locked, also when all of them are revoked.
CREATE TABLE api_keys (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  name VARCHAR(100) NOT NULL,
  scope VARCHAR(10) NOT NULL CONSTRAINT valid_scope CHECK (scope IN ('read', 'submit', 'operate', 'admin')),
  digest CHAR(64) NOT NULL UNIQUE,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  last_used_at TIMESTAMPTZ,
  revoked_at TIMESTAMPTZ
);
CREATE UNIQUE INDEX one_key_per_name ON api_keys (name) WHERE revoked_at IS NULL;

-- Submissions that were made with an Idempotency-Key, and the one job that each made.
CREATE TABLE idempotency_keys (
  key VARCHAR(255) PRIMARY KEY,
  request_digest CHAR(64) NOT NULL,
  job_id UUID NOT NULL REFERENCES print_jobs (id) ON DELETE CASCADE,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- The order in which changes were told, for listeners that come back and ask what they missed. It is given when a change is
-- published, one after the other, so that nobody sees number 8 before number 7 (ids of rows are given before they are committed).
ALTER TABLE outbox ADD COLUMN event_id BIGINT UNIQUE;
CREATE SEQUENCE job_event_ids;

-- Down Migration
-- None: the schema only goes forward.
