import { analyseFile } from '../files/analyse-file';
import type { FileAnalysis } from '../files/analysis';
import type { Database } from '../store/database';
import { findAnalysis, storeAnalysis } from '../store/files';

/**
 * Returns the analysis of a file by its content; the file is read only if the same bytes were never read before.
 * @param path where the bytes are on this machine
 * @throws the errors of `analyseFile`
 */
export async function analysisOf(
  database: Database,
  sha256: string,
  path: string,
  options: { signal?: AbortSignal } = {},
): Promise<FileAnalysis> {
  const known = await findAnalysis(database, sha256);
  if (known !== undefined) return known as FileAnalysis;
  const analysis = await analyseFile(path, options);
  await storeAnalysis(database, sha256, analysis);
  return analysis;
}
