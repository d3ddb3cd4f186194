import { type Archive, openArchive } from './archive';

const largestBytes = 8 * 1024 ** 2;
const longestEdge = 8192;

/** The picture in a member of an archive, undefined if it does not exist, is not a PNG or is too large to be shown. */
export async function pictureIn(
  archive: Archive,
  member: string,
): Promise<{ bytes: Buffer; width: number; height: number } | undefined> {
  const bytes = await archive.bytes(member, largestBytes);
  if (bytes === undefined || bytes.length < 24 || bytes.readUInt32BE(0) !== 0x89504e47) return undefined;
  const [width, height] = [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
  if (width < 1 || height < 1 || Math.max(width, height) > longestEdge) return undefined;
  return { bytes, width, height };
}

/**
 * The picture of a plate, as a PNG.
 *
 * @param path the archive
 * @param member `PlateAnalysis.picture`
 * @returns undefined if it does not exist, is not a PNG, is larger than 8 MB or has an edge of more than 8192 pixels
 * @throws UnreadableFileError if the archive is damaged
 */
export async function readPlatePicture(path: string, member: string): Promise<Buffer | undefined> {
  const archive = await openArchive(path);
  try {
    return (await pictureIn(archive, member))?.bytes;
  } finally {
    archive.close();
  }
}
