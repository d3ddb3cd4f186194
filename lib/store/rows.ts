/** Names are few and rows are many. */
const known = new Map<string, string>();

function camel(name: string): string {
  let found = known.get(name);
  if (found === undefined) {
    found = name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
    known.set(name, found);
  }
  return found;
}

/** A database row with its column names in the camel case of our types. */
export function camelCase<Result>(row: Record<string, unknown>): Result {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    result[camel(name)] = value;
  }
  return result as Result;
}
