import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { type FileHandle, mkdir, open, readdir } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { FileStore } from '../files/file-store';
import { migrationsOf, rowsOf, sequencesOf, tablesOf } from '../store/copy';
import { type Database, databaseNow } from '../store/database';
import { filesInUse } from '../store/file-use';
import { BackupError, type BackupManifest, type BackupPart, manifestName } from './backup-format';

/** Longer than any farm keeps files: every stored file that belongs to a job is backed up (days). */
const keptDays = 36_500;

/**
 * Writes a consistent copy of the farm's database and the files in use into a new directory, while the farm may be running.
 * Only its user can read it: it holds models, and digests of keys, but no key.
 *
 * @throws BackupError the directory is not empty, or there is no farm in the database
 */
export async function backUp(
  database: Database,
  files: Pick<FileStore, 'list'>,
  directory: string,
): Promise<{ tables: number; files: number; bytes: number }> {
  await makeEmptyDirectory(directory);
  const stored = new Map<string, string>();
  const parts: BackupPart[] = [];
  const { manifest, used } = await database.read(async (tx) => {
    const tables = await tablesOf(tx);
    if (!tables.includes('print_jobs')) {
      throw new BackupError(
        'There is no farm in this database.',
        'database_empty',
        'Check DATABASE_URL and PLATEWISE_DATA; the farm must have been started once.',
      );
    }
    // Listed after the tables, which fix the moment: every file that a job of that moment names is stored by now.
    for await (const { sha256, path } of files.list()) stored.set(sha256, path);
    parts.length = 0;
    for (const table of tables)
      parts.push(await write(directory, `database/${table}.jsonl`, linesOf(rowsOf(tx, table))));
    const made: Omit<BackupManifest, 'parts'> = {
      format: 1,
      made_at: new Date(await databaseNow(tx)).toISOString(),
      schema: await migrationsOf(tx),
      sequences: await sequencesOf(tx),
    };
    return { manifest: made, used: await filesInUse(tx, [...stored.keys()], keptDays) };
  });
  const tables = parts.length;
  for (const sha256 of used) {
    const path = stored.get(sha256);
    const part = path && (await copyOf(directory, path));
    if (part) parts.push(part);
  }
  // A directory without a manifest is not a backup.
  const text = `${JSON.stringify({ ...manifest, parts } satisfies BackupManifest, null, 2)}\n`;
  await write(directory, manifestName, [Buffer.from(text)]);
  const bytes = parts.reduce((sum, part) => sum + part.bytes, 0);
  return { tables, files: parts.length - tables, bytes };
}

async function makeEmptyDirectory(directory: string): Promise<void> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  if ((await readdir(directory)).length === 0) return;
  throw new BackupError(
    `${directory} is not empty. Nothing was written.`,
    'backup_exists',
    'Name a directory that does not exist yet.',
  );
}

async function* linesOf(batches: AsyncIterable<string[]>): AsyncGenerator<Buffer> {
  for await (const lines of batches) yield Buffer.from(`${lines.join('\n')}\n`);
}

/** Copies a stored file; undefined: it was removed in the meantime, so it was not needed any more. */
async function copyOf(directory: string, path: string): Promise<BackupPart | undefined> {
  try {
    return await write(directory, `files/${basename(path)}`, createReadStream(path));
  } catch (error) {
    const { code, path: missing } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' && missing === path) return undefined;
    throw error;
  }
}

async function write(
  directory: string,
  path: string,
  content: AsyncIterable<Buffer> | Iterable<Buffer>,
): Promise<BackupPart> {
  const target = join(directory, path);
  await mkdir(dirname(target), { recursive: true, mode: 0o700 });
  let file: FileHandle | undefined;
  const hash = createHash('sha256');
  let bytes = 0;
  try {
    for await (const chunk of content) {
      file ??= await open(target, 'w', 0o600);
      hash.update(chunk);
      bytes += chunk.length;
      await file.writeFile(chunk);
    }
    file ??= await open(target, 'w', 0o600);
    await file.sync();
  } finally {
    await file?.close();
  }
  return { path, bytes, sha256: hash.digest('hex') };
}
