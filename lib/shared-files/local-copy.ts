import { existsSync } from 'node:fs';
import { Readable } from 'node:stream';
import type { AgentContext } from '../farm/agent-context';
import type { StoredExtension } from '../files/file-store';
import { PlatewiseError } from '../model/errors';
import { readSharedFile } from '../store/shared-files';

/** Larger than any file that is accepted. */
const mostBytes = Number.MAX_SAFE_INTEGER;

/**
 * The path of a file on this machine. What another site took in is fetched from the database once, and kept if its bytes
 * are the right ones.
 * @throws PlatewiseError `file_not_available`: it is neither here nor there
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
    throw new PlatewiseError('The file of the job is not on this machine, and the database has not got it whole.', {
      code: 'file_not_available',
      retryable: true,
      remedy: 'Start the Node-RED that took the file in, or submit the job again.',
    });
  }
  return path;
}
