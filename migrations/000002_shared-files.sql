-- Up Migration

-- The files of open jobs, for agents at other sites: they reach the database, and perhaps nothing else of the farm.
-- A file is there once its row in shared_files is; its bytes come in chunks, so that nobody holds a whole file in memory.
CREATE TABLE shared_files (
  sha256 CHAR(64) PRIMARY KEY,
  size BIGINT NOT NULL CHECK (size >= 0),
  created_at TIMESTAMPTZ NOT NULL DEFAULT now()
);
CREATE TABLE shared_file_chunks (
  sha256 CHAR(64) NOT NULL REFERENCES shared_files (sha256) ON DELETE CASCADE,
  number INT NOT NULL CHECK (number >= 0),
  bytes BYTEA NOT NULL,
  PRIMARY KEY (sha256, number)
);

-- Down Migration
-- None: the schema only goes forward.
