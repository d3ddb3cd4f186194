import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, PlatewiseError } from '../model/errors';
import type { Log } from '../model/log';
import type { Database } from '../store/database';
import { advanceMark, type FarmRow, lockFarm, markOf, setMark } from '../store/farm-epoch';
import type { Transaction } from '../store/queryable';

/** The consequences of a restored database. */
export interface Restored {
  /** Attempts that no agent had claimed. */
  withdrawn: number;
  /** Attempts with an unknown outcome. */
  outcomeUnknown: number;
  /** Jobs that were under way and are held until an operator releases them. */
  held: number;
  beds: number;
}

/** Makes a restored database safe to continue with; `lib/jobs/restored.ts`. */
export type AfterRestore = (tx: Transaction, actor: string, beyond?: number) => Promise<Restored>;

/** A data directory's record of the database that it was last used with; `epoch.json`. */
export interface EpochNote {
  /** The farm in the database. */
  farm: string;
  epoch: number;
  /** The data directory, among others of the same farm. */
  node: string;
  /** Its last count. The database's own count is never smaller, unless the database was restored. */
  mark: number;
}

/** The result of comparing a note with the database. */
export type EpochVerdict =
  /** No statement: there is no note, or it belongs to another farm. */
  | 'new'
  /** The database is the same, and not older. */
  | 'same'
  /** The database was restored, and the restore has been handled since. */
  | 'treated'
  /** The database is older than the note. */
  | 'restored';

/** Compares a note with the database: its farm, and its count for this data directory (undefined: the directory is unknown to it). */
export function judgeEpoch(
  note: EpochNote | undefined,
  farm: Pick<FarmRow, 'id' | 'epoch'>,
  mark: number | undefined,
): EpochVerdict {
  if (note === undefined || note.farm !== farm.id) return 'new';
  if (farm.epoch !== note.epoch) return farm.epoch > note.epoch ? 'treated' : 'restored';
  return mark === undefined || mark < note.mark ? 'restored' : 'same';
}

/** The database has been replaced since this process last checked: nothing may start on data that was read before. */
export class FarmRestoredError extends PlatewiseError {
  constructor() {
    super('The database was restored while the farm was running.', {
      code: 'farm_restored',
      retryable: true,
      remedy: 'Check the beds and report the outcome of the prints in question, as after every restore.',
    });
  }
}

/** How often the count advances without a start (ms). */
const beat = 60_000;

/**
 * Detects that the database was restored to an older state, by a count kept both in the database and in a file outside of it. It
 * advances with each intent to start a print, in the same transaction, and the file is written before the start is sent: a backup
 * that does not contain a start is behind the file. The file is written after the commit, so that a crash never puts it ahead.
 */
export class FarmEpoch {
  readonly #database: Database;
  readonly #path: string;
  readonly #log: Log;
  readonly #afterRestore: AfterRestore;
  #note: EpochNote | undefined;
  #timer: NodeJS.Timeout | undefined;
  #checking: Promise<Restored | undefined> | undefined;
  #writing: Promise<void> = Promise.resolve();

  constructor(options: { database: Database; dataDirectory: string; log: Log; afterRestore: AfterRestore }) {
    this.#database = options.database;
    this.#path = join(options.dataDirectory, 'epoch.json');
    this.#log = options.log;
    this.#afterRestore = options.afterRestore;
  }

  /** Checks whether the database was restored, and keeps checking until `close`. A read-only database is checked later. */
  async start(): Promise<void> {
    await this.#round();
    this.#timer = setInterval(() => void this.#round(), beat);
    this.#timer.unref();
  }

  /**
   * Compares the file with the database. After a restore, the state of prints and beds is discarded, once.
   * @returns the consequences, if the database was restored
   */
  check(): Promise<Restored | undefined> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /**
   * Advances the mark in the transaction of an intent to start.
   * @returns a function to call after its commit and before the start
   * @throws FarmRestoredError the database has been replaced
   */
  async remember(tx: Transaction): Promise<() => Promise<void>> {
    const note = this.#note;
    const mark = note && (await advanceMark(tx, note));
    if (note === undefined || mark === undefined) {
      // Only after this transaction has ended, because it may hold the locks that the round needs.
      setImmediate(() => void this.#round());
      throw new FarmRestoredError();
    }
    return () => this.#write({ ...note, mark });
  }

  /** Advances the count once more, so that every backup from before an orderly shutdown is behind. */
  async close(): Promise<void> {
    clearInterval(this.#timer);
    await this.#checking?.catch(() => undefined);
    const note = this.#note;
    const mark = note && (await advanceMark(this.#database, note).catch(() => undefined));
    if (note && mark !== undefined) await this.#write({ ...note, mark });
    await this.#writing;
  }

  /** Never rejects. */
  async #round(): Promise<void> {
    try {
      const note = this.#note;
      const mark = note && (await advanceMark(this.#database, note));
      if (note && mark !== undefined) await this.#write({ ...note, mark });
      else await this.check();
    } catch (error) {
      this.#log('warn', `The check whether the database was restored failed: ${asError(error).message}`);
    }
  }

  async #check(): Promise<Restored | undefined> {
    const known = this.#note ?? (await this.#read());
    const { note, done } = await this.#database.transaction(async (tx) => {
      let farm = await lockFarm(tx);
      const mark = known && (await markOf(tx, known.node));
      const verdict = judgeEpoch(known, farm, mark);
      const treated = verdict === 'restored' ? await this.#afterRestore(tx, 'farm', known?.epoch) : undefined;
      if (treated) farm = await lockFarm(tx);
      const next: EpochNote = {
        farm: farm.id,
        epoch: farm.epoch,
        node: known?.node ?? randomUUID(),
        mark: verdict === 'new' ? 1 : Math.max(mark ?? 0, known?.mark ?? 0) + 1,
      };
      await setMark(tx, next.node, next.mark);
      return { note: next, done: treated };
    });
    await this.#write(note);
    if (done) {
      this.#log(
        'warn',
        `The database is older than this data directory: it was restored. Attempts withdrawn: ${done.withdrawn}; with an unknown outcome: ${done.outcomeUnknown}; jobs held: ${done.held}; beds to check: ${done.beds}.`,
      );
    }
    return done;
  }

  async #read(): Promise<EpochNote | undefined> {
    try {
      const found: unknown = JSON.parse(await readFile(this.#path, 'utf8'));
      if (isNote(found)) return found;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    }
    this.#log('warn', `${this.#path} cannot be read. If the database was restored, run: platewise restored.`);
    return undefined;
  }

  /** Stores a note, unless a later one is stored already. A file that cannot be written must not stop the farm. */
  #write(note: EpochNote): Promise<void> {
    const last = this.#note;
    if (last && last.farm === note.farm && last.epoch === note.epoch && last.mark >= note.mark) return this.#writing;
    this.#note = note;
    this.#writing = this.#writing.then(async () => {
      const temporary = `${this.#path}.${randomUUID()}`;
      try {
        const file = await open(temporary, 'w', 0o600);
        try {
          await file.writeFile(`${JSON.stringify(note)}\n`);
          await file.sync();
        } finally {
          await file.close();
        }
        await rename(temporary, this.#path);
      } catch (error) {
        // The cause of the failed write may also prevent the removal.
        await rm(temporary, { force: true }).catch(() => undefined);
        this.#log(
          'warn',
          `${this.#path} cannot be written, so a restore may not be noticed: ${asError(error).message}`,
        );
      }
    });
    return this.#writing;
  }
}

function isNote(found: unknown): found is EpochNote {
  if (typeof found !== 'object' || found === null) return false;
  const { farm, epoch, node, mark } = found as Partial<Record<keyof EpochNote, unknown>>;
  return (
    typeof farm === 'string' &&
    typeof node === 'string' &&
    /^[0-9a-f-]{36}$/.test(node) &&
    Number.isSafeInteger(epoch) &&
    Number.isSafeInteger(mark)
  );
}
