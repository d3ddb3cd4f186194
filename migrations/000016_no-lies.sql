-- Up Migration

-- The database refuses what no version of the code means to write. Rows that break a rule are mended before it is added, so that an
-- upgrade never fails; none is deleted. What a mended job went through is in its history, as changed by `upgrade`.

-- ---- attempts: leases and claims -------------------------------------------------------------------------------

-- What nobody has claimed, or what is over, has no lease.
UPDATE print_attempts SET lease_until = NULL WHERE phase IN ('dispatched', 'ended') AND lease_until IS NOT NULL;
-- What is unclaimed has no holder and no fencing number: the first claim gives both.
UPDATE print_attempts SET fence = NULL, lease_owner = NULL
  WHERE phase = 'dispatched' AND (fence IS NOT NULL OR lease_owner IS NOT NULL);
-- A holder without a fencing number can write nothing.
UPDATE print_attempts SET lease_owner = NULL WHERE fence IS NULL AND lease_owner IS NOT NULL;
-- A claim without a lease or a holder is held by nobody. Its lease counts as run out, so that the printer's agent takes it up at
-- once and, if a start may have been sent, looks for the print. No agent has the nil UUID.
UPDATE print_attempts SET lease_until = now() - interval '1 second'
  WHERE phase NOT IN ('dispatched', 'ended') AND lease_until IS NULL;
UPDATE print_attempts SET lease_owner = '00000000-0000-0000-0000-000000000000', lease_until = now() - interval '1 second'
  WHERE phase IN ('claimed', 'preparing', 'uploading', 'starting', 'printing') AND lease_owner IS NULL;

ALTER TABLE print_attempts
  -- A lease that has run out is still one: it says that the attempt was claimed, and since when nobody holds it.
  ADD CONSTRAINT lease_iff_claimed CHECK ((phase IN ('dispatched', 'ended')) = (lease_until IS NULL)),
  -- The holder stays on an ended attempt: whoever ended it may add a picture. After a restore of the database nobody holds what
  -- became `outcome_unknown`.
  ADD CONSTRAINT owner_while_claimed CHECK (phase IN ('dispatched', 'outcome_unknown', 'ended') OR lease_owner IS NOT NULL),
  ADD CONSTRAINT owner_has_fence CHECK (lease_owner IS NULL OR fence IS NOT NULL),
  ADD CONSTRAINT unclaimed_has_no_fence CHECK (phase <> 'dispatched' OR fence IS NULL);

-- ---- attempts: phases ------------------------------------------------------------------------------------------

-- The graph of phases, once for the database and once (the same, a test compares them) in lib/model/attempt.ts.
CREATE TABLE attempt_phase_transitions (
  from_phase VARCHAR(20) NOT NULL,
  to_phase VARCHAR(20) NOT NULL,
  PRIMARY KEY (from_phase, to_phase)
);
INSERT INTO attempt_phase_transitions VALUES
  ('dispatched', 'claimed'), ('dispatched', 'ended'),
  ('claimed', 'preparing'), ('claimed', 'outcome_unknown'), ('claimed', 'ended'),
  ('preparing', 'uploading'), ('preparing', 'outcome_unknown'), ('preparing', 'ended'),
  ('uploading', 'preparing'), ('uploading', 'starting'), ('uploading', 'outcome_unknown'), ('uploading', 'ended'),
  ('starting', 'uploading'), ('starting', 'printing'), ('starting', 'outcome_unknown'), ('starting', 'ended'),
  ('outcome_unknown', 'printing'), ('outcome_unknown', 'ended'),
  ('printing', 'outcome_unknown'), ('printing', 'ended');

CREATE FUNCTION check_attempt_phase_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM attempt_phase_transitions t WHERE t.from_phase = OLD.phase AND t.to_phase = NEW.phase
  ) THEN
    RAISE EXCEPTION 'An attempt cannot go from % to %', OLD.phase, NEW.phase
      USING ERRCODE = 'check_violation', CONSTRAINT = 'attempt_phase_transition';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER attempt_phase_transition BEFORE UPDATE OF phase ON print_attempts
  FOR EACH ROW WHEN (OLD.phase IS DISTINCT FROM NEW.phase) EXECUTE FUNCTION check_attempt_phase_transition();

-- ---- attempts: copies ------------------------------------------------------------------------------------------

-- What is under way is one of the job's copies: the lowest that is neither done nor under way. If all of them are, a copy more is
-- really being printed, and counts as one.
DO $$
DECLARE
  stray RECORD;
  free INT;
BEGIN
  FOR stray IN
    SELECT a.id, a.job_id FROM print_attempts a JOIN print_jobs j ON j.id = a.job_id
    WHERE a.phase <> 'ended' AND a.copy > j.copies ORDER BY a.dispatched_at, a.id
  LOOP
    SELECT n INTO free
    FROM print_jobs j, generate_series(1, j.copies + 1 + (SELECT count(*)::int FROM print_attempts WHERE job_id = j.id)) AS n
    WHERE j.id = stray.job_id AND NOT EXISTS (SELECT 1 FROM print_attempts a
      WHERE a.job_id = j.id AND a.copy = n AND a.id <> stray.id AND (a.phase <> 'ended' OR a.outcome = 'completed'))
    ORDER BY n LIMIT 1;
    UPDATE print_jobs SET copies = free WHERE id = stray.job_id AND copies < free;
    UPDATE print_attempts SET copy = free WHERE id = stray.id;
  END LOOP;
END $$;

-- An ended attempt keeps its number also when fewer copies are wanted later.
CREATE FUNCTION check_attempt_copy() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  most INT;
BEGIN
  SELECT copies INTO most FROM print_jobs WHERE id = NEW.job_id FOR SHARE;
  IF NEW.copy > most THEN
    RAISE EXCEPTION 'There is no copy % of %', NEW.copy, most
      USING ERRCODE = 'check_violation', CONSTRAINT = 'copy_within_job';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER copy_within_job BEFORE INSERT OR UPDATE OF copy, job_id ON print_attempts
  FOR EACH ROW WHEN (NEW.phase <> 'ended') EXECUTE FUNCTION check_attempt_copy();

CREATE FUNCTION check_job_copies() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF EXISTS (SELECT 1 FROM print_attempts a WHERE a.job_id = NEW.id AND a.phase <> 'ended' AND a.copy > NEW.copies) THEN
    RAISE EXCEPTION 'A copy beyond % is under way', NEW.copies
      USING ERRCODE = 'check_violation', CONSTRAINT = 'copies_hold_attempts';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER copies_hold_attempts BEFORE UPDATE OF copies ON print_jobs
  FOR EACH ROW WHEN (NEW.copies < OLD.copies) EXECUTE FUNCTION check_job_copies();

-- ---- beds ------------------------------------------------------------------------------------------------------

-- Something lies there, but not what was said: a person has to look.
UPDATE printers p SET bed_cause = 'unknown', bed_attempt_id = NULL, bed_version = bed_version + 1, bed_since = now()
  FROM print_attempts a WHERE a.id = p.bed_attempt_id AND a.printer_id <> p.id;
-- What may have been started lies on the bed, or may. Which of both is known for what nobody has lost track of.
UPDATE printers p SET bed_state = 'occupied', bed_version = bed_version + 1, bed_since = now(),
    bed_cause = CASE WHEN a.phase = 'outcome_unknown' THEN 'unknown' ELSE 'attempt' END,
    bed_attempt_id = CASE WHEN a.phase = 'outcome_unknown' THEN NULL ELSE a.id END
  FROM print_attempts a
  WHERE a.printer_id = p.id AND a.phase IN ('starting', 'printing', 'outcome_unknown') AND p.bed_state = 'clear';

ALTER TABLE print_attempts ADD CONSTRAINT attempt_of_printer UNIQUE (id, printer_id);
ALTER TABLE printers DROP CONSTRAINT printers_bed_attempt,
  ADD CONSTRAINT printers_bed_attempt FOREIGN KEY (bed_attempt_id, id) REFERENCES print_attempts (id, printer_id);

-- Looked at when the transaction commits: an intent and its bed are two statements. The printer's row is locked for it, so that of
-- two transactions that each write one of both the second sees the first.
CREATE FUNCTION check_bed_of_start() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
  printer VARCHAR(50);
  bed VARCHAR(10);
BEGIN
  IF TG_TABLE_NAME = 'printers' THEN printer := NEW.id; ELSE printer := NEW.printer_id; END IF;
  SELECT bed_state INTO bed FROM printers WHERE id = printer FOR SHARE;
  IF bed = 'clear' AND EXISTS (SELECT 1 FROM print_attempts a
      WHERE a.printer_id = printer AND a.phase <> 'ended' AND a.phase IN ('starting', 'printing', 'outcome_unknown')) THEN
    RAISE EXCEPTION 'The bed of % cannot be clear: an attempt may have been started there', printer
      USING ERRCODE = 'check_violation', CONSTRAINT = 'bed_of_start';
  END IF;
  RETURN NULL;
END $$;
CREATE CONSTRAINT TRIGGER bed_of_new_start AFTER INSERT ON print_attempts DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.phase IN ('starting', 'printing', 'outcome_unknown')) EXECUTE FUNCTION check_bed_of_start();
CREATE CONSTRAINT TRIGGER bed_of_start AFTER UPDATE ON print_attempts DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.phase IN ('starting', 'printing', 'outcome_unknown')
    AND (OLD.phase NOT IN ('starting', 'printing', 'outcome_unknown') OR OLD.printer_id <> NEW.printer_id))
  EXECUTE FUNCTION check_bed_of_start();
CREATE CONSTRAINT TRIGGER bed_of_start AFTER UPDATE ON printers DEFERRABLE INITIALLY DEFERRED
  FOR EACH ROW WHEN (NEW.bed_state = 'clear' AND OLD.bed_state <> 'clear') EXECUTE FUNCTION check_bed_of_start();

-- ---- jobs ------------------------------------------------------------------------------------------------------

-- A rejected part puts a completed job back into the queue.
INSERT INTO job_status_transitions VALUES ('completed', 'queued');

-- A job that waits for itself would wait for ever.
UPDATE print_jobs SET depends_on = array_remove(depends_on, id) WHERE id = ANY (depends_on);

-- Where a job is printed follows from its attempts. One that never had any was never sent anywhere, and is still to be printed.
UPDATE print_jobs j SET assigned_printer_id = (
    SELECT a.printer_id FROM print_attempts a WHERE a.job_id = j.id ORDER BY a.phase <> 'ended' DESC, a.dispatched_at DESC, a.id LIMIT 1)
  WHERE status IN ('scheduled', 'slicing', 'uploading', 'printing') AND assigned_printer_id IS NULL;
INSERT INTO job_status_history (job_id, from_status, to_status, reason, changed_by)
  SELECT id, status, 'queued', 'it had no printer', 'upgrade' FROM print_jobs
  WHERE status IN ('scheduled', 'slicing', 'uploading', 'printing') AND assigned_printer_id IS NULL;
UPDATE print_jobs SET status = 'queued', status_reason = 'it had no printer', updated_at = now()
  WHERE status IN ('scheduled', 'slicing', 'uploading', 'printing') AND assigned_printer_id IS NULL;

-- That it is completed was told to people and programs, who may have taken the parts away: nothing is printed again.
INSERT INTO job_status_history (job_id, from_status, to_status, reason, changed_by)
  SELECT id, status, status, copies_done || ' of ' || copies || ' copies were counted as done; it is completed', 'upgrade'
  FROM print_jobs WHERE status = 'completed' AND copies_done <> copies;
UPDATE print_jobs SET copies_done = copies, updated_at = now() WHERE status = 'completed' AND copies_done <> copies;

ALTER TABLE print_jobs
  ADD CONSTRAINT not_its_own_dependency CHECK (id <> ALL (depends_on)),
  ADD CONSTRAINT assigned_once_scheduled
    CHECK (status NOT IN ('scheduled', 'slicing', 'uploading', 'printing') OR assigned_printer_id IS NOT NULL),
  ADD CONSTRAINT completed_means_all_copies CHECK (status <> 'completed' OR copies_done = copies);

-- ---- history ---------------------------------------------------------------------------------------------------

-- A line is the submission, a change along the graph, or (with one status twice) a remark.
CREATE FUNCTION check_history_line() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NEW.from_status IS NULL AND NEW.to_status = 'queued' THEN RETURN NEW; END IF;
  IF EXISTS (SELECT 1 FROM job_status_transitions t WHERE t.from_status = NEW.from_status
      AND NEW.to_status IN (t.to_status, t.from_status)) THEN
    RETURN NEW;
  END IF;
  -- Nothing leads out of this one.
  IF NEW.from_status = 'cancelled' AND NEW.to_status = 'cancelled' THEN RETURN NEW; END IF;
  RAISE EXCEPTION 'No job goes from % to %', coalesce(NEW.from_status, 'nothing'), NEW.to_status
    USING ERRCODE = 'check_violation', CONSTRAINT = 'history_line';
END $$;

-- A line that cannot be true becomes a remark that quotes it; its status is what the job was by the lines before it.
WITH wrong AS (
  SELECT id, job_id FROM job_status_history h
  WHERE NOT (h.from_status IS NULL AND h.to_status = 'queued')
    AND NOT (h.from_status IS NOT NULL AND h.from_status = h.to_status
      AND h.to_status IN ('queued', 'scheduled', 'slicing', 'uploading', 'printing', 'completed', 'failed', 'cancelled'))
    AND NOT EXISTS (SELECT 1 FROM job_status_transitions t WHERE t.from_status = h.from_status AND t.to_status = h.to_status)),
mended AS (
  SELECT w.id, coalesce((SELECT h.to_status FROM job_status_history h
    WHERE h.job_id = w.job_id AND h.id < w.id AND h.id NOT IN (SELECT id FROM wrong) ORDER BY h.id DESC LIMIT 1), 'queued') AS status
  FROM wrong w)
UPDATE job_status_history h SET from_status = m.status, to_status = m.status,
    reason = concat_ws(': ', format('recorded as "%s" to "%s"', coalesce(h.from_status, 'nothing'), h.to_status), h.reason)
  FROM mended m WHERE m.id = h.id;

CREATE TRIGGER history_line BEFORE INSERT OR UPDATE ON job_status_history
  FOR EACH ROW EXECUTE FUNCTION check_history_line();

-- ---- outcomes and dead letters ---------------------------------------------------------------------------------

-- Outcomes outlive their jobs and attempts, which may be forgotten after a time; but each was that of an attempt when it was written.
-- What earlier versions wrote stays: costs and what is learned rest on it.
CREATE FUNCTION check_outcome_attempt() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  PERFORM 1 FROM print_attempts a
    WHERE a.id = NEW.attempt_id AND a.job_id = NEW.job_id AND a.printer_id = NEW.printer_id FOR KEY SHARE;
  IF NOT FOUND THEN
    RAISE EXCEPTION 'There is no attempt % of job % on %', NEW.attempt_id, NEW.job_id, NEW.printer_id
      USING ERRCODE = 'foreign_key_violation', CONSTRAINT = 'outcome_of_attempt';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER outcome_of_attempt BEFORE INSERT OR UPDATE OF attempt_id, job_id, printer_id ON print_outcomes
  FOR EACH ROW EXECUTE FUNCTION check_outcome_attempt();

-- The newest letter of a job tells why it was given up; to replay one that is older would mean the same.
UPDATE dead_letters d SET resolved_at = now(), resolution = 'discarded'
  WHERE resolved_at IS NULL AND EXISTS (SELECT 1 FROM dead_letters n
    WHERE n.job_id = d.job_id AND n.resolved_at IS NULL AND (n.created_at, n.id) > (d.created_at, d.id));
CREATE UNIQUE INDEX one_open_dead_letter_per_job ON dead_letters (job_id) WHERE resolved_at IS NULL;

-- The job is what a letter is about and what is replayed; an attempt of another job tells nothing of it.
UPDATE dead_letters d SET attempt_id = NULL
  WHERE attempt_id IS NOT NULL AND NOT EXISTS (SELECT 1 FROM print_attempts a WHERE a.id = d.attempt_id AND a.job_id = d.job_id);
ALTER TABLE print_attempts ADD CONSTRAINT attempt_of_job UNIQUE (id, job_id);
ALTER TABLE dead_letters DROP CONSTRAINT dead_letters_attempt_id_fkey,
  ADD CONSTRAINT dead_letters_attempt FOREIGN KEY (attempt_id, job_id) REFERENCES print_attempts (id, job_id) ON DELETE CASCADE,
  ADD CONSTRAINT attempt_has_job CHECK (attempt_id IS NULL OR job_id IS NOT NULL);

-- ---- spools ----------------------------------------------------------------------------------------------------

-- More than it had at first makes it that large, as a correction does.
UPDATE spools SET initial_grams = grams_left WHERE grams_left > initial_grams;
ALTER TABLE spools ADD CONSTRAINT grams_within_spool CHECK (grams_left <= initial_grams);

-- Down Migration
-- None: the schema only goes forward.
