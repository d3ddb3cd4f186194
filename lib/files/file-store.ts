import { createHash, randomUUID } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { mkdir, open, readdir, realpath, rename, rm, stat, utimes } from 'node:fs/promises';
import { basename, dirname, isAbsolute, join, relative, resolve } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { NotFoundError, PlatewiseError } from '../model/errors';

/** The endings of what is printed; everything else of a name is forgotten. */
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

/** Where files are kept, each under its SHA-256. */
export interface FileStore {
  /**
   * Keeps the bytes of a stream. Either the whole file is there afterwards, safe from a power cut, or nothing is.
   *
   * @throws FileStoreError `file_too_large`
   */
  put(stream: Readable, options: { extension: StoredExtension; maxBytes: number }): Promise<StoredFile>;
  /** The path of a stored file; says nothing of whether it exists. */
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
  /** Marks a stored file as used now, so that it counts as new; false if it is not there. */
  touch(sha256: string, extension: StoredExtension): Promise<boolean>;
  /**
   * Removes what was left half received by a process that is gone: what nobody has written to since a moment (ms since
   * 1970). Returns how many files.
   */
  sweepIncoming(before: number): Promise<number>;
  /**
   * Removes a stored file; nothing if it is gone already.
   *
   * @throws FileStoreError `bad_file_address` when it is no file of this store
   */
  remove(path: string): Promise<void>;
}

/** The file store refuses. */
export class FileStoreError extends PlatewiseError {
  constructor(message: string, code: string, remedy: string) {
    super(message, { code, remedy });
  }
}

/** The stored ending of a file name, undefined if it is none that Platewise prints. */
export function printExtensionOf(name: string): PrintExtension | undefined {
  const lowerCase = name.toLowerCase();
  return printExtensions.find((extension) => lowerCase.endsWith(extension));
}

/** A file store in a folder of this machine. */
export class LocalFileStore implements FileStore {
  private readonly root: string;
  private readonly permitted: readonly string[];

  /** `permittedRoots` are further folders from which a submitter may name files; relative names mean files of the root. */
  constructor(rootDirectory: string, permittedRoots: readonly string[] = []) {
    this.root = resolve(rootDirectory);
    this.permitted = permittedRoots.map((directory) => resolve(directory));
  }

  async put(stream: Readable, options: { extension: StoredExtension; maxBytes: number }): Promise<StoredFile> {
    const incoming = join(this.root, 'incoming');
    await mkdir(incoming, { recursive: true });
    const temporary = join(incoming, randomUUID());
    try {
      const { sha256, sizeBytes } = await receive(stream, temporary, options.maxBytes);
      const path = this.pathOf(sha256, options.extension);
      const directory = join(path, '..');
      await mkdir(directory, { recursive: true });
      await rename(temporary, path);
      await syncDirectory(directory);
      return { sha256, path, sizeBytes };
    } finally {
      await rm(temporary, { force: true });
    }
  }

  pathOf(sha256: string, extension: StoredExtension): string {
    if (!/^[0-9a-f]{64}$/.test(sha256) || !extensions.includes(extension)) {
      throw badAddress();
    }
    return join(this.root, 'sha256', sha256.slice(0, 2), `${sha256}${extension}`);
  }

  async resolve(path: string): Promise<string> {
    const real = await realPathOf(isAbsolute(path) ? path : join(this.root, path), path);
    for (const directory of [this.root, ...this.permitted]) {
      const realDirectory = await realpath(directory).catch(() => undefined);
      if (realDirectory === undefined || !contains(realDirectory, real)) continue;
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
    await rm(path, { force: true });
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
  if (path.includes('\0')) throw outside(asNamed);
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
): Promise<{ sha256: string; sizeBytes: number }> {
  const file = await open(path, 'wx');
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
      hash.update(bytes);
      await file.writeFile(bytes);
    }
    await file.sync();
  } finally {
    await file.close();
  }
  return { sha256: hash.digest('hex'), sizeBytes };
}

/** Makes a rename safe from a power cut; not every system can. */
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
