import type { Readable } from 'node:stream';
import * as yauzl from 'yauzl';
import { crc32 } from './crc32';
import { UnreadableFileError } from './unreadable';

const maximumEntries = 10_000;
const maximumInflatedBytes = 1024 ** 3;
/** The limits for inflating an archive: a base, plus a multiple of its size; real models inflate 5 to 30 times. */
const freeInflatedBytes = 32 * 1024 ** 2;
const maximumRatio = 40;
const remedy = 'Export the file again from the program that made it.';

/** A ZIP archive whose directory has been checked against bombs and odd names. Nothing is ever unpacked to disk. */
export interface Archive {
  /** Bytes of the archive itself. */
  sizeBytes: number;
  /** Names as stored. */
  names: string[];
  has(name: string): boolean;
  /**
   * The inflated bytes of an entry, in chunks. Fails if there are more than its directory entry states, and at the
   * end if their CRC-32 differs: a caller that reads to the end has the original bytes.
   *
   * @throws UnreadableFileError
   */
  read(name: string): AsyncGenerator<Buffer>;
  /**
   * A small entry as UTF-8 text, undefined if it does not exist.
   *
   * @throws UnreadableFileError also when it is larger
   */
  text(name: string, maxBytes?: number): Promise<string | undefined>;
  /** The bytes of an entry, undefined if it does not exist or is larger than `maxBytes`. */
  bytes(name: string, maxBytes: number): Promise<Buffer | undefined>;
  close(): void;
}

/**
 * Opens a ZIP archive; part names are compared without case and without a leading slash, as OPC prescribes.
 *
 * @throws UnreadableFileError when it is not a ZIP, is encrypted, has duplicate or unsafe names, or would inflate too far
 */
export async function openArchive(path: string): Promise<Archive> {
  const zip = await openZip(path);
  try {
    const entries = await readDirectory(zip);
    return archiveOf(zip, entries);
  } catch (error) {
    zip.close();
    throw error;
  }
}

function openZip(path: string): Promise<yauzl.ZipFile> {
  return new Promise((resolve, reject) => {
    yauzl.open(path, { lazyEntries: true, autoClose: false }, (error, zip) => {
      if (error) reject(new UnreadableFileError(`it is not a sound ZIP archive (${error.message})`, remedy));
      else resolve(zip);
    });
  });
}

const keyOf = (name: string) => name.replace(/^\//, '').toLowerCase();

function readDirectory(zip: yauzl.ZipFile): Promise<Map<string, yauzl.Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, yauzl.Entry>();
    let inflated = 0;
    const mostInflated = Math.min(maximumInflatedBytes, freeInflatedBytes + maximumRatio * zip.fileSize);
    const refuse = (reason: string) => reject(new UnreadableFileError(reason, remedy));
    if (zip.entryCount > maximumEntries) return refuse(`the archive has more than ${maximumEntries} entries`);
    zip.on('error', (error: Error) => refuse(`the archive is damaged or unsafe (${error.message})`));
    zip.on('end', () => resolve(entries));
    zip.on('entry', (entry: yauzl.Entry) => {
      const key = keyOf(entry.fileName);
      inflated += entry.uncompressedSize;
      if (entries.size >= maximumEntries) return refuse(`the archive has more than ${maximumEntries} entries`);
      if (entries.has(key)) return refuse(`the archive holds "${entry.fileName}" twice`);
      if (entry.isEncrypted()) return refuse('the archive is encrypted');
      if (inflated > mostInflated) {
        return refuse(
          `the archive inflates more than ${Math.round(mostInflated / 1024 ** 2)} MB, too far for its size`,
        );
      }
      if (!entry.fileName.endsWith('/')) entries.set(key, entry);
      zip.readEntry();
    });
    zip.readEntry();
  });
}

function archiveOf(zip: yauzl.ZipFile, entries: Map<string, yauzl.Entry>): Archive {
  const read = (name: string): AsyncGenerator<Buffer> => {
    const entry = entries.get(keyOf(name));
    if (!entry) throw new UnreadableFileError(`the archive has no part "${name}"`, remedy);
    return piecesOf(zip, entry);
  };
  const bytes = async (name: string, maxBytes: number): Promise<Buffer | undefined> => {
    if ((entries.get(keyOf(name))?.uncompressedSize ?? Number.POSITIVE_INFINITY) > maxBytes) return undefined;
    const pieces: Buffer[] = [];
    for await (const piece of read(name)) pieces.push(piece);
    return Buffer.concat(pieces);
  };
  return {
    sizeBytes: zip.fileSize,
    names: [...entries.values()].map((entry) => entry.fileName),
    has: (name) => entries.has(keyOf(name)),
    read,
    async text(name, maxBytes = 4 * 1024 ** 2) {
      const entry = entries.get(keyOf(name));
      if (!entry) return undefined;
      if (entry.uncompressedSize > maxBytes) throw new UnreadableFileError(`"${name}" is too large`, remedy);
      return (await bytes(name, maxBytes))?.toString('utf8');
    },
    bytes,
    close: () => zip.close(),
  };
}

async function* piecesOf(zip: yauzl.ZipFile, entry: yauzl.Entry): AsyncGenerator<Buffer> {
  let sum = 0;
  try {
    for await (const piece of await openStream(zip, entry)) {
      sum = crc32(piece as Buffer, sum);
      yield piece as Buffer;
    }
  } catch (error) {
    throw new UnreadableFileError(`"${entry.fileName}" cannot be unpacked (${(error as Error).message})`, remedy);
  }
  // yauzl leaves this check to its callers.
  if (sum !== entry.crc32) {
    throw new UnreadableFileError(`"${entry.fileName}" is damaged (its CRC-32 does not match)`, remedy);
  }
}

function openStream(zip: yauzl.ZipFile, entry: yauzl.Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error) reject(error);
      else resolve(stream);
    });
  });
}
