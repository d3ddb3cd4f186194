/**
 * SQL that makes the database itself record every write to an attempt by a process that no longer holds it. It is installed
 * from outside, beside the guards of the system under test, and restates their rule: a claim increments the fencing number and
 * takes nothing from a holder whose lease is valid; a phase is written by the process that claimed, before its lease
 * expires; an expired lease is never renewed, only claimed again; a lease further ahead than the maximum was written with
 * another clock, and counts as expired too. Writes of other processes that need no lease are exempt: a cancel before the
 * start, an operator's answer, and the undoing of an intent by the process that wrote it.
 */
export const fenceGuard = (leaseSeconds: number): string => `
  CREATE SCHEMA IF NOT EXISTS campaign;
  CREATE TABLE IF NOT EXISTS campaign.stale_writes (
    at TIMESTAMPTZ NOT NULL DEFAULT clock_timestamp(), attempt_id UUID NOT NULL, what TEXT NOT NULL);
  CREATE TABLE IF NOT EXISTS campaign.holders (attempt_id UUID PRIMARY KEY, holder TEXT NOT NULL);
  CREATE OR REPLACE FUNCTION campaign_fence_guard() RETURNS trigger LANGUAGE plpgsql AS $$
  DECLARE
    writer TEXT := current_setting('application_name');
    holder_name TEXT;
  BEGIN
    IF NEW.fence IS DISTINCT FROM OLD.fence THEN
      IF NEW.fence < OLD.fence THEN
        INSERT INTO campaign.stale_writes (attempt_id, what)
          VALUES (NEW.id, format('the fencing number went from %s to %s', OLD.fence, NEW.fence));
      END IF;
      IF OLD.fence IS NOT NULL AND OLD.lease_until >= now() AND OLD.lease_until <= now() + interval '${leaseSeconds + 1} seconds' THEN
        INSERT INTO campaign.stale_writes (attempt_id, what) VALUES (NEW.id, 'claimed while its holder still had the lease');
      END IF;
      INSERT INTO campaign.holders VALUES (NEW.id, writer) ON CONFLICT (attempt_id) DO UPDATE SET holder = writer;
      RETURN NULL;
    END IF;
    IF OLD.lease_until < now() AND NEW.lease_until > now() AND NEW.lease_until <= now() + interval '${leaseSeconds + 1} seconds' THEN
      INSERT INTO campaign.stale_writes (attempt_id, what) VALUES (NEW.id, 'an expired lease was renewed');
    END IF;
    IF NEW.phase = OLD.phase OR OLD.fence IS NULL
      OR (NEW.phase = 'ended' AND OLD.phase NOT IN ('starting', 'printing'))
      OR (OLD.phase = 'starting' AND NEW.phase = 'uploading')
    THEN
      RETURN NULL;
    END IF;
    IF OLD.lease_until < now() THEN
      INSERT INTO campaign.stale_writes (attempt_id, what)
        VALUES (NEW.id, format('%s to %s was written after the lease had expired', OLD.phase, NEW.phase));
    END IF;
    SELECT holder INTO holder_name FROM campaign.holders WHERE attempt_id = NEW.id;
    IF holder_name IS DISTINCT FROM writer THEN
      INSERT INTO campaign.stale_writes (attempt_id, what)
        VALUES (NEW.id, format('%s to %s was written by %s, but %s holds it', OLD.phase, NEW.phase, writer, holder_name));
    END IF;
    RETURN NULL;
  END $$;
  CREATE OR REPLACE TRIGGER campaign_fence_guard AFTER UPDATE ON print_attempts
    FOR EACH ROW EXECUTE FUNCTION campaign_fence_guard();`;
