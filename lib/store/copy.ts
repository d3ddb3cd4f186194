import { escapeIdentifier } from 'pg';
import { migrationsTable } from './migrate';
import type { Queryable } from './queryable';

/** Rows read per batch; fewer for chunks of files, which have a megabyte each. */
const rowsAtOnce = (table: string): number => (table === 'shared_file_chunks' ? 8 : 500);

/** Returns the tables of a farm, without the one that records the migrations. */
export async function tablesOf(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(
    `SELECT relname AS name FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relkind = 'r' AND relname <> $1
     ORDER BY relname`,
    [migrationsTable],
  );
  return rows.map(({ name }) => name);
}

/** Returns the migrations of the database, oldest first. */
export async function migrationsOf(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ name: string }>(`SELECT name FROM ${migrationsTable} ORDER BY id`);
  return rows.map(({ name }) => name);
}

/** Yields the rows of a table, each as one line of JSON. Requires a transaction. */
export async function* rowsOf(tx: Queryable, table: string): AsyncGenerator<string[]> {
  await tx.query(
    `DECLARE copied NO SCROLL CURSOR FOR SELECT row_to_json(t)::text AS line FROM ${escapeIdentifier(table)} t`,
  );
  for (;;) {
    const { rows } = await tx.query<{ line: string }>(`FETCH ${rowsAtOnce(table)} FROM copied`);
    if (rows.length === 0) break;
    yield rows.map(({ line }) => line);
  }
  await tx.query('CLOSE copied');
}

/** Returns the last value of each sequence; unused ones are omitted. */
export async function sequencesOf(db: Queryable): Promise<Record<string, number>> {
  const { rows } = await db.query<{ name: string; last: number }>(
    `SELECT sequencename AS name, last_value AS last FROM pg_sequences WHERE schemaname = current_schema() AND last_value IS NOT NULL`,
  );
  return Object.fromEntries(rows.map(({ name, last }) => [name, last]));
}

/** Sets the last value of a sequence. */
export async function setSequence(tx: Queryable, name: string, last: number): Promise<void> {
  await tx.query('SELECT setval($1::regclass, $2)', [escapeIdentifier(name), last]);
}

/** Deletes all rows of these tables. */
export async function emptyTables(tx: Queryable, tables: readonly string[]): Promise<void> {
  await tx.query(`TRUNCATE ${tables.map(escapeIdentifier).join(', ')}`);
}

/** Defers foreign keys to the end of the transaction, so that tables can be filled in any order. Returns a function that restores them. */
export async function deferReferences(tx: Queryable): Promise<() => Promise<void>> {
  const { rows } = await tx.query<{ table: string; name: string }>(
    `SELECT conrelid::regclass::text AS table, quote_ident(conname) AS name FROM pg_constraint
     WHERE contype = 'f' AND connamespace = current_schema()::regnamespace AND NOT condeferrable`,
  );
  for (const { table, name } of rows) {
    await tx.query(`ALTER TABLE ${table} ALTER CONSTRAINT ${name} DEFERRABLE INITIALLY DEFERRED`);
  }
  return async () => {
    await tx.query('SET CONSTRAINTS ALL IMMEDIATE');
    for (const { table, name } of rows) await tx.query(`ALTER TABLE ${table} ALTER CONSTRAINT ${name} NOT DEFERRABLE`);
  };
}

/**
 * Disables the triggers of tables, so that rows can be inserted unchanged: each was valid when it was written, but not necessarily
 * beside the others, such as the attempt of an outcome that outlived it. Keys and checks of columns still apply.
 * @returns a function that enables the triggers again
 */
export async function pauseTriggers(tx: Queryable, tables: readonly string[]): Promise<() => Promise<void>> {
  const switchAll = async (word: 'ENABLE' | 'DISABLE'): Promise<void> => {
    for (const table of tables) await tx.query(`ALTER TABLE ${escapeIdentifier(table)} ${word} TRIGGER USER`);
  };
  await switchAll('DISABLE');
  return () => switchAll('ENABLE');
}

/** Returns a function that inserts rows, each a line of JSON, into a table. Computed columns are ignored. */
export async function filler(tx: Queryable, table: string): Promise<(lines: readonly string[]) => Promise<void>> {
  const name = escapeIdentifier(table);
  // JSON null and SQL NULL look the same in a line; in a NOT NULL column it can only be JSON null.
  const { rows } = await tx.query<{ column: string; value: string }>(
    `SELECT quote_ident(attname) AS column,
       CASE WHEN atttypid = 'jsonb'::regtype AND attnotnull THEN format('coalesce(%I, ''null'')', attname) ELSE quote_ident(attname) END AS value
     FROM pg_attribute
     WHERE attrelid = $1::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum`,
    [name],
  );
  const columns = rows.map(({ column }) => column).join(', ');
  const values = rows.map(({ value }) => value).join(', ');
  const sql = `INSERT INTO ${name} (${columns}) OVERRIDING SYSTEM VALUE
    SELECT ${values} FROM json_populate_recordset(NULL::${name}, $1::json)`;
  return async (lines) => {
    await tx.query(sql, [`[${lines.join(',')}]`]);
  };
}

/** Returns all printers that ever existed, in any version of the schema. */
export async function printerIds(db: Queryable): Promise<string[]> {
  const { rows } = await db.query<{ id: string }>('SELECT id FROM printers ORDER BY id');
  return rows.map(({ id }) => id);
}

/** Whether a schema has any table. */
export async function hasTables(db: Queryable, schema: string): Promise<boolean> {
  const { rowCount } = await db.query('SELECT 1 FROM pg_tables WHERE schemaname = $1 LIMIT 1', [schema]);
  return rowCount === 1;
}

// The objects of a schema that no extension owns; sequences and indexes that belong to a table go with it.
const contentsSql = `
  SELECT CASE c.relkind WHEN 'S' THEN 'SEQUENCE' WHEN 'v' THEN 'VIEW' ELSE 'TABLE' END AS kind, c.oid::regclass::text AS name
  FROM pg_class c WHERE c.relnamespace = $1::regnamespace AND c.relkind IN ('r', 'p', 'v', 'S')
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype IN ('a', 'i', 'e'))
  UNION ALL
  SELECT 'FUNCTION', p.oid::regprocedure::text FROM pg_proc p WHERE p.pronamespace = $1::regnamespace
    AND NOT EXISTS (SELECT 1 FROM pg_depend d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')`;

/** Drops everything in a schema; the schema itself stays, with its privileges. */
export async function emptySchema(tx: Queryable, schema: string): Promise<void> {
  const { rows } = await tx.query<{ kind: string; name: string }>(contentsSql, [escapeIdentifier(schema)]);
  for (const { kind, name } of rows) await tx.query(`DROP ${kind} IF EXISTS ${name} CASCADE`);
}

/** Moves everything in a schema to another, and drops the empty one. */
export async function moveSchema(tx: Queryable, from: string, to: string): Promise<void> {
  const { rows } = await tx.query<{ kind: string; name: string }>(contentsSql, [escapeIdentifier(from)]);
  for (const { kind, name } of rows) await tx.query(`ALTER ${kind} ${name} SET SCHEMA ${escapeIdentifier(to)}`);
  await tx.query(`DROP SCHEMA ${escapeIdentifier(from)}`);
}

/** Creates a schema if it does not exist. */
export async function createSchema(db: Queryable, schema: string): Promise<void> {
  await db.query(`CREATE SCHEMA IF NOT EXISTS ${escapeIdentifier(schema)}`);
}

/** Drops a schema with everything in it. */
export async function dropSchema(db: Queryable, schema: string): Promise<void> {
  await db.query(`DROP SCHEMA IF EXISTS ${escapeIdentifier(schema)} CASCADE`);
}
