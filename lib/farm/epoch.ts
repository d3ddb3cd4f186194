import { randomUUID } from 'node:crypto';
import { open, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { asError, PlatewiseError } from '../model/errors';
import type { Log } from '../model/log';
import type { Database } from '../store/database';
import { advanceMark, type FarmRow, lockFarm, markOf, setMark } from '../store/farm-epoch';
import type { Transaction } from '../store/queryable';

/** What was done to a database that was restored. */
export interface Restored {
  /** Attempts that nobody had claimed. */
  withdrawn: number;
  /** Attempts of which nobody knows what became of them. */
  outcomeUnknown: number;
  /** Jobs that were under way and do not go on until somebody lets them. */
  held: number;
  beds: number;
}

/** Makes a restored database safe to go on with; `lib/jobs/restored.ts`. */
export type AfterRestore = (tx: Transaction, actor: string, beyond?: number) => Promise<Restored>;

/** What a data directory knows of the database that it was last used with; `epoch.json`. */
export interface EpochNote {
  /** The farm in the database. */
  farm: string;
  epoch: number;
  /** The data directory, among others of the same farm. */
  node: string;
  /** How far it had counted. The database's own number is never smaller, unless it was put back. */
  mark: number;
}

/** What a note says of the database that is found. */
export type EpochVerdict =
  /** Nothing: there is no note, or it is about another farm. */
  | 'new'
  /** It is the same, and not older. */
  | 'same'
  /** It was restored, and the restore has been handled since. */
  | 'treated'
  /** It is older than the note. */
  | 'restored';

/** Compares a note with the database: its farm, and what it has counted for this data directory (undefined: it does not know it). */
export function judgeEpoch(
  note: EpochNote | undefined,
  farm: Pick<FarmRow, 'id' | 'epoch'>,
  mark: number | undefined,
): EpochVerdict {
  if (note === undefined || note.farm !== farm.id) return 'new';
  if (farm.epoch !== note.epoch) return farm.epoch > note.epoch ? 'treated' : 'restored';
  return mark === undefined || mark < note.mark ? 'restored' : 'same';
}

/** The database is not what it was when this process last looked: nothing may start on what was read from it. */
export class FarmRestoredError extends PlatewiseError {
  constructor() {
    super('The database was restored while the farm was at work.', {
      code: 'farm_restored',
      retryable: true,
      remedy: 'Look at the beds and answer what became of the prints in question, as after every restore.',
    });
  }
}

/** How often the count goes on without a start (ms). */
const beat = 60_000;

/**
 * Notices that the database was put back to an older state, by a count that the database and a file outside of it keep together. It goes
 * on with each intent to start a print, in the same transaction, and the file is written before the start is sent: whatever backup
 * does not know of a start is behind the file. What the file says is written after the commit, so that a crash never puts it ahead.
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

  /** Looks whether the database was restored, and goes on looking until `close`. A database that takes no changes is looked at later. */
  async start(): Promise<void> {
    await this.#round();
    this.#timer = setInterval(() => void this.#round(), beat);
    this.#timer.unref();
  }

  /**
   * Compares file and database. Of a database that was restored all that it says of prints and beds is given up, once.
   * @returns what was done to it, if it was restored
   */
  check(): Promise<Restored | undefined> {
    this.#checking ??= this.#check().finally(() => {
      this.#checking = undefined;
    });
    return this.#checking;
  }

  /**
   * Advances the mark in the transaction of an intent to start.
   * @returns what has to be done after its commit and before the start
   * @throws FarmRestoredError this is not the database that it was
   */
  async remember(tx: Transaction): Promise<() => Promise<void>> {
    const note = this.#note;
    const mark = note && (await advanceMark(tx, note));
    if (note === undefined || mark === undefined) {
      // Not before this transaction is over, which may hold what is needed.
      setImmediate(() => void this.#round());
      throw new FarmRestoredError();
    }
    return () => this.#write({ ...note, mark });
  }

  /** Counts on once more, so that every backup from before an orderly end is behind. */
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
      this.#log('warn', `Whether the database was restored could not be looked at: ${asError(error).message}`);
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
        `The database is older than this data directory: it was restored. Attempts withdrawn: ${done.withdrawn}; whose outcome is unknown: ${done.outcomeUnknown}; jobs held: ${done.held}; beds to look at: ${done.beds}.`,
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
    this.#log('warn', `${this.#path} cannot be read. If the database was restored, say so: platewise restored.`);
    return undefined;
  }

  /** Keeps a note, unless a later one is kept already. A file that cannot be written must not keep the farm from its work. */
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
        // Whatever kept it from being written may keep it from being removed.
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
