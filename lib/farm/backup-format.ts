import { PlatewiseError } from '../model/errors';

/** One file of a backup. */
export interface BackupPart {
  /** Relative to the directory of the backup. */
  path: string;
  bytes: number;
  /** Lower-case hex. */
  sha256: string;
}

/** The content of a backup: `manifest.json`, which is written last. */
export interface BackupManifest {
  format: 1;
  made_at: string;
  /** The migrations of the database, oldest first: its version. */
  schema: string[];
  /** The last value of each sequence. */
  sequences: Record<string, number>;
  parts: BackupPart[];
}

export const manifestName = 'manifest.json';

/** A backup cannot be made or used. Nothing was changed. */
export class BackupError extends PlatewiseError {
  constructor(
    message: string,
    code: 'backup_damaged' | 'backup_exists' | 'database_not_empty' | 'database_empty' | 'farm_running',
    remedy: string,
  ) {
    super(message, { code, remedy });
  }
}

/** The error of a backup that has changed since it was made. */
export const damaged = (what: string): BackupError =>
  new BackupError(
    `The backup is damaged: ${what}. Nothing was changed.`,
    'backup_damaged',
    'Use another backup, or another copy of this one.',
  );

/** Returns the table whose rows a part holds; undefined if it holds none. */
export const tableOf = (path: string): string | undefined => /^database\/([a-z_]+)\.jsonl$/.exec(path)?.[1];

/** Returns the hash and the ending of the stored file in a part; undefined if the part is none. */
export function storedFileOf(path: string): { sha256: string; extension: string } | undefined {
  const [, sha256, extension] = /^files\/([0-9a-f]{64})(\.[a-z0-9.]{1,12})$/.exec(path) ?? [];
  return sha256 === undefined || extension === undefined ? undefined : { sha256, extension };
}

/**
 * Parses the manifest of a backup.
 * @throws BackupError it is not a valid manifest
 */
export function parseManifest(text: string): BackupManifest {
  let found: Partial<Record<keyof BackupManifest, unknown>>;
  try {
    const parsed: unknown = JSON.parse(text);
    found = typeof parsed === 'object' && parsed !== null ? parsed : {};
  } catch {
    throw damaged(`${manifestName} cannot be read`);
  }
  const { format, made_at, schema, sequences, parts } = found;
  if (format !== 1) throw damaged(`its format is ${JSON.stringify(format)}, not 1`);
  const isWhole =
    typeof made_at === 'string' &&
    Array.isArray(schema) &&
    schema.every((name) => typeof name === 'string') &&
    typeof sequences === 'object' &&
    sequences !== null &&
    Object.values(sequences).every((last) => Number.isSafeInteger(last)) &&
    Array.isArray(parts) &&
    parts.every(isPart);
  if (!isWhole) throw damaged(`${manifestName} is incomplete`);
  return found as BackupManifest;
}

function isPart(found: unknown): found is BackupPart {
  if (typeof found !== 'object' || found === null) return false;
  const { path, bytes, sha256 } = found as Partial<Record<keyof BackupPart, unknown>>;
  if (typeof path !== 'string' || !Number.isSafeInteger(bytes) || typeof sha256 !== 'string') return false;
  const file = storedFileOf(path);
  return file === undefined ? tableOf(path) !== undefined : file.sha256 === sha256;
}
