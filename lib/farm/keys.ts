import { createHash, randomBytes } from 'node:crypto';
import { ConflictError, ForbiddenError, MalformedInputError, NotFoundError, UnauthorizedError } from '../model/errors';
import { allows, isScope, type Scope, scopes } from '../model/scope';
import { type ApiKey, allKeys, findKey, insertKey, keysWereMade, revokeKeyOf } from '../store/api-keys';
import { notify } from '../store/database';
import type { Queryable } from '../store/queryable';

/** The public properties of a key. Times are ISO 8601 UTC. */
export interface KeyView {
  name: string;
  scope: Scope;
  created_at: string;
  last_used_at: string | null;
  revoked_at: string | null;
}

const keyBytes = 32;
const digestOf = (key: string): string => createHash('sha256').update(key).digest('hex');

const view = (key: ApiKey): KeyView => ({
  name: key.name,
  scope: key.scope,
  created_at: key.createdAt,
  last_used_at: key.lastUsedAt,
  revoked_at: key.revokedAt,
});

/**
 * Creates a key for the HTTP interface. The key is returned only here; the first one locks the interface.
 * @throws MalformedInputError name or scope is invalid
 * @throws ConflictError a key of this name exists
 */
export async function createKey(db: Queryable, name: string, scope: string): Promise<KeyView & { key: string }> {
  if (!/^[\w .@-]{1,80}$/.test(name)) {
    throw new MalformedInputError('The name of the key is invalid.', [
      { field: 'name', value: name, remedy: 'Use 1 to 80 letters, digits, blanks, dots, hyphens, underscores or @.' },
    ]);
  }
  if (!isScope(scope)) {
    throw new MalformedInputError('There is no such scope.', [
      { field: 'scope', value: scope, remedy: `Use one of ${scopes.join(', ')}.` },
    ]);
  }
  const key = `pw_${randomBytes(keyBytes).toString('base64url')}`;
  const made = await insertKey(db, { name, scope, digest: digestOf(key) });
  if (!made) throw new ConflictError(`A key named "${name}" already exists.`, 'Revoke it first, or use another name.');
  // The first key locks the interface: clients without one must authenticate again.
  await notify(db, 'keys');
  return { ...view(made), key };
}

/** Returns all keys that were ever made, without the keys themselves. */
export async function listKeys(db: Queryable): Promise<KeyView[]> {
  return (await allKeys(db)).map(view);
}

/** Revokes a key immediately; streams that it has opened end. @throws NotFoundError */
export async function revokeKey(db: Queryable, name: string): Promise<KeyView> {
  const revoked = await revokeKeyOf(db, name);
  if (!revoked) throw new NotFoundError('key', name);
  await notify(db, 'keys');
  return view(revoked);
}

/**
 * Checks whether a request covers a scope.
 * @param authorization the header of that name
 * @returns the name of its key; null as long as no key was ever made
 * @throws UnauthorizedError it has no key, or one that is not valid
 * @throws ForbiddenError its key lacks the scope
 */
export async function authorise(
  db: Queryable,
  authorization: string | undefined,
  needed: Scope,
): Promise<string | null> {
  const given = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
  const key = given === undefined ? undefined : await findKey(db, digestOf(given));
  if (!key) {
    if (!(await keysWereMade(db))) return null;
    throw new UnauthorizedError(given === undefined ? 'The request has no key.' : 'The key is not in use.');
  }
  if (!allows(key.scope, needed)) throw new ForbiddenError(key.scope, needed);
  return key.name;
}
