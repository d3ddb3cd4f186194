import { Client, type ClientConfig, Pool, type PoolClient, type QueryResult, type QueryResultRow, types } from 'pg';
import { asError, PlatewiseError } from '../model/errors';

/** What a query may be run on: the pool, or a transaction. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** A transaction. Whatever is done with it is done whole or not at all. */
export interface Transaction extends Queryable {
  readonly transaction: true;
}

export interface DatabaseOptions {
  /** `postgres://…`, or host (socket directory), user and database of the embedded server. */
  connection: ClientConfig;
  /** The schema that all tables are in. */
  schema?: string;
  poolSize?: number;
  /** Told of faults in the background (a lost idle connection). */
  onProblem(error: Error): void;
}

/** The channel of all notifications; the payload says what happened. */
const notificationChannel = 'platewise';
const deadlock = '40P01';
const serializationFailure = '40001';
const reconnectDelay = 1000;

/** Numbers as numbers and times as ISO 8601 texts. */
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
  #listening: Client | undefined;
  #reconnect: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(options: DatabaseOptions) {
    this.schema = options.schema ?? 'public';
    this.connection = {
      ...options.connection,
      types: typeParsers,
      application_name: 'platewise',
      connectionTimeoutMillis: 10_000,
      keepAlive: true,
      options: `-c search_path=${this.schema} -c timezone=UTC`,
    };
    this.#onProblem = options.onProblem;
    this.#pool = new Pool({ ...this.connection, max: options.poolSize ?? 10, idleTimeoutMillis: 30_000 });
    this.#pool.on('error', (error) => this.#onProblem(error));
  }

  async query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<QueryResult<Row>> {
    try {
      return await this.#pool.query<Row>(sql, values as unknown[]);
    } catch (error) {
      throw explain(error);
    }
  }

  /**
   * Runs `work` in one transaction. On a deadlock it is run again, so it must touch nothing but the database.
   * If the reply to the COMMIT is lost the error says so by its code, and the outcome is not known.
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

  /** Several reads that all see the database as it is at one moment. */
  read<Result>(work: (tx: Queryable) => Promise<Result>): Promise<Result> {
    return this.transaction(async (tx) => {
      await tx.query('SET TRANSACTION ISOLATION LEVEL REPEATABLE READ READ ONLY');
      return work(tx);
    });
  }

  /** A connection of its own, for session locks. The caller ends it. */
  async connect(): Promise<Client> {
    const client = new Client(this.connection);
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

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    clearTimeout(this.#reconnect);
    const listening = this.#listening;
    this.#listening = undefined;
    await listening?.end().catch(() => undefined);
    await this.#pool.end();
  }

  async #startListening(): Promise<void> {
    const client = new Client(this.connection);
    this.#listening = client;
    const again = (error: Error): void => {
      if (this.#listening !== client || this.#closed) return;
      this.#listening = undefined;
      this.#onProblem(error);
      client.end().catch(() => undefined);
      this.#reconnect = setTimeout(() => {
        this.#startListening().then(
          () => this.#tell('reconnected'),
          () => undefined,
        );
      }, reconnectDelay);
    };
    client.on('error', again);
    client.on('end', () => again(new Error('The listening connection to PostgreSQL ended.')));
    client.on('notification', (message) => this.#tell(message.payload ?? ''));
    try {
      await client.connect();
      await client.query(`LISTEN ${notificationChannel}_${this.schema}`);
    } catch (error) {
      again(asError(error));
      throw explain(error);
    }
  }

  #tell(payload: string): void {
    for (const listener of this.#listeners) listener(payload);
  }
}

/** Tells every process, once the transaction commits, that something of this kind happened. */
export async function notify(tx: Queryable, payload: string): Promise<void> {
  await tx.query(`SELECT pg_notify('${notificationChannel}_' || current_schema(), $1)`, [payload]);
}

function transactionOf(client: PoolClient): Transaction {
  return {
    transaction: true,
    query: (sql, values) => client.query(sql, values as unknown[]),
  };
}

/** Connection failures become a DatabaseUnavailableError; everything else stays what it is. */
function explain(thrown: unknown): Error {
  const error = asError(thrown);
  const code = String((error as { code?: unknown }).code ?? '');
  const unreachable =
    /^(ECONN|EPIPE|ENOENT|ENOTFOUND|ETIMEDOUT|EHOST|57P0|08)/.test(code) ||
    /Connection terminated|timeout exceeded when trying to connect/i.test(error.message);
  return unreachable ? new DatabaseUnavailableError(error) : error;
}

/** PostgreSQL cannot be reached at present; the outcome of what was under way is not known. */
export class DatabaseUnavailableError extends PlatewiseError {
  constructor(cause: Error) {
    super(`PostgreSQL cannot be reached: ${cause.message}`, {
      code: 'database_unavailable',
      retryable: true,
      remedy: 'Check that PostgreSQL runs and that DATABASE_URL is right.',
      cause,
    });
  }
}
