import { type FieldError, MalformedInputError } from './errors';

/** A part of a list. */
export interface Page<Item> {
  items: Item[];
  /** What brings the next part; null if there is none. */
  next_cursor: string | null;
}

const defaultLimit = 100;
const largestLimit = 1000;

/**
 * The part of a list that was asked for with `limit` and `cursor`.
 * @param idOf what names an item for good; a page begins after the item that the cursor names, or where it was
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
  if (errors.length > 0) throw new MalformedInputError('The query is not understood.', errors);
  const found = cursor === null ? -1 : list.findIndex((item) => idOf(item) === cursor.id);
  // What it named may be gone; what came after it has moved up.
  const from = cursor === null ? 0 : found >= 0 ? found + 1 : cursor.index;
  const items = list.slice(from, from + limit);
  const last = items.at(-1);
  const more = from + limit < list.length && last !== undefined;
  return { items, next_cursor: more ? encodeCursor([from + limit - 1, idOf(last)]) : null };
}

/**
 * An answer with a list in it, cut to the part that was asked for.
 * @param name the field of the answer that is the list
 * @param id the field that names an item of it
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

/** Where an item was in its list. */
function asPlace([index, id]: readonly unknown[]): { index: number; id: string } | undefined {
  if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || typeof id !== 'string') return undefined;
  return { index, id };
}

/** How many items of a list are asked for; what is wrong with it goes to `errors`. */
export function limitOf(input: Record<string, unknown>, errors: FieldError[]): number {
  const limit = Number(input['limit'] ?? defaultLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > largestLimit) {
    errors.push({ field: 'limit', value: input['limit'], remedy: `Give a whole number from 1 to ${largestLimit}.` });
  }
  return limit;
}

/**
 * What the cursor of a query names, null without one; what is wrong with it goes to `errors`.
 * @param read makes sense of what was encoded, or returns undefined
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
  errors.push({ field: 'cursor', value: cursor, remedy: 'Send the next_cursor of an answer as it was.' });
  return null;
}

/** Text that stands for a place in a list. */
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
