import { type FieldError, MalformedInputError } from '../model/errors';

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
  const limit = Number(input['limit'] ?? defaultLimit);
  if (!Number.isInteger(limit) || limit < 1 || limit > largestLimit) {
    errors.push({ field: 'limit', value: input['limit'], remedy: `Give a whole number from 1 to ${largestLimit}.` });
  }
  const cursor = typeof input['cursor'] === 'string' && input['cursor'] !== '' ? decode(input['cursor']) : null;
  if (cursor === undefined) {
    errors.push({ field: 'cursor', value: input['cursor'], remedy: 'Send the next_cursor of an answer as it was.' });
  }
  if (errors.length > 0 || cursor === undefined) throw new MalformedInputError('The query is not understood.', errors);
  const found = cursor === null ? -1 : list.findIndex((item) => idOf(item) === cursor.id);
  // What it named may be gone; what came after it has moved up.
  const from = cursor === null ? 0 : found >= 0 ? found + 1 : cursor.index;
  const items = list.slice(from, from + limit);
  const last = items.at(-1);
  const more = from + limit < list.length && last !== undefined;
  return { items, next_cursor: more ? encode({ index: from + limit - 1, id: idOf(last) }) : null };
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

const encode = ({ index, id }: { index: number; id: string }): string =>
  Buffer.from(JSON.stringify([index, id])).toString('base64url');

function decode(cursor: string): { index: number; id: string } | undefined {
  try {
    const parsed: unknown = JSON.parse(Buffer.from(cursor, 'base64url').toString('utf8'));
    if (!Array.isArray(parsed)) return undefined;
    const [index, id] = parsed as unknown[];
    if (typeof index !== 'number' || !Number.isInteger(index) || index < 0 || typeof id !== 'string') return undefined;
    return { index, id };
  } catch {
    return undefined;
  }
}
