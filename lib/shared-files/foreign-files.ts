import { setTimeout as pause } from 'node:timers/promises';
import type { Farm } from '../farm/farm';
import { type PrintExtension, printExtensionOf } from '../files/file-store';
import { asError } from '../model/errors';
import { notify } from '../store/database';
import { isShared, shareFile } from '../store/shared-files';
import { localCopy } from './local-copy';

/** How long to wait for a file that another process may have, and how often to check (ms). */
const waitMs = 3000;
const lookMs = 100;
/** The prefix of the notification that requests a file. */
const question = 'file:';

interface StoredName {
  sha256: string;
  extension: PrintExtension;
}

/** Parses a path that a node of the API has issued; undefined if it is not one. */
function storedName(path: string): StoredName | undefined {
  const [, folder, sha256, rest] = /[\\/]sha256[\\/]([0-9a-f]{2})[\\/]([0-9a-f]{64})(\.[a-z0-9.]+)$/.exec(path) ?? [];
  const extension = rest === undefined ? undefined : printExtensionOf(rest);
  if (sha256 === undefined || extension === undefined || extension !== rest) return undefined;
  return folder === sha256.slice(0, 2) ? { sha256, extension } : undefined;
}

/**
 * Returns the path on this machine of a file that a submitter named. A file that was uploaded to an API node with another data directory is
 * fetched through the database, by its content; if the database does not hold it any more, its holder is asked to share it again.
 * @throws the errors of `files.resolve`: no process has the file, or its path is not allowed
 */
export async function findFile(farm: Farm, path: string): Promise<string> {
  try {
    return await farm.files.resolve(path);
  } catch (error) {
    const name = farm.sharesFiles ? storedName(path) : undefined;
    if (!name) throw error;
    const { sha256, extension } = name;
    const own = farm.files.pathOf(sha256, extension);
    if (await farm.files.touch(sha256, extension)) return own;
    if (!(await becomesShared(farm, name))) throw error;
    return localCopy(farm, sha256, extension);
  }
}

/** Whether a file is in the database, or is put there by a process that has it. */
async function becomesShared(farm: Farm, { sha256, extension }: StoredName): Promise<boolean> {
  if (await isShared(farm.database, sha256)) return true;
  await notify(farm.database, `${question}${sha256}${extension}`);
  for (const end = performance.now() + waitMs; performance.now() < end; ) {
    await pause(lookMs);
    if (await isShared(farm.database, sha256)) return true;
  }
  return false;
}

/** Shares the files of this node that other nodes of the API request, through the database. Returns a function that ends it. */
export function offerFiles(farm: Farm): Promise<() => void> {
  return farm.database.listen((payload) => {
    const wanted = payload.startsWith(question) ? /^([0-9a-f]{64})(\.[a-z0-9.]+)$/.exec(payload.slice(5)) : null;
    const extension = printExtensionOf(wanted?.[2] ?? '');
    if (wanted?.[1] === undefined || extension === undefined) return;
    offer(farm, wanted[1], extension).catch((error: unknown) => {
      farm.log('warn', `A file requested by another node could not be shared: ${asError(error).message}`);
    });
  });
}

async function offer(farm: Farm, sha256: string, extension: PrintExtension): Promise<void> {
  if (!(await farm.files.touch(sha256, extension))) return;
  await shareFile(farm.database, sha256, farm.files.pathOf(sha256, extension));
}
