import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { AgentContext } from '../farm/agent-context';
import type { StoredExtension } from '../files/file-store';
import { PlatewiseError } from '../model/errors';
import { readSharedFile } from '../store/shared-files';

/** Larger than any accepted file (bytes). */
const mostBytes = Number.MAX_SAFE_INTEGER;

/**
 * Returns the path of a file on this machine. A file from another site is fetched from the database once, and kept if its digest
 * is correct.
 * @throws PlatewiseError `file_not_available`: it is neither here nor in the database
 */
export async function localCopy(
  { files, database }: Pick<AgentContext, 'files' | 'database'>,
  sha256: string,
  extension: StoredExtension,
): Promise<string> {
  const path = files.pathOf(sha256, extension);
  if (existsSync(path)) return path;
  const bytes = Readable.from(readSharedFile(database, sha256));
  const stored = await files.put(bytes, { extension, maxBytes: mostBytes });
  if (stored.sha256 !== sha256) {
    throw new PlatewiseError('The file of the job is not on this machine, and the database does not hold all of it.', {
      code: 'file_not_available',
      retryable: true,
      remedy: 'Start the Node-RED that received the file, or submit the job again.',
    });
  }
  return path;
}
