import { Client, type ClientConfig, Pool, type PoolClient, type QueryResult, type QueryResultRow, types } from 'pg';
import { asError, PlatewiseError } from '../model/errors';
import type { Queryable, Transaction } from './queryable';
import { SessionLocks } from './session-locks';

export interface DatabaseOptions {
  /** `postgres://…`, or host (socket directory), user and database of the embedded server. */
  connection: ClientConfig;
  /** The schema of all tables. */
  schema?: string;
  poolSize?: number;
  /** Called with background errors (a lost idle connection). */
  onProblem(error: Error): void;
}

/** The prefix of the notification channel; the payload names the event. */
const channelPrefix = 'platewise_';
/** SQL for the channel on which the processes of one farm notify each other. */
export const notificationChannel = `'${channelPrefix}' || current_schema()`;
const deadlock = '40P01';
const serializationFailure = '40001';
const lockNotAvailable = '55P03';
const readOnlyTransaction = '25006';
/** How long a statement waits for a lock (ms). */
const lockLimit = 4000;
const reconnectDelay = 1000;
/** How long a statement may take before its connection counts as dead (ms). */
const statementLimit = 20_000;
/** How often the listening connection is checked (ms). */
const listeningCheck = 10_000;
/**
 * Server settings for clients that were cut off: their transactions are rolled back, and their locks released.
 * Keepalive applies to TCP only and has no effect on a Unix socket.
 */
const serverSettings = [
  'timezone=UTC',
  // Compiling a query costs more than running it: all of them are small.
  'jit=off',
  'idle_in_transaction_session_timeout=15s',
  'tcp_keepalives_idle=10',
  'tcp_keepalives_interval=5',
  'tcp_keepalives_count=2',
];

/** Parses numbers as numbers, and times as ISO 8601 texts. */
const typeParsers: NonNullable<ClientConfig['types']> = {
  getTypeParser: ((id: number, format?: 'text' | 'binary') => {
    switch (id) {
      case types.builtins.INT8:
      case types.builtins.NUMERIC:
        return Number;
      case types.builtins.TIMESTAMPTZ:
        return (text: string) => new Date(text).toISOString();
      default:
        return format === 'binary' ? types.getTypeParser(id, 'binary') : types.getTypeParser(id);
    }
  }) as NonNullable<ClientConfig['types']>['getTypeParser'],
};

/** PostgreSQL: a pool, transactions, and notifications that survive a lost connection. */
export class Database implements Queryable {
  readonly connection: ClientConfig;
  readonly schema: string;
  readonly #pool: Pool;
  readonly #onProblem: (error: Error) => void;
  readonly #listeners = new Set<(payload: string) => void>();
  /** The session locks of this process. */
  readonly locks = new SessionLocks(this);
  #listening: Client | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #listeningCheck: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.schema = options.schema ?? 'public';
    this.connection = {
      ...options.connection,
      types: typeParsers,
      application_name: 'platewise',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      options: [`search_path=${this.schema}`, ...serverSettings].map((setting) => `-c ${setting}`).join(' '),
    };
    this.#onProblem = options.onProblem;
    this.#pool = new Pool({
      ...this.connection,
      // Not on dedicated connections: a change of the schema has to wait.
      options: `${this.connection.options} -c lock_timeout=${lockLimit}`,
      query_timeout: statementLimit,
      max: options.poolSize ?? 10,
      idleTimeoutMillis: 30_000,
    });
    this.#pool.on('error', (error) => this.#onProblem(error));
    // Without a listener, a connection that ends while it is lent out, between two statements, would end the whole process.
    this.#pool.on('connect', (client) => client.on('error', () => undefined));
  }

  async query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.#pool.query<Row>(sql, values as unknown[]);
    } catch (error) {
      throw explain(error);
    }
  }

  /**
   * Runs `work` in one transaction. After a deadlock it is run again, so it must have no effects outside of the database.
   * If the reply to the COMMIT is lost, the code of the error shows it, and the outcome is unknown.
   */
  async transaction<Result>(work: (tx: Transaction) => Promise<Result>): Promise<Result> {
    for (let attempt = 1; ; attempt++) {
      const client = await this.#pool.connect().catch((error: unknown) => {
        throw explain(error);
      });
      let broken: Error | undefined;
      try {
        await client.query('BEGIN');
        const result = await work(transactionOf(client));
        await client.query('COMMIT');
        return result;
      } catch (error) {
        await client.query('ROLLBACK').catch((failure: unknown) => {
          broken = asError(failure);
        });
        const code = (error as { code?: unknown }).code;
        if ((code === deadlock || code === serializationFailure) && attempt < 5 && !broken) continue;
        throw explain(error);
      } finally {
        client.release(broken);
      }
    }
  }

  /** Runs several reads on one consistent snapshot of the database. */
  read<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result> {
    return this.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return work(tx);
    });
  }

  /** Opens a dedicated connection, for work that lasts longer than a statement. The caller ends it. */
  async connect(config: Pick<ClientConfig, 'query_timeout'> = {}): Promise<Client> {
    const client = new Client({ ...this.connection, ...config });
    client.on('error', (error) => this.#onProblem(error));
    try {
      await client.connect();
      return client;
    } catch (error) {
      throw explain(error);
    }
  }

  /**
   * Calls the listener with the payload of every notification, and with `reconnected` when some may have been
   * missed. Returns a function that ends it.
   */
  async listen(listener: (payload: string) => void): Promise<() => void> {
    this.#listeners.add(listener);
    if (!this.#listening) await this.#startListening();
    return () => this.#listeners.delete(listener);
  }

  /**
   * Calls `act` on every notification with this payload, and when some may have been missed. Returns a function that
   * ends it.
   */
  listenFor(expected: string, act: () => void): Promise<() => void> {
    return this.listen((payload) => {
      if (payload === expected || payload === 'reconnected') act();
    });
  }

  /** Turns failures of the whole server into a DatabaseUnavailableError; other errors stay unchanged. */
  explain(thrown: unknown): Error {
    return explain(thrown);
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#reconnect);
    clearInterval(this.#listeningCheck);
    await this.locks.close();
    const listening = this.#listening;
    this.#listening = undefined;
    await listening?.end().catch(() => undefined);
    await this.#pool.end();
  }

  async #startListening(): Promise<void> {
    const client = new Client({ ...this.connection, query_timeout: listeningCheck });
    this.#listening = client;
    const again = (error: Error): void => {
      if (this.#listening !== client || this.#closed) return;
      this.#listening = undefined;
      clearInterval(this.#listeningCheck);
      this.#onProblem(error);
      client.end().catch(() => undefined);
      this.#reconnect = setTimeout(() => {
        this.#startListening().then(
          () => this.#tell('reconnected'),
          // The failed attempt has scheduled the next one itself.
          () => undefined,
        );
      }, reconnectDelay);
    };
    client.on('error', again);
    client.on('end', () => again(new Error('The listening connection to PostgreSQL ended.')));
    client.on('notification', (message) => this.#tell(message.payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${channelPrefix}${this.schema}`);
      // A connection that was cut without notice would be silent forever.
      this.#listeningCheck = setInterval(() => {
        client.query('SELECT 1').catch((error: unknown) => again(asError(error)));
      }, listeningCheck);
    } catch (error) {
      again(asError(error));
      throw explain(error);
    }
  }

  #tell(payload: string): void {
    for (const listener of this.#listeners) listener(payload);
  }
}

/** Notifies every process of an event once the transaction commits. */
export async function notify(tx: Queryable, payload: string): Promise<void> {
  const counted = payload === 'plan' ? `, nextval('plan_changes')` : '';
  await tx.query(`SELECT pg_notify(${notificationChannel}, $1)${counted}`, [payload]);
}

/** Returns the time of the database's clock, which is the same for every process (ms since 1970). In a transaction: its start. */
export async function databaseNow(db: Queryable): Promise<number> {
  const { rows } = await db.query<{ now: string }>('SELECT now() AS now');
  return Date.parse(rows[0]?.now ?? '');
}

function transactionOf(client: PoolClient): Transaction {
  return {
    transaction: true,
    query: (sql, values) => client.query(sql, values as unknown[]),
  };
}

/** Turns failures of the whole server into a DatabaseUnavailableError; other errors stay unchanged. */
function explain(thrown: unknown): Error {
  const error = asError(thrown);
  const code = String((error as { code?: unknown }).code ?? '');
  if (code === lockNotAvailable) return new DatabaseBusyError(error);
  if (code === readOnlyTransaction) return new DatabaseReadOnlyError(error);
  const unreachable =
    /^(ECONN|EPIPE|ENOENT|ENOTFOUND|ETIMEDOUT|EHOST|57P0|25P03|08|53)/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect|Query read timeout|pool after calling end/i.test(
      error.message,
    );
  return unreachable ? new DatabaseUnavailableError(error) : error;
}

/** PostgreSQL is unavailable; the outcome of work under way is unknown unless a subclass states otherwise. */
export class DatabaseUnavailableError extends PlatewiseError {
  constructor(cause: Error, words: { message: string; code: string; remedy: string } = unreachableBecause(cause)) {
    super(words.message, { code: words.code, retryable: true, remedy: words.remedy, cause });
  }
}

const unreachableBecause = ({ message }: Error): { message: string; code: string; remedy: string } => ({
  message: `PostgreSQL cannot be reached: ${message}`,
  code: 'database_unavailable',
  remedy: 'Check that PostgreSQL runs and that DATABASE_URL is right.',
});

/** Another transaction has held a lock for too long; nothing was changed. */
export class DatabaseBusyError extends DatabaseUnavailableError {
  constructor(cause: Error) {
    super(cause, {
      message: `Another transaction has held a required lock for more than ${lockLimit / 1000} s.`,
      code: 'database_busy',
      remedy:
        'Try again. If this persists, look for a transaction that was left open: SELECT pid, query FROM pg_stat_activity ' +
        "WHERE state = 'idle in transaction' shows it, pg_terminate_backend(pid) ends it.",
    });
  }
}

/** Another transaction is changing a row that the caller can do without for now. */
export class RowLockedError extends PlatewiseError {
  constructor(what: string) {
    super(`${what} is being changed by another transaction.`, {
      code: 'row_locked',
      retryable: true,
      remedy: 'No action is needed; this is retried automatically.',
    });
  }
}

/** The server is read-only; nothing was changed. */
export class DatabaseReadOnlyError extends DatabaseUnavailableError {
  constructor(cause: Error) {
    super(cause, {
      message: 'PostgreSQL accepts no changes: it is read-only.',
      code: 'database_read_only',
      remedy:
        'Point DATABASE_URL at the primary server, or make this one writable: ALTER DATABASE … SET ' +
        'default_transaction_read_only = off, and reconnect.',
    });
  }
}
