import { analyseFile } from '../files/analyse-file';
import type { FileAnalysis } from '../files/analysis';
import type { Database } from '../store/database';
import { findAnalysis, storeAnalysis } from '../store/files';

/**
 * What reading a file tells, by its content: read only if nobody has read the same bytes before.
 * @param path where the bytes lie on this machine
 * @throws what `analyseFile` throws
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
