import type { Scope } from '../model/scope';
import type { Queryable } from './queryable';
import { camelCase } from './rows';

/** A key as stored in the database: without the key itself. Times are ISO 8601 UTC. */
export interface ApiKey {
  id: string;
  name: string;
  scope: Scope;
  createdAt: string;
  lastUsedAt: string | null;
  revokedAt: string | null;
}

const columns = 'id, name, scope, created_at, last_used_at, revoked_at';

/** Adds a key. Undefined: a key of this name is in use. */
export async function insertKey(
  db: Queryable,
  key: { name: string; scope: Scope; digest: string },
): Promise<ApiKey | undefined> {
  const { rows } = await db.query(
    `INSERT INTO api_keys (name, scope, digest) VALUES ($1, $2, $3)
     ON CONFLICT (name) WHERE revoked_at IS NULL DO NOTHING RETURNING ${columns}`,
    [key.name, key.scope, key.digest],
  );
  return rows[0] ? camelCase<ApiKey>(rows[0]) : undefined;
}

/** Returns all keys that were ever made, oldest first. */
export async function allKeys(db: Queryable): Promise<ApiKey[]> {
  const { rows } = await db.query(`SELECT ${columns} FROM api_keys ORDER BY created_at, id`);
  return rows.map((row) => camelCase<ApiKey>(row));
}

/** Revokes the key of this name. Undefined: there is none in use. */
export async function revokeKeyOf(db: Queryable, name: string): Promise<ApiKey | undefined> {
  const { rows } = await db.query(
    `UPDATE api_keys SET revoked_at = now() WHERE name = $1 AND revoked_at IS NULL RETURNING ${columns}`,
    [name],
  );
  return rows[0] ? camelCase<ApiKey>(rows[0]) : undefined;
}

/** Whether requests need a key. */
export async function keysWereMade(db: Queryable): Promise<boolean> {
  const { rows } = await db.query<{ made: boolean }>('SELECT EXISTS (SELECT 1 FROM api_keys) AS made');
  return rows[0]?.made === true;
}

/** Returns the valid key with this digest, and records its use, at most once a minute. */
export async function findKey(db: Queryable, digest: string): Promise<ApiKey | undefined> {
  const { rows } = await db.query(`SELECT ${columns} FROM api_keys WHERE digest = $1 AND revoked_at IS NULL`, [digest]);
  const key = rows[0] ? camelCase<ApiKey>(rows[0]) : undefined;
  if (key) {
    await db.query(
      `UPDATE api_keys SET last_used_at = now()
       WHERE id = $1 AND (last_used_at IS NULL OR last_used_at < now() - interval '1 minute')`,
      [key.id],
    );
  }
  return key;
}
