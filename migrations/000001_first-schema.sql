-- Up Migration

-- What can be printed with. Prices and densities are used for costs and grams.
CREATE TABLE materials (
  id VARCHAR(50) PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  type VARCHAR(20) NOT NULL,
  colour VARCHAR(50) NOT NULL,
  colour_hex CHAR(6) NOT NULL CHECK (colour_hex ~ '^[0-9A-F]{6}$'),
  brand VARCHAR(50) NOT NULL,
  density_g_cm3 DECIMAL(5,3) NOT NULL CHECK (density_g_cm3 > 0),
  diameter_mm DECIMAL(4,2) NOT NULL DEFAULT 1.75 CHECK (diameter_mm > 0),
  usd_per_kg DECIMAL(8,2) NOT NULL CHECK (usd_per_kg >= 0),
  nozzle_temp INT NOT NULL CHECK (nozzle_temp BETWEEN 150 AND 450),
  bed_temp INT NOT NULL CHECK (bed_temp BETWEEN 0 AND 150)
);

-- One row a machine. Its bed is a fact of ours: no printer state clears it.
CREATE TABLE printers (
  id VARCHAR(50) PRIMARY KEY,
  name VARCHAR(100) NOT NULL,
  make VARCHAR(20) NOT NULL CONSTRAINT valid_make CHECK (make IN ('bambu', 'moonraker', 'snapmaker')),
  capabilities JSONB NOT NULL,
  bed_state VARCHAR(10) NOT NULL DEFAULT 'occupied' CONSTRAINT valid_bed_state CHECK (bed_state IN ('clear', 'occupied')),
  bed_cause VARCHAR(10) DEFAULT 'unknown' CONSTRAINT valid_bed_cause CHECK (bed_cause IN ('attempt', 'foreign', 'unknown')),
  bed_attempt_id UUID,
  bed_version BIGINT NOT NULL DEFAULT 1,
  bed_since TIMESTAMPTZ NOT NULL DEFAULT now(),
  -- Grows with every claim; whoever holds an older number can write nothing.
  fence BIGINT NOT NULL DEFAULT 0,
  -- The agent's word, believed only while seen_at is recent.
  connected BOOLEAN NOT NULL DEFAULT false,
  connection_problem TEXT,
  seen_at TIMESTAMPTZ,
  first_connected_at TIMESTAMPTZ,
  report JSONB,
  report_at TIMESTAMPTZ,
  -- The last job that the printer named, ours or foreign; compared on every connect.
  last_job JSONB,
  CONSTRAINT bed_cause_iff_occupied CHECK ((bed_state = 'clear') = (bed_cause IS NULL)),
  CONSTRAINT bed_attempt_iff_ours CHECK ((bed_cause IS NOT DISTINCT FROM 'attempt') = (bed_attempt_id IS NOT NULL))
);

CREATE TABLE spools (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  material_id VARCHAR(50) NOT NULL REFERENCES materials (id),
  label VARCHAR(100),
  initial_grams DECIMAL(10,2) NOT NULL CHECK (initial_grams > 0),
  grams_left DECIMAL(10,2) NOT NULL CHECK (grams_left >= 0),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

-- Where a filament can sit. A spool is in one slot at most.
CREATE TABLE printer_slots (
  printer_id VARCHAR(50) NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  slot VARCHAR(20) NOT NULL,
  position INT NOT NULL,
  spool_id UUID UNIQUE REFERENCES spools (id),
  PRIMARY KEY (printer_id, slot)
);

-- What became of each ended attempt; kept for costs and for learning.
CREATE TABLE print_outcomes (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  job_id UUID NOT NULL,
  attempt_id UUID NOT NULL UNIQUE,
  printer_id VARCHAR(50) NOT NULL REFERENCES printers (id),
  material_id VARCHAR(50) NOT NULL REFERENCES materials (id),
  outcome VARCHAR(20) NOT NULL CONSTRAINT valid_print_outcome CHECK (outcome IN ('completed', 'failed', 'cancelled')),
  reason TEXT,
  duration_hours DECIMAL(7,3) CHECK (duration_hours >= 0),
  estimated_hours DECIMAL(7,3) CHECK (estimated_hours >= 0),
  grams DECIMAL(10,2) NOT NULL CHECK (grams >= 0),
  cost_usd DECIMAL(10,2) NOT NULL CHECK (cost_usd >= 0),
  layers INT,
  warnings JSONB NOT NULL DEFAULT '[]',
  photo_reference TEXT,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_print_outcomes_job ON print_outcomes (job_id);

CREATE TABLE print_jobs (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  job_name VARCHAR(255) NOT NULL,
  stl_path TEXT NOT NULL,
  gcode_path TEXT,
  material_id VARCHAR(50) NOT NULL REFERENCES materials (id),
  print_settings JSONB NOT NULL,
  estimated_grams DECIMAL(10,2),
  estimated_cost_usd DECIMAL(10,2),
  estimated_duration_hours DECIMAL(5,2),
  priority INT NOT NULL DEFAULT 5 CONSTRAINT valid_priority CHECK (priority BETWEEN 1 AND 10),
  deadline_at TIMESTAMPTZ,
  assigned_printer_id VARCHAR(50) REFERENCES printers (id),
  status VARCHAR(20) NOT NULL DEFAULT 'queued' CONSTRAINT valid_status
    CHECK (status IN ('queued', 'scheduled', 'slicing', 'uploading', 'printing', 'completed', 'failed', 'cancelled')),
  status_reason TEXT,
  started_at TIMESTAMPTZ,
  completed_at TIMESTAMPTZ,
  actual_duration_hours DECIMAL(5,2),
  actual_cost_usd DECIMAL(10,2),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  updated_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  created_by VARCHAR(100),
  retry_count INT DEFAULT 0,
  max_retries INT DEFAULT 2 CONSTRAINT valid_max_retries CHECK (max_retries BETWEEN 0 AND 100),
  goal_id VARCHAR(100),
  outcome_id UUID REFERENCES print_outcomes (id),

  copies INT NOT NULL DEFAULT 1 CONSTRAINT valid_copies CHECK (copies >= 1),
  copies_done INT NOT NULL DEFAULT 0 CONSTRAINT valid_copies_done CHECK (copies_done BETWEEN 0 AND copies),
  not_before TIMESTAMPTZ,
  depends_on UUID[] NOT NULL DEFAULT '{}',
  force_printer VARCHAR(50) REFERENCES printers (id),
  hold BOOLEAN NOT NULL DEFAULT false,
  cancel_requested_at TIMESTAMPTZ,
  cancel_requested_by VARCHAR(100),
  -- Why no more copies are begun; the job fails when the copies under way have ended.
  giving_up TEXT,
  -- Attempts that ended before this moment do not count against max_retries (set by a replay).
  retries_from TIMESTAMPTZ NOT NULL DEFAULT now(),
  failed_on VARCHAR(50) REFERENCES printers (id),
  model_sha256 CHAR(64) NOT NULL,
  model_kind VARCHAR(10) NOT NULL CONSTRAINT valid_model_kind CHECK (model_kind IN ('stl', '3mf', 'gcode', 'gcode_3mf')),
  model_x_mm DOUBLE PRECISION NOT NULL,
  model_y_mm DOUBLE PRECISION NOT NULL,
  model_z_mm DOUBLE PRECISION NOT NULL,
  model_volume_mm3 DOUBLE PRECISION NOT NULL,
  -- Numbers this job's events 1, 2, 3 …; only ever written under the row's lock.
  job_seq BIGINT NOT NULL DEFAULT 0,
  CONSTRAINT completed_iff_ended CHECK ((status IN ('completed', 'failed', 'cancelled')) = (completed_at IS NOT NULL))
);
CREATE INDEX idx_print_jobs_status ON print_jobs (status);
CREATE INDEX idx_print_jobs_priority ON print_jobs (priority, deadline_at);
CREATE INDEX idx_print_jobs_material ON print_jobs (material_id);
CREATE INDEX idx_print_jobs_printer ON print_jobs (assigned_printer_id);
CREATE INDEX idx_print_jobs_created ON print_jobs (created_at DESC);
CREATE INDEX idx_print_jobs_open ON print_jobs (created_at) WHERE status NOT IN ('completed', 'failed', 'cancelled');

ALTER TABLE print_outcomes ADD CONSTRAINT print_outcomes_job FOREIGN KEY (job_id) REFERENCES print_jobs (id) ON DELETE CASCADE;

CREATE TABLE job_status_history (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  job_id UUID NOT NULL REFERENCES print_jobs (id) ON DELETE CASCADE,
  from_status VARCHAR(20),
  to_status VARCHAR(20) NOT NULL,
  reason TEXT,
  changed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  changed_by VARCHAR(100)
);
CREATE INDEX idx_job_status_history_job ON job_status_history (job_id, changed_at DESC);

-- The status graph, once for the database and once (the same, a test compares them) in lib/model/status.ts.
CREATE TABLE job_status_transitions (
  from_status VARCHAR(20) NOT NULL,
  to_status VARCHAR(20) NOT NULL,
  PRIMARY KEY (from_status, to_status)
);
INSERT INTO job_status_transitions VALUES
  ('queued', 'scheduled'), ('queued', 'failed'), ('queued', 'cancelled'),
  ('scheduled', 'slicing'), ('scheduled', 'queued'), ('scheduled', 'failed'), ('scheduled', 'cancelled'),
  ('slicing', 'uploading'), ('slicing', 'queued'), ('slicing', 'scheduled'), ('slicing', 'failed'), ('slicing', 'cancelled'),
  ('uploading', 'printing'), ('uploading', 'queued'), ('uploading', 'scheduled'), ('uploading', 'slicing'),
  ('uploading', 'failed'), ('uploading', 'cancelled'),
  ('printing', 'completed'), ('printing', 'queued'), ('printing', 'scheduled'), ('printing', 'slicing'), ('printing', 'uploading'),
  ('printing', 'failed'), ('printing', 'cancelled'),
  ('failed', 'queued');

-- A status can only change along the graph, whoever writes it.
CREATE FUNCTION check_job_status_transition() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
  IF NOT EXISTS (
    SELECT 1 FROM job_status_transitions t WHERE t.from_status = OLD.status AND t.to_status = NEW.status
  ) THEN
    RAISE EXCEPTION 'A job cannot go from % to %', OLD.status, NEW.status USING ERRCODE = 'check_violation';
  END IF;
  RETURN NEW;
END $$;
CREATE TRIGGER job_status_transition BEFORE UPDATE OF status ON print_jobs
  FOR EACH ROW WHEN (OLD.status IS DISTINCT FROM NEW.status) EXECUTE FUNCTION check_job_status_transition();

-- Numbers that are sent to printers as task ids; they must stay below 2^31.
CREATE SEQUENCE print_task_ids AS INT MINVALUE 1 MAXVALUE 2147483647 CYCLE;

-- One try at printing one copy on one printer.
CREATE TABLE print_attempts (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  job_id UUID NOT NULL REFERENCES print_jobs (id) ON DELETE CASCADE,
  copy INT NOT NULL CHECK (copy >= 1),
  printer_id VARCHAR(50) NOT NULL REFERENCES printers (id),
  phase VARCHAR(20) NOT NULL DEFAULT 'dispatched' CONSTRAINT valid_phase CHECK (phase IN
    ('dispatched', 'claimed', 'preparing', 'uploading', 'starting', 'outcome_unknown', 'printing', 'ended')),
  fence BIGINT,
  lease_owner UUID,
  lease_until TIMESTAMPTZ,
  file_name VARCHAR(127) NOT NULL UNIQUE,
  task_id INT NOT NULL DEFAULT nextval('print_task_ids'),
  slot VARCHAR(20) NOT NULL,
  spool_id UUID REFERENCES spools (id),
  reserved_grams DECIMAL(10,2) NOT NULL DEFAULT 0,
  gcode_sha256 CHAR(64),
  gcode_md5 CHAR(32),
  gcode_size BIGINT,
  gcode_lines INT,
  estimated_seconds DOUBLE PRECISION,
  estimated_grams DECIMAL(10,2),
  layers INT,
  message_id UUID NOT NULL DEFAULT gen_random_uuid(),
  dispatched_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  claimed_at TIMESTAMPTZ,
  start_intent_at TIMESTAMPTZ,
  started_at TIMESTAMPTZ,
  ended_at TIMESTAMPTZ,
  cancel_requested_at TIMESTAMPTZ,
  outcome VARCHAR(20) CONSTRAINT valid_outcome CHECK (outcome IN ('completed', 'failed', 'cancelled', 'not_started', 'withdrawn')),
  reason TEXT,
  CONSTRAINT ended_iff_outcome CHECK ((phase = 'ended') = (outcome IS NOT NULL AND ended_at IS NOT NULL)),
  CONSTRAINT fenced_once_claimed CHECK (phase IN ('dispatched', 'ended') OR fence IS NOT NULL),
  CONSTRAINT intent_before_start CHECK (phase NOT IN ('starting', 'outcome_unknown', 'printing') OR start_intent_at IS NOT NULL)
);
-- Never more than one thing under way on a printer, nor for a copy.
CREATE UNIQUE INDEX one_open_attempt_per_printer ON print_attempts (printer_id) WHERE phase <> 'ended';
CREATE UNIQUE INDEX one_open_attempt_per_copy ON print_attempts (job_id, copy) WHERE phase <> 'ended';
CREATE UNIQUE INDEX one_task_id_in_use ON print_attempts (task_id) WHERE phase <> 'ended';
CREATE INDEX idx_print_attempts_job ON print_attempts (job_id);
ALTER TABLE printers ADD CONSTRAINT printers_bed_attempt FOREIGN KEY (bed_attempt_id) REFERENCES print_attempts (id);

-- Messages committed with the change they report, waiting to be published.
CREATE TABLE outbox (
  id BIGINT GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  kind VARCHAR(20) NOT NULL CONSTRAINT valid_outbox_kind CHECK (kind IN ('dispatch', 'status', 'dead_letter')),
  routing_key VARCHAR(120) NOT NULL,
  message_id UUID NOT NULL DEFAULT gen_random_uuid(),
  job_id UUID,
  attempt_id UUID,
  body JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  sent_at TIMESTAMPTZ,
  times_sent INT NOT NULL DEFAULT 0,
  last_error TEXT
);
CREATE INDEX idx_outbox_unsent ON outbox (id) WHERE sent_at IS NULL;
CREATE INDEX idx_outbox_attempt ON outbox (attempt_id) WHERE kind = 'dispatch';
CREATE INDEX idx_outbox_sent ON outbox (sent_at) WHERE sent_at IS NOT NULL;

-- The truth about what was given up; the broker's dead-letter queue only tells of it.
CREATE TABLE dead_letters (
  id UUID PRIMARY KEY DEFAULT gen_random_uuid(),
  job_id UUID REFERENCES print_jobs (id) ON DELETE CASCADE,
  attempt_id UUID REFERENCES print_attempts (id) ON DELETE CASCADE,
  reason TEXT NOT NULL,
  message JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  resolved_at TIMESTAMPTZ,
  resolution VARCHAR(10) CONSTRAINT valid_resolution CHECK (resolution IN ('replayed', 'discarded')),
  CONSTRAINT resolved_iff_resolution CHECK ((resolved_at IS NULL) = (resolution IS NULL))
);

-- What reading a file once told, by its content.
CREATE TABLE files (
  sha256 CHAR(64) PRIMARY KEY,
  analysis JSONB NOT NULL,
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);

INSERT INTO materials (id, name, type, colour, colour_hex, brand, density_g_cm3, usd_per_kg, nozzle_temp, bed_temp) VALUES
  ('pla_black_esun',      'eSUN PLA+ black',          'PLA',   'black',  '101010', 'eSUN',       1.24, 19.99, 210, 60),
  ('pla_white_esun',      'eSUN PLA+ white',          'PLA',   'white',  'F5F5F5', 'eSUN',       1.24, 19.99, 210, 60),
  ('pla_red_esun',        'eSUN PLA+ red',            'PLA',   'red',    'C62828', 'eSUN',       1.24, 19.99, 210, 60),
  ('pla_grey_polymaker',  'PolyTerra PLA grey',       'PLA',   'grey',   '808080', 'Polymaker',  1.31, 21.99, 210, 60),
  ('petg_black_esun',     'eSUN PETG black',          'PETG',  'black',  '151515', 'eSUN',       1.27, 21.99, 240, 80),
  ('petg_white_esun',     'eSUN PETG white',          'PETG',  'white',  'FAFAFA', 'eSUN',       1.27, 21.99, 240, 80),
  ('petg_clear_prusament','Prusament PETG clear',     'PETG',  'clear',  'E8EEF2', 'Prusament',  1.27, 29.99, 250, 85),
  ('abs_black_esun',      'eSUN ABS+ black',          'ABS',   'black',  '121212', 'eSUN',       1.06, 22.99, 250, 100),
  ('asa_grey_polymaker',  'PolyLite ASA grey',        'ASA',   'grey',   '7A7F85', 'Polymaker',  1.07, 29.99, 250, 95),
  ('tpu_black_sainsmart', 'SainSmart TPU 95A black',  'TPU',   'black',  '0D0D0D', 'SainSmart',  1.21, 27.99, 225, 50),
  ('pacf_black_bambu',    'Bambu PA-CF black',        'PA-CF', 'black',  '1B1B1B', 'Bambu Lab',  1.09, 89.99, 280, 100),
  ('pla_silk_gold_esun',  'eSUN Silk PLA gold',       'PLA',   'gold',   'D4AF37', 'eSUN',       1.23, 24.99, 220, 60);

-- The three machines of the default farm (mm; x from 25 is what the H2D's right nozzle reaches). A bed is occupied until somebody says otherwise.
INSERT INTO printers (id, name, make, capabilities) VALUES
  ('bamboo_h2d', 'Bambu Lab H2D', 'bambu', '{"buildVolume": {"min": {"x": 25, "y": 0, "z": 0}, "max": {"x": 350, "y": 320, "z": 325}},
    "multiNozzleVolume": {"min": {"x": 25, "y": 0, "z": 0}, "max": {"x": 325, "y": 320, "z": 320}}, "nozzleDiameters": [0.4, 0.4],
    "maxNozzleTemperature": 350, "maxBedTemperature": 120, "materialTypes": ["PLA", "PETG", "ABS", "ASA", "TPU", "PA-CF"], "speedFactor": 1, "usdPerHour": 0.9}'),
  ('elegoo_giga', 'Elegoo OrangeStorm Giga', 'moonraker', '{"buildVolume": {"min": {"x": 0, "y": 0, "z": 0}, "max": {"x": 800, "y": 800, "z": 1000}},
    "nozzleDiameters": [0.4], "maxNozzleTemperature": 300, "maxBedTemperature": 110, "materialTypes": ["PLA", "PETG", "TPU"], "speedFactor": 1.2, "usdPerHour": 1.4}'),
  ('snapmaker_artisan', 'Snapmaker Artisan', 'snapmaker', '{"buildVolume": {"min": {"x": 0, "y": 0, "z": 0}, "max": {"x": 400, "y": 400, "z": 400}},
    "nozzleDiameters": [0.4, 0.4], "maxNozzleTemperature": 300, "maxBedTemperature": 110, "materialTypes": ["PLA", "PETG", "ABS", "ASA", "TPU"], "speedFactor": 1.35, "usdPerHour": 0.8}');

INSERT INTO printer_slots (printer_id, slot, position) VALUES
  ('bamboo_h2d', 'ams0-0', 0), ('bamboo_h2d', 'ams0-1', 1), ('bamboo_h2d', 'ams0-2', 2), ('bamboo_h2d', 'ams0-3', 3),
  ('elegoo_giga', 'extruder', 0),
  ('snapmaker_artisan', 'nozzle0', 0), ('snapmaker_artisan', 'nozzle1', 1);

-- Down Migration
-- None: the schema only goes forward.
