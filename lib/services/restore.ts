import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  BackupError,
  type BackupManifest,
  damaged,
  manifestName,
  parseManifest,
  storedFileOf,
  tableOf,
} from '../farm/backup-format';
import type { Restored } from '../farm/epoch';
import { type FileStore, storedExtensionOf } from '../files/file-store';
import { afterRestore } from '../jobs/restored';
import {
  createSchema,
  deferReferences,
  dropSchema,
  emptySchema,
  emptyTables,
  filler,
  hasTables,
  moveSchema,
  pauseTriggers,
  printerIds,
  setSequence,
  tablesOf,
} from '../store/copy';
import { Database } from '../store/database';
import { lockFarm } from '../store/farm-epoch';
import { knownMigrations, migrate, SchemaTooNewError } from '../store/migrate';
import type { Transaction } from '../store/queryable';
import { isHeld } from '../store/session-locks';
import { relayLock } from './relay';

/** Size of a batch of rows sent to the database (bytes). */
const batchBytes = 4 * 1024 * 1024;

/**
 * Restores a farm from a backup. The backup is verified completely before anything changes. The rows are then loaded into a new schema
 * beside the existing one, migrated, and swapped in with one transaction, which also makes them safe to continue with (`afterRestore`).
 *
 * @throws BackupError the backup is damaged, the database is not empty, or its farm is running
 * @throws SchemaTooNewError the backup was made by a newer version
 */
export async function restore(
  database: Database,
  files: Pick<FileStore, 'put'>,
  directory: string,
  { replace, actor }: { replace: boolean; actor: string },
): Promise<Restored & { files: number; madeAt: string }> {
  const manifest = await verify(directory);
  await refuseUnlessFree(database, replace);
  const schema = `${database.schema}_restoring`;
  const aside = new Database({ connection: database.connection, schema, poolSize: 2, onProblem: () => undefined });
  try {
    await dropSchema(database, schema);
    await migrate(aside, manifest.schema.length);
    await fill(aside, directory, manifest);
    await migrate(aside);
    const restoredFiles = await restoreFiles(files, directory, manifest);
    // Loading takes a while, during which the farm may have been started.
    await refuseUnlessFree(database, replace);
    const done = await inOneTransaction(database, async (tx) => {
      await createSchema(tx, database.schema);
      await emptySchema(tx, database.schema);
      await moveSchema(tx, schema, database.schema);
      await lockFarm(tx);
      return afterRestore(tx, actor);
    });
    return { ...done, files: restoredFiles, madeAt: manifest.made_at };
  } catch (error) {
    await dropSchema(database, schema).catch(() => undefined);
    throw error;
  } finally {
    await aside.close();
  }
}

/** Reads every part of a backup and verifies its size and digest. @throws BackupError */
async function verify(directory: string): Promise<BackupManifest> {
  const text = await readFile(join(directory, manifestName), 'utf8').catch(() => {
    throw damaged(`there is no ${manifestName} in ${directory}`);
  });
  const manifest = parseManifest(text);
  const known = knownMigrations();
  const newer = manifest.schema.find((name) => !known.includes(name));
  if (newer !== undefined) throw new SchemaTooNewError(newer, 'The backup');
  if (manifest.schema.length === 0 || manifest.schema.some((name, index) => known[index] !== name)) {
    throw damaged('its schema version never existed');
  }
  for (const { path, bytes, sha256 } of manifest.parts) {
    const hash = createHash('sha256');
    let size = 0;
    try {
      for await (const chunk of createReadStream(join(directory, path)) as AsyncIterable<Buffer>) {
        hash.update(chunk);
        size += chunk.length;
      }
    } catch {
      throw damaged(`${path} cannot be read`);
    }
    if (size !== bytes || hash.digest('hex') !== sha256) throw damaged(`${path} does not match the manifest`);
  }
  return manifest;
}

async function refuseUnlessFree(database: Database, replace: boolean): Promise<void> {
  if (!(await hasTables(database, database.schema))) return;
  if (!replace) {
    throw new BackupError(
      'The database is not empty. Nothing was changed.',
      'database_not_empty',
      'Restore into a new database, or replace the existing farm: --replace.',
    );
  }
  if (!(await tablesOf(database)).includes('printers')) return;
  const names = [relayLock, ...(await printerIds(database)).map((id) => `printer ${id}`)];
  for (const name of names) {
    if (!(await isHeld(database, name))) continue;
    throw new BackupError(
      'The farm is running on this database. Nothing was changed.',
      'farm_running',
      'Stop every Node-RED of the farm, then restore.',
    );
  }
}

/** Fills a schema of the backup's version with its rows. */
async function fill(aside: Database, directory: string, manifest: BackupManifest): Promise<void> {
  await inOneTransaction(aside, async (tx) => {
    const tables = await tablesOf(tx);
    const checkReferences = await deferReferences(tx);
    const watchAgain = await pauseTriggers(tx, tables);
    await emptyTables(tx, tables);
    for (const table of tables) {
      const part = manifest.parts.find(({ path }) => tableOf(path) === table);
      if (part === undefined) throw damaged(`the table ${table} is missing`);
      await fillTable(await filler(tx, table), join(directory, part.path));
    }
    for (const [name, last] of Object.entries(manifest.sequences)) await setSequence(tx, name, last);
    await checkReferences();
    await watchAgain();
  });
}

async function fillTable(put: (lines: readonly string[]) => Promise<void>, path: string): Promise<void> {
  let lines: string[] = [];
  let bytes = 0;
  for await (const line of linesOf(path)) {
    lines.push(line);
    bytes += line.length;
    if (bytes < batchBytes) continue;
    await put(lines);
    lines = [];
    bytes = 0;
  }
  if (lines.length > 0) await put(lines);
}

/** Yields the lines of a file. Only a line feed ends a line: other separators are part of a text. */
async function* linesOf(path: string): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of createReadStream(path, { encoding: 'utf8' }) as AsyncIterable<string>) {
    const lines = `${rest}${chunk}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}

async function restoreFiles(
  files: Pick<FileStore, 'put'>,
  directory: string,
  manifest: BackupManifest,
): Promise<number> {
  let restored = 0;
  for (const { path, bytes } of manifest.parts) {
    const extension = storedExtensionOf(storedFileOf(path)?.extension ?? '');
    if (extension === undefined) continue;
    await files.put(createReadStream(join(directory, path)), { extension, maxBytes: bytes });
    restored++;
  }
  return restored;
}

/** Runs one transaction on its own connection, whose statements have no time limit. */
async function inOneTransaction<Result>(
  database: Database,
  work: (tx: Transaction) => Promise<Result>,
): Promise<Result> {
  const client = await database.connect();
  try {
    await client.query('BEGIN');
    const tx: Transaction = { transaction: true, query: (sql, values) => client.query(sql, values as unknown[]) };
    const result = await work(tx);
    await client.query('COMMIT');
    return result;
  } catch (error) {
    await client.query('ROLLBACK').catch(() => undefined);
    throw database.explain(error);
  } finally {
    await client.end();
  }
}
