-- Up Migration

-- What a job's file asks of printers (lib/model/sliced-facts.ts), so that no plan has to read a file: null on a job from before,
-- until its file has been read again. The plate of a file that holds several, and the submitter's word for a file that
-- names no machine.
ALTER TABLE print_jobs
  ADD COLUMN file_facts JSONB,
  ADD COLUMN plate INT CONSTRAINT valid_plate CHECK (plate >= 1),
  ADD COLUMN accept_unknown_machine BOOLEAN NOT NULL DEFAULT false;

CREATE INDEX idx_print_jobs_without_facts ON print_jobs (id)
  WHERE file_facts IS NULL AND status NOT IN ('completed', 'failed', 'cancelled');

-- A slot feeds a tool: a nozzle or a head, from 0.
ALTER TABLE printer_slots ADD COLUMN tool INT NOT NULL DEFAULT 0 CONSTRAINT valid_tool CHECK (tool BETWEEN 0 AND 15);
UPDATE printer_slots SET tool = 1 WHERE slot IN ('nozzle1', 'extruder1', 'ext-left');
UPDATE printer_slots SET tool = substring(slot FROM '^extruder([0-9]+)$')::int
  WHERE slot ~ '^extruder([2-9]|1[0-5])$';

-- The tool that prints an attempt, and the plate of the file that it sends.
ALTER TABLE print_attempts
  ADD COLUMN tool INT NOT NULL DEFAULT 0 CONSTRAINT valid_attempt_tool CHECK (tool BETWEEN 0 AND 15),
  ADD COLUMN plate INT NOT NULL DEFAULT 1 CONSTRAINT valid_attempt_plate CHECK (plate >= 1);

-- How the agent of a printer makes print files (lib/model/printer.ts, Preparation); null until an agent has reported.
ALTER TABLE printers ADD COLUMN preparation JSONB;

-- The models whose files the machines of the default farm take, and what each nozzle of the H2D reaches.
UPDATE printers SET capabilities = capabilities || '{"model": "O1D", "acceptsModels": ["Bambu Lab H2D", "O1D"], "toolVolumes": [
    {"min": {"x": 25, "y": 0, "z": 0}, "max": {"x": 350, "y": 320, "z": 325}},
    {"min": {"x": 0, "y": 0, "z": 0}, "max": {"x": 325, "y": 320, "z": 325}}]}'
  WHERE id = 'bamboo_h2d' AND make = 'bambu' AND capabilities -> 'toolVolumes' IS NULL;
UPDATE printers SET capabilities = capabilities ||
    '{"acceptsModels": ["Elegoo OrangeStorm Giga", "OrangeStorm Giga", "EOGiga", "EOS Giga"]}'
  WHERE id = 'elegoo_giga' AND make = 'moonraker';
UPDATE printers SET capabilities = capabilities ||
    '{"acceptsModels": ["Snapmaker Artisan", "Artisan", "A400", "Snapmaker A400", "Snapmaker Artisan Dual"]}'
  WHERE id = 'snapmaker_artisan' AND make = 'snapmaker';

-- Files are read more closely now (filaments, tools, plates, ends): what was known is read once again.
DELETE FROM files;

-- Down Migration
-- None: the schema only goes forward.
