import type { Client } from 'pg';
import { asError } from '../model/errors';
import { advisoryLocks } from './advisory-locks';
import type { Queryable } from './queryable';

const heartbeatInterval = 5000;
/** The server ends a session that has been silent for this long (s): its holder is dead, stopped or cut off. */
const silenceLimit = 20;

/** The source of sessions. */
export interface SessionSource {
  /** Opens a dedicated connection. The caller ends it. */
  connect(config: { query_timeout: number }): Promise<Client>;
  /** Classifies the error of a lost connection. */
  explain(thrown: unknown): Error;
}

/**
 * Locks that one process holds among all processes on a database: the relay, and each printer. They belong to
 * one session of the database, so they are released immediately when the process dies, and after a silence of 20 s when it
 * hangs or the network is cut. They keep processes from interfering but guarantee nothing: a holder that was
 * cut off does not know it yet. Guarantees rest on fencing numbers and on guarded updates.
 */
export class SessionLocks {
  readonly #database: SessionSource;
  readonly #held = new Set<string>();
  #session: Promise<Client> | undefined;
  #client: Client | undefined;
  #heartbeat: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(database: SessionSource) {
    this.#database = database;
  }

  /**
   * Acquires a lock by name, or keeps holding it.
   * @returns false if another process holds it
   * @throws DatabaseUnavailableError the holder is unknown
   */
  async hold(name: string): Promise<boolean> {
    const session = await this.#open();
    try {
      if (this.#held.has(name)) {
        await session.query('SELECT 1');
        return this.#held.has(name);
      }
      const { rows } = await session.query<{ taken: boolean }>(
        `SELECT pg_try_advisory_lock($1, hashtext(current_schema() || ' ' || $2)) AS taken`,
        [advisoryLocks.session, name],
      );
      const taken = rows[0]?.taken === true;
      if (taken) this.#held.add(name);
      return taken;
    } catch (error) {
      this.#lose();
      throw this.#database.explain(error);
    }
  }

  /** Releases a lock. Never rejects. */
  async release(name: string): Promise<void> {
    if (!this.#held.delete(name)) return;
    try {
      const session = await this.#open();
      await session.query(`SELECT pg_advisory_unlock($1, hashtext(current_schema() || ' ' || $2))`, [
        advisoryLocks.session,
        name,
      ]);
    } catch {
      this.#lose();
    }
  }

  async close(): Promise<void> {
    this.#closed = true;
    const client = this.#client;
    this.#lose();
    await client?.end().catch(() => undefined);
  }

  #open(): Promise<Client> {
    if (this.#closed) return Promise.reject(new Error('The database was closed.'));
    this.#session ??= this.#connect().catch((error: unknown) => {
      this.#session = undefined;
      throw asError(error);
    });
    return this.#session;
  }

  async #connect(): Promise<Client> {
    const client = await this.#database.connect({ query_timeout: 10_000 });
    await client.query(`SET idle_session_timeout = '${silenceLimit}s'`);
    client.on('end', () => {
      if (this.#client === client) this.#lose();
    });
    this.#client = client;
    clearInterval(this.#heartbeat);
    this.#heartbeat = setInterval(() => {
      client.query('SELECT 1').catch(() => this.#lose());
    }, heartbeatInterval);
    return client;
  }

  /** Drops a session that has ended or may have ended; its locks must be acquired again. */
  #lose(): void {
    clearInterval(this.#heartbeat);
    const client = this.#client;
    this.#client = undefined;
    this.#session = undefined;
    this.#held.clear();
    client?.end().catch(() => undefined);
  }
}

/** Whether any process on this database holds a lock now. */
export async function isHeld(db: Queryable, name: string): Promise<boolean> {
  // pg_locks shows the second part of a two-part key as unsigned.
  const { rows } = await db.query<{ held: boolean }>(
    `SELECT EXISTS (SELECT 1 FROM pg_locks WHERE locktype = 'advisory' AND granted AND objsubid = 2 AND classid = $1::int::oid
       AND objid = hashtext(current_schema() || ' ' || $2)::oid
       AND database = (SELECT oid FROM pg_database WHERE datname = current_database())) AS held`,
    [advisoryLocks.session, name],
  );
  return rows[0]?.held === true;
}
