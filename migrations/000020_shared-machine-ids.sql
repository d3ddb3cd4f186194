-- Up Migration

-- Ids that operators have confirmed to be reported by several machines, such as the serial number of a counterfeit chip. They identify none.
CREATE TABLE shared_machine_ids (
  kind TEXT NOT NULL,
  id TEXT NOT NULL,
  confirmed_by TEXT NOT NULL,
  confirmed_at TIMESTAMPTZ NOT NULL DEFAULT now(),
  PRIMARY KEY (kind, id)
);

-- All counterfeit FT232R report this number, so that it is no longer read as an id of a board.
UPDATE printers SET identity = identity - 'mcu' WHERE identity ->> 'mcu' = 'A50285BI';

-- Down Migration
-- None: the schema only goes forward.
