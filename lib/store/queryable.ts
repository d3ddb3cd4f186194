import type { QueryResult, QueryResultRow } from 'pg';

/** What a query may be run on: the pool, or a transaction. */
export interface Queryable {
  query<Row extends QueryResultRow>(sql: string, values?: readonly unknown[]): Promise<QueryResult<Row>>;
}

/** A transaction. Whatever is done with it is done whole or not at all. */
export interface Transaction extends Queryable {
  readonly transaction: true;
}
