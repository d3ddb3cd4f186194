import { lockUntilEnd } from './advisory-locks';
import type { Queryable, Transaction } from './queryable';

/** Prevents the removal of files until this transaction has ended. */
export async function keepFiles(tx: Transaction): Promise<void> {
  await lockUntilEnd(tx, 'files', 'shared');
}

/** Waits for jobs that are being accepted, and blocks new ones until this transaction has ended. */
export async function lockFiles(tx: Transaction): Promise<void> {
  await lockUntilEnd(tx, 'files');
}

/**
 * Returns the files that are still needed: models of unfinished jobs and of jobs that ended recently, print files of open
 * attempts and those that were used recently, photos of outcomes.
 *
 * @param days how long a file is kept after its last use
 */
export async function filesInUse(db: Queryable, hashes: string[], days: number): Promise<Set<string>> {
  const { rows } = await db.query<{ sha256: string }>(
    `SELECT model_sha256 AS sha256 FROM print_jobs WHERE model_sha256 = ANY ($1)
       AND (completed_at IS NULL OR completed_at > now() - make_interval(days => $2))
     UNION SELECT gcode_sha256 FROM print_attempts WHERE gcode_sha256 = ANY ($1)
       AND (phase <> 'ended' OR ended_at > now() - make_interval(days => $2))
     UNION SELECT gcode_sha256 FROM prepared_prints WHERE gcode_sha256 = ANY ($1)
       AND used_at > now() - make_interval(days => $2)
     UNION SELECT split_part(photo_reference, '.', 1) FROM print_outcomes
       WHERE photo_reference IS NOT NULL AND split_part(photo_reference, '.', 1) = ANY ($1)`,
    [hashes, days],
  );
  return new Set(rows.map((row) => row.sha256));
}

/** Deletes the records of print files that have been unused for this long. */
export async function forgetUnusedPrints(db: Queryable, days: number): Promise<void> {
  await db.query(
    `DELETE FROM prepared_prints p WHERE used_at < now() - make_interval(days => $1)
       AND NOT EXISTS (SELECT 1 FROM print_attempts a WHERE a.gcode_sha256 = p.gcode_sha256 AND a.phase <> 'ended')`,
    [days],
  );
}

/** Deletes the references to photos of outcomes that are this old. */
export async function forgetOldPhotos(db: Queryable, days: number): Promise<void> {
  await db.query(
    `UPDATE print_outcomes SET photo_reference = NULL
     WHERE photo_reference IS NOT NULL AND created_at < now() - make_interval(days => $1)`,
    [days],
  );
}
