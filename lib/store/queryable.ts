import type { QueryResult, QueryResultRow } from 'pg';

/** An executor of queries: the pool, or a transaction. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** A transaction: its changes are committed completely or not at all. */
export interface Transaction extends Queryable {
  readonly transaction: true;
}
