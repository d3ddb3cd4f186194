-- Up Migration

-- The first migration made three printers and a dozen materials that no farm has unless somebody sets them up. Printers are known by
-- their nodes from now on, and materials are added by the owner, by Spoolman, or with simulated printers (lib/stock/demo-materials.ts).
-- What was never used goes; whatever anything refers to, or its owner has touched, stays.

-- No node ever had it (an agent notes that it is there before it connects), and nothing names it.
DELETE FROM printers p
  WHERE p.id IN ('bamboo_h2d', 'elegoo_giga', 'snapmaker_artisan')
    AND p.seen_at IS NULL AND p.first_connected_at IS NULL AND p.preparation IS NULL AND p.archived_at IS NULL
    AND NOT EXISTS (SELECT 1 FROM print_attempts a WHERE a.printer_id = p.id)
    AND NOT EXISTS (SELECT 1 FROM print_outcomes o WHERE o.printer_id = p.id)
    AND NOT EXISTS (SELECT 1 FROM print_jobs j WHERE p.id IN (j.assigned_printer_id, j.force_printer, j.failed_on))
    AND NOT EXISTS (SELECT 1 FROM printer_closures c WHERE c.printer_id = p.id)
    AND NOT EXISTS (SELECT 1 FROM printer_slots s WHERE s.printer_id = p.id AND s.spool_id IS NOT NULL);

-- As it was made, and no spool or job ever named it. A farm with simulated printers, whose spools are labelled so, keeps them all:
-- they are what it shows.
DELETE FROM materials m
  WHERE m.archived_at IS NULL
    AND (m.id, m.name, m.type, m.colour, m.colour_hex, m.brand, m.density_g_cm3, m.diameter_mm, m.usd_per_kg, m.nozzle_temp, m.bed_temp) IN (
      ('pla_black_esun',      'eSUN PLA+ black',          'PLA',   'black',  '101010', 'eSUN',       1.24, 1.75, 19.99, 210, 60),
      ('pla_white_esun',      'eSUN PLA+ white',          'PLA',   'white',  'F5F5F5', 'eSUN',       1.24, 1.75, 19.99, 210, 60),
      ('pla_red_esun',        'eSUN PLA+ red',            'PLA',   'red',    'C62828', 'eSUN',       1.24, 1.75, 19.99, 210, 60),
      ('pla_grey_polymaker',  'PolyTerra PLA grey',       'PLA',   'grey',   '808080', 'Polymaker',  1.31, 1.75, 21.99, 210, 60),
      ('petg_black_esun',     'eSUN PETG black',          'PETG',  'black',  '151515', 'eSUN',       1.27, 1.75, 21.99, 240, 80),
      ('petg_white_esun',     'eSUN PETG white',          'PETG',  'white',  'FAFAFA', 'eSUN',       1.27, 1.75, 21.99, 240, 80),
      ('petg_clear_prusament','Prusament PETG clear',     'PETG',  'clear',  'E8EEF2', 'Prusament',  1.27, 1.75, 29.99, 250, 85),
      ('abs_black_esun',      'eSUN ABS+ black',          'ABS',   'black',  '121212', 'eSUN',       1.06, 1.75, 22.99, 250, 100),
      ('asa_grey_polymaker',  'PolyLite ASA grey',        'ASA',   'grey',   '7A7F85', 'Polymaker',  1.07, 1.75, 29.99, 250, 95),
      ('tpu_black_sainsmart', 'SainSmart TPU 95A black',  'TPU',   'black',  '0D0D0D', 'SainSmart',  1.21, 1.75, 27.99, 225, 50),
      ('pacf_black_bambu',    'Bambu PA-CF black',        'PA-CF', 'black',  '1B1B1B', 'Bambu Lab',  1.09, 1.75, 89.99, 280, 100),
      ('pla_silk_gold_esun',  'eSUN Silk PLA gold',       'PLA',   'gold',   'D4AF37', 'eSUN',       1.23, 1.75, 24.99, 220, 60))
    AND NOT EXISTS (SELECT 1 FROM spools WHERE label = 'simulated')
    AND NOT EXISTS (SELECT 1 FROM spools s WHERE s.material_id = m.id)
    AND NOT EXISTS (SELECT 1 FROM print_jobs j WHERE j.material_id = m.id)
    AND NOT EXISTS (SELECT 1 FROM print_outcomes o WHERE o.material_id = m.id);

-- Down Migration
-- None: the schema only goes forward.
