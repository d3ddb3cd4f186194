import { open } from 'node:fs/promises';
import type { Database } from './database';
import type { Queryable } from './queryable';

/** Size of a chunk (bytes). */
const chunkSize = 1024 * 1024;

/**
 * Copies a file into the database, so that an agent at another site can fetch it. Does nothing if it is there already.
 * @param path the path of the file with this SHA-256
 */
export async function shareFile(database: Database, sha256: string, path: string): Promise<void> {
  // Checking also marks the file as wanted, so that it is not deleted right now.
  if (await isShared(database, sha256)) return;
  await database.transaction(async (tx) => {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      const inserted = await tx.query(
        'INSERT INTO shared_files (sha256, size) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING',
        [sha256, size],
      );
      if (inserted.rowCount === 0) return;
      for (let number = 0; number * chunkSize < size; number++) {
        const bytes = Buffer.alloc(Math.min(chunkSize, size - number * chunkSize));
        await file.read(bytes, 0, bytes.length, number * chunkSize);
        await tx.query('INSERT INTO shared_file_chunks (sha256, number, bytes) VALUES ($1, $2, $3)', [
          sha256,
          number,
          bytes,
        ]);
      }
    } finally {
      await file.close();
    }
  });
}

/** Whether a file is in the database; marks it as wanted, so that it is not deleted within the next hours. */
export async function isShared(db: Queryable, sha256: string): Promise<boolean> {
  const { rowCount } = await db.query('UPDATE shared_files SET created_at = now() WHERE sha256 = $1', [sha256]);
  return rowCount === 1;
}

/** Yields the bytes of a shared file in order; nothing if it is not there. */
export async function* readSharedFile(db: Queryable, sha256: string): AsyncGenerator<Buffer> {
  for (let number = 0; ; number++) {
    const { rows } = await db.query<{ bytes: Buffer }>(
      'SELECT bytes FROM shared_file_chunks WHERE sha256 = $1 AND number = $2',
      [sha256, number],
    );
    const chunk = rows[0];
    if (!chunk) return;
    yield chunk.bytes;
  }
}

/** Deletes files that no unfinished job, open attempt or outcome needs, some time after they were stored. */
export async function forgetSharedFiles(db: Queryable, olderThanHours: number): Promise<void> {
  await db.query(
    `DELETE FROM shared_files f WHERE f.created_at < now() - make_interval(hours => $1)
       AND NOT EXISTS (SELECT 1 FROM print_jobs j WHERE j.model_sha256 = f.sha256 AND j.completed_at IS NULL)
       AND NOT EXISTS (SELECT 1 FROM print_attempts a WHERE a.gcode_sha256 = f.sha256 AND a.phase <> 'ended')
       AND NOT EXISTS (SELECT 1 FROM print_outcomes o
         WHERE o.photo_reference IS NOT NULL AND split_part(o.photo_reference, '.', 1) = f.sha256)`,
    [olderThanHours],
  );
}
