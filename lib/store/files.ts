import type { Queryable } from './queryable';

/** Returns the stored analysis of the file with this content; undefined if it was never read. */
export async function findAnalysis(db: Queryable, sha256: string): Promise<unknown> {
  const { rows } = await db.query<{ analysis: unknown }>('SELECT analysis FROM files WHERE sha256 = $1', [sha256]);
  return rows[0]?.analysis;
}

/** Stores the analysis of a file, so that the same content is never read twice. */
export async function storeAnalysis(db: Queryable, sha256: string, analysis: unknown): Promise<void> {
  await db.query('INSERT INTO files (sha256, analysis) VALUES ($1, $2) ON CONFLICT (sha256) DO NOTHING', [
    sha256,
    JSON.stringify(analysis),
  ]);
}
