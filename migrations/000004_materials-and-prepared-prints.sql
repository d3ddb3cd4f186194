-- Up Migration

-- What a retry does differently from what was asked for (see lib/model/retry-policy.ts).
ALTER TABLE print_jobs ADD COLUMN retry_settings JSONB NOT NULL DEFAULT '{}';

-- Files are read more closely now (tools, thumbnails, the volume of open meshes): what was known is read once again.
DELETE FROM files;

-- Print files that are ready, by everything that decides what they contain; see lib/slicing/print-key.ts.
CREATE TABLE prepared_prints (
  print_key CHAR(64) PRIMARY KEY,
  printer_id VARCHAR(50) NOT NULL REFERENCES printers (id) ON DELETE CASCADE,
  model_sha256 CHAR(64) NOT NULL,
  gcode_sha256 CHAR(64) NOT NULL,
  gcode_md5 CHAR(32) NOT NULL,
  gcode_size BIGINT NOT NULL CHECK (gcode_size > 0),
  gcode_lines INT NOT NULL,
  extension VARCHAR(12) NOT NULL CHECK (extension IN ('.gcode', '.gcode.3mf')),
  estimated_seconds DOUBLE PRECISION NOT NULL CHECK (estimated_seconds > 0),
  filament_mm DOUBLE PRECISION NOT NULL CHECK (filament_mm >= 0),
  filament_grams DOUBLE PRECISION NOT NULL CHECK (filament_grams >= 0),
  layers INT NOT NULL,
  slicer VARCHAR(100) NOT NULL,
  warnings JSONB NOT NULL DEFAULT '[]',
  created_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  used_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_prepared_prints_gcode ON prepared_prints (gcode_sha256);

-- What each attempt took off a spool. One row an attempt: nothing is ever taken twice.
CREATE TABLE spool_deductions (
  attempt_id UUID PRIMARY KEY REFERENCES print_attempts (id) ON DELETE CASCADE,
  spool_id UUID NOT NULL REFERENCES spools (id) ON DELETE CASCADE,
  grams DECIMAL(10,2) NOT NULL CHECK (grams >= 0),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE INDEX idx_spool_deductions_spool ON spool_deductions (spool_id);

-- The parts of an outcome's cost.
ALTER TABLE print_outcomes
  ADD COLUMN filament_usd DECIMAL(10,2) NOT NULL DEFAULT 0 CHECK (filament_usd >= 0),
  ADD COLUMN machine_usd DECIMAL(10,2) NOT NULL DEFAULT 0 CHECK (machine_usd >= 0),
  ADD COLUMN electricity_usd DECIMAL(10,2) NOT NULL DEFAULT 0 CHECK (electricity_usd >= 0),
  ADD COLUMN failure_kind VARCHAR(20) CONSTRAINT valid_failure_kind CHECK (failure_kind IN ('adhesion', 'spaghetti', 'run_out'));

-- A spool that Spoolman knows too: its number there, the grams that both agreed on last, and the grams that are being
-- written there (which tells, after a crash, whether they arrived).
ALTER TABLE spools
  ADD COLUMN spoolman_id INT UNIQUE,
  ADD COLUMN spoolman_grams DECIMAL(10,2) CHECK (spoolman_grams >= 0),
  ADD COLUMN spoolman_target DECIMAL(10,2) CHECK (spoolman_target >= 0);

-- The Giga's bed heats in four quarters, which G-code names T0 to T3 (Elegoo's own profile).
UPDATE printers SET capabilities = capabilities || '{"bedZones": [
  {"tool": 0, "min": {"x": 0, "y": 0}, "max": {"x": 405, "y": 402.5}},
  {"tool": 1, "min": {"x": 405, "y": 0}, "max": {"x": 810, "y": 402.5}},
  {"tool": 2, "min": {"x": 405, "y": 402.5}, "max": {"x": 810, "y": 805}},
  {"tool": 3, "min": {"x": 0, "y": 402.5}, "max": {"x": 405, "y": 805}}]}'
  WHERE id = 'elegoo_giga' AND make = 'moonraker';

-- Down Migration
-- None: the schema only goes forward.
