import { Readable } from 'node:stream';
import type { AgentContext } from '../../farm/agent-context';
import { photoExtension } from '../../files/stored-extension';
import type { Photo } from '../../model/photo';
import type { Claim } from '../../store/attempts';
import { keepFiles } from '../../store/file-use';
import { namePhoto } from '../../store/outcomes';
import { shareFile } from '../../store/shared-files';

/** Stores a photo of the end of an attempt and names it in the attempt's outcome, which must be recorded already. */
export async function keepPhoto(
  { database, files, sharesFiles }: Pick<AgentContext, 'database' | 'files' | 'sharesFiles'>,
  claim: Claim,
  { bytes, type }: Photo,
): Promise<void> {
  const extension = photoExtension[type];
  const { sha256, path } = await files.put(Readable.from([bytes]), { extension, maxBytes: bytes.length });
  if (sharesFiles) await shareFile(database, sha256, path);
  await database.transaction(async (tx) => {
    await keepFiles(tx);
    // The same photo may exist already, and its file may just have been removed because of its age.
    if (await files.touch(sha256, extension)) await namePhoto(tx, claim, `${sha256}${extension}`);
  });
}
