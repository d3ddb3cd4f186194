import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NotFoundError, PlatewiseError } from '../model/errors';

/** The extensions of print files that are kept; the rest of a name is dropped. */
const printExtensions = ['.gcode.3mf', '.gcode', '.3mf', '.stl'] as const;
const extensions = [...printExtensions, '.jpg', '.png'] as const;
export type PrintExtension = (typeof printExtensions)[number];
export type StoredExtension = (typeof extensions)[number];

export interface StoredFile {
  /** Lower-case hex. */
  sha256: string;
  path: string;
  sizeBytes: number;
}

/** The storage settings of a file. */
export interface PutOptions {
  extension: StoredExtension;
  maxBytes: number;
  /** The limit for the total size of all files; absent: the disk's capacity. */
  quotaBytes?: number | undefined;
}

/** A store for files, each under its SHA-256. */
export interface FileStore {
  /** Stores the bytes of a stream. Afterwards either the complete file exists, safe from a power cut, or nothing does.
   *
   * @throws FileStoreError `file_too_large`; `storage_full` when all files together would be larger than `quotaBytes`
   */
  put(stream: Readable, options: PutOptions): Promise<StoredFile>;
  /** The path of a stored file, whether or not it exists. */
  pathOf(sha256: string, extension: StoredExtension): string;
  /**
   * The real path of a file that a submitter named.
   *
   * @throws FileStoreError `outside_file_roots` when it lies outside of the permitted folders
   * @throws NotFoundError when there is no such file
   */
  resolve(path: string): Promise<string>;
  /** SHA-256 of a file, lower-case hex. */
  hash(path: string): Promise<string>;
  /** All stored files; times are ms since 1970. */
  list(): AsyncIterable<{ sha256: string; path: string; modifiedAt: number }>;
  /** Marks a stored file as used now, so that it counts as new; false if it does not exist. */
  touch(sha256: string, extension: StoredExtension): Promise<boolean>;
  /**
   * Removes partial files of ended processes: those not written to since a time (ms since 1970). Returns their number.
   */
  sweepIncoming(before: number): Promise<number>;
  /** Removes a stored file; does nothing if it is already gone.
   *
   * @throws FileStoreError `bad_file_address` when the file is not in this store */
  remove(path: string): Promise<void>;
}

/** A rejection by the file store. */
export class FileStoreError extends PlatewiseError {
  constructor(message: string, code: string, remedy: string) {
    super(message, { code, remedy });
  }
}

/** Only the farm's user may read models. */
const privateFile = 0o600;
const privateFolder = 0o700;

/** The stored extension of a file name; undefined if Platewise does not print such files. */
export function printExtensionOf(name: string): PrintExtension | undefined {
  const lowerCase = name.toLowerCase();
  return printExtensions.find((extension) => lowerCase.endsWith(extension));
}

/** The extension of a stored file; undefined if it is not a known one. */
export function storedExtensionOf(ending: string): StoredExtension | undefined {
  return extensions.find((extension) => extension === ending);
}

/** A file store in a directory on this machine. */
export class LocalFileStore implements FileStore {
  private readonly root: string;
  private readonly permitted: readonly string[];
  /** Bytes of all files, including incoming ones; undefined until first needed. */
  private usedBytes: number | undefined;

  /**
   * `permittedRoots` are further folders from which a submitter may name files; relative names refer to files of the root.
   */
  constructor(rootDirectory: string, permittedRoots: readonly string[] = []) {
    this.root = resolve(rootDirectory);
    this.permitted = permittedRoots.map((directory) => resolve(directory));
  }

  async put(stream: Readable, { extension, maxBytes, quotaBytes }: PutOptions): Promise<StoredFile> {
    const incoming = join(this.root, 'incoming');
    await mkdir(incoming, { recursive: true, mode: privateFolder });
    const temporary = join(incoming, randomUUID());
    if (quotaBytes !== undefined) await this.makeSureOfRoom(0, quotaBytes);
    let taken = 0;
    const take = async (bytes: number): Promise<void> => {
      taken += bytes;
      this.count(bytes);
      if (quotaBytes !== undefined) await this.makeSureOfRoom(taken, quotaBytes);
    };
    try {
      const { sha256, sizeBytes } = await receive(stream, temporary, maxBytes, take);
      const path = this.pathOf(sha256, extension);
      const directory = join(path, '..');
      await mkdir(directory, { recursive: true, mode: privateFolder });
      const before = await stat(path).catch(() => undefined);
      await rename(temporary, path);
      taken = before?.size ?? 0;
      await syncDirectory(directory);
      return { sha256, path, sizeBytes };
    } finally {
      // A failed upload uses no space, nor does a file that already existed.
      this.count(-taken);
      await rm(temporary, { force: true });
    }
  }

  private count(bytes: number): void {
    if (this.usedBytes !== undefined) this.usedBytes += bytes;
  }

  /** Files may have been deleted by hand, so the total is counted again before an upload is rejected. */
  private async makeSureOfRoom(underWay: number, quotaBytes: number): Promise<void> {
    if (this.usedBytes !== undefined && this.usedBytes <= quotaBytes) return;
    let total = underWay;
    for await (const { path } of this.list()) total += (await stat(path).catch(() => undefined))?.size ?? 0;
    this.usedBytes = total;
    if (total <= quotaBytes) return;
    throw new FileStoreError(
      `The files that are kept have more than ${quotaBytes} bytes already.`,
      'storage_full',
      'Wait until files of ended jobs are removed, keep them for fewer days, or raise PLATEWISE_FILES_GIGABYTES.',
    );
  }

  pathOf(sha256: string, extension: StoredExtension): string {
    if (!/^[0-9a-f]{64}$/.test(sha256) || !extensions.includes(extension)) {
      throw badAddress();
    }
    return join(this.root, 'sha256', sha256.slice(0, 2), `${sha256}${extension}`);
  }

  async resolve(path: string): Promise<string> {
    if (path.includes('\0')) throw outside(path);
    const named = resolve(this.root, path);
    const folders: { named: string; real: string }[] = [];
    for (const directory of [this.root, ...this.permitted]) {
      const real = await realpath(directory).catch(() => undefined);
      if (real !== undefined) folders.push({ named: directory, real });
    }
    // Paths elsewhere are not even checked, so that the answer does not reveal whether they exist.
    const isInside = folders.some((one) => contains(one.named, named) || contains(one.real, named));
    if (!isInside) throw outside(path);
    const real = await realPathOf(named, path);
    for (const folder of folders) {
      if (!contains(folder.real, real)) continue;
      if (!(await stat(real)).isFile()) throw new NotFoundError('file', path);
      return real;
    }
    throw outside(path);
  }

  async *list(): AsyncGenerator<{ sha256: string; path: string; modifiedAt: number }> {
    const root = join(this.root, 'sha256');
    for (const folder of await readdir(root).catch(() => [])) {
      for (const name of await readdir(join(root, folder)).catch(() => [])) {
        const sha256 = /^([0-9a-f]{64})\./.exec(name)?.[1];
        const path = join(root, folder, name);
        const found = sha256 === undefined ? undefined : await stat(path).catch(() => undefined);
        if (sha256 !== undefined && found?.isFile()) yield { sha256, path, modifiedAt: found.mtimeMs };
      }
    }
  }

  async touch(sha256: string, extension: StoredExtension): Promise<boolean> {
    const now = new Date();
    return utimes(this.pathOf(sha256, extension), now, now).then(
      () => true,
      () => false,
    );
  }

  async remove(path: string): Promise<void> {
    const name = basename(path);
    if (dirname(path) !== join(this.root, 'sha256', name.slice(0, 2)) || !/^[0-9a-f]{64}\.[a-z0-9.]+$/.test(name)) {
      throw badAddress();
    }
    const size = (await stat(path).catch(() => undefined))?.size ?? 0;
    await rm(path, { force: true });
    this.count(-size);
  }

  async sweepIncoming(before: number): Promise<number> {
    const incoming = join(this.root, 'incoming');
    let removed = 0;
    for (const name of await readdir(incoming).catch(() => [])) {
      const path = join(incoming, name);
      const found = await stat(path).catch(() => undefined);
      if (!found?.isFile() || found.mtimeMs >= before) continue;
      await rm(path, { force: true });
      removed++;
    }
    return removed;
  }

  async hash(path: string): Promise<string> {
    const hash = createHash('sha256');
    await pipeline(createReadStream(path, { highWaterMark: 256 * 1024 }), hash);
    return hash.digest('hex');
  }
}

async function realPathOf(path: string, asNamed: string): Promise<string> {
  try {
    return await realpath(path);
  } catch {
    throw new NotFoundError('file', asNamed);
  }
}

function contains(directory: string, path: string): boolean {
  const way = relative(directory, path);
  return way !== '' && !way.startsWith('..') && !isAbsolute(way);
}

function badAddress(): FileStoreError {
  return new FileStoreError(
    'This is no address of a stored file.',
    'bad_file_address',
    'Give a SHA-256 in lower-case hex.',
  );
}

function outside(path: string): FileStoreError {
  return new FileStoreError(
    `"${path}" lies outside of the folders that jobs may name.`,
    'outside_file_roots',
    'Upload the file, or put it into one of the configured file roots.',
  );
}

async function receive(
  stream: Readable,
  path: string,
  maxBytes: number,
  take: (bytes: number) => Promise<void>,
): Promise<{ sha256: string; sizeBytes: number }> {
  const file = await open(path, 'wx', privateFile);
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    for await (const chunk of stream) {
      const bytes = chunk as Buffer;
      sizeBytes += bytes.length;
      if (sizeBytes > maxBytes) {
        throw new FileStoreError(
          `The file is larger than ${maxBytes} bytes.`,
          'file_too_large',
          'Simplify the model, or raise the limit for uploads.',
        );
      }
      await take(bytes.length);
      hash.update(bytes);
      await file.writeFile(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Makes a rename durable across a power cut; not every system can. */
async function syncDirectory(directory: string): Promise<void> {
  try {
    const handle = await open(directory, 'r');
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  } catch {
    // Windows cannot open folders; its rename is durable enough.
  }
}
