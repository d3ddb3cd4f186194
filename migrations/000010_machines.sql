-- Up Migration

-- Which machine a printer is, by the ids that it tells of itself; pinned at the first contact.
ALTER TABLE printers ADD COLUMN identity JSONB NOT NULL DEFAULT '{}' CHECK (jsonb_typeof(identity) = 'object');
-- Another machine that was found at its address; null: none.
ALTER TABLE printers ADD COLUMN stranger JSONB CHECK (jsonb_typeof(stranger) = 'object');
-- What keeps the printer from starting any job, although it says that it is idle: {code, text, remedy, since}.
ALTER TABLE printers ADD COLUMN condition JSONB CHECK (jsonb_typeof(condition) = 'object');
-- What needs a person at the printer at this moment, such as a pause: {code, text, remedy, since}.
ALTER TABLE printers ADD COLUMN attention JSONB CHECK (jsonb_typeof(attention) = 'object');
-- Since when it belongs to the farm no more.
ALTER TABLE printers ADD COLUMN archived_at TIMESTAMPTZ;

-- Down Migration
-- None: the schema only goes forward.
