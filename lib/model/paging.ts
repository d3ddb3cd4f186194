import { type FieldError, MalformedInputError } from './errors';

/** A page of a list. */
export interface Page<Item> {
  items: Item[];
  /** The cursor of the next page; null if there is none. */
  next_cursor: string | null;
}

const defaultLimit = 100;
const largestLimit = 1000;

/**
 * Returns the page of a list that `limit` and `cursor` request.
 * @param idOf returns the permanent id of an item; a page begins after the item that the cursor names, or at its former place
 * @throws MalformedInputError
 */
export function pageOf<Item>(
  list: readonly Item[],
  input: Record<string, unknown>,
  idOf: (item: Item) => string,
): Page<Item> {
  const errors: FieldError[] = [];
  const limit = limitOf(input, errors);
  const cursor = cursorOf(input, errors, asPlace);
  if (errors.length > 0) throw new MalformedInputError('The query is invalid.', errors);
  const found = cursor === null ? -1 : list.findIndex((item) => idOf(item) === cursor.id);
  // The item that it named may be gone; the ones after it have moved up.
  const from = cursor === null ? 0 : found >= 0 ? found + 1 : cursor.index;
  const items = list.slice(from, from + limit);
  const last = items.at(-1);
  const more = from + limit < list.length && last !== undefined;
  return { items, next_cursor: more ? encodeCursor([from + limit - 1, idOf(last)]) : null };
}

/**
 * Returns an answer with its list cut to the requested page.
 * @param name the field of the answer that holds the list
 * @param id the field with the id of an item
 */
export function paged<Name extends string, Item, Answer extends Record<Name, Item[]>>(
  answer: Answer,
  name: Name,
  id: keyof Item,
  input: Record<string, unknown>,
): Answer & { next_cursor: string | null } {
  const { items, next_cursor } = pageOf<Item>(answer[name], input, (item) => String(item[id]));
  return { ...answer, [name]: items, next_cursor };
}

/** The former place of an item in its list. */
function asPlace([index, id]: readonly unknown[]): { index: number; id: string } | undefined {
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || typeof id !== 'string') return undefined;
  return { index, id };
}

/** Returns the requested number of items; errors are added to `errors`. */
export function limitOf(input: Record<string, unknown>, errors: FieldError[]): number {
  const limit = Number(input['limit'] ?? defaultLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > largestLimit) {
    errors.push({ field: 'limit', value: input['limit'], remedy: `Give a whole number from 1 to ${largestLimit}.` });
  }
  return limit;
}

/**
 * Returns the place that the cursor of a query names, null without one; errors are added to `errors`.
 * @param read parses the decoded cursor, or returns undefined
 */
export function cursorOf<Place>(
  input: Record<string, unknown>,
  errors: FieldError[],
  read: (parts: readonly unknown[]) => Place | undefined,
): Place | null {
  const cursor = input['cursor'];
  if (typeof cursor !== 'string' || cursor === '') return null;
  const parts = decodeCursor(cursor);
  const place = parts && read(parts);
  if (place !== undefined) return place;
  errors.push({ field: 'cursor', value: cursor, remedy: 'Send the next_cursor of an answer unchanged.' });
  return null;
}

/** Encodes a place in a list as text. */
export function encodeCursor(parts: readonly (string | number)[]): string {
  return Buffer.from(JSON.stringify(parts)).toString('base64url');
}

function decodeCursor(cursor: string): readonly unknown[] | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    return Array.isArray(parsed) ? (parsed as unknown[]) : undefined;
  } catch {
    return undefined;
  }
}
