import { readFile } from 'node:fs/promises';
import type { Farm } from '../farm/farm';
import type { StoredExtension } from '../files/file-store';
import { NotFoundError, PlatewiseError } from '../model/errors';
import { type Photo, photoTypeOf } from '../model/photo';
import { localCopy } from '../shared-files/local-copy';
import { findJob } from '../store/jobs';
import { photosOf } from '../store/outcomes';

/**
 * Returns the camera photo of the end of a job's latest attempt that has one, or of the given attempt.
 * @throws NotFoundError there is no such job, or no photo
 */
export async function jobPhoto(farm: Farm, id: string, attemptId?: string): Promise<Photo> {
  const job = await findJob(farm.database, id);
  const photos = await photosOf(farm.database, job.id);
  const found = attemptId === undefined ? photos.at(-1) : photos.find((photo) => photo.attemptId === attemptId);
  const bytes = found && (await bytesOf(farm, found.reference));
  const type = bytes && photoTypeOf(bytes);
  if (bytes && type) return { bytes, type };
  const remedy = 'Printers with a camera take one at the end of every observed print; it is kept as long as files are.';
  throw attemptId === undefined
    ? new NotFoundError('photo of the job', id, remedy)
    : new NotFoundError('photo of the attempt', attemptId, remedy);
}

/** Returns undefined if the file is gone. */
async function bytesOf(farm: Farm, reference: string): Promise<Buffer | undefined> {
  const dot = reference.indexOf('.');
  try {
    const path = await localCopy(farm, reference.slice(0, dot), reference.slice(dot) as StoredExtension);
    return await readFile(path);
  } catch (error) {
    if (error instanceof PlatewiseError && error.code === 'file_not_available') return undefined;
    throw error;
  }
}
