/** Converted names, cached because there are few names and many rows. */
const known = new Map<string, string>();

function camel(name: string): string {
  let found = known.get(name);
  if (found === undefined) {
    found = name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase());
    known.set(name, found);
  }
  return found;
}

/** Converts a database row to an object with camel-case names. */
export function camelCase<Result>(row: Record<string, unknown>): Result {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    result[camel(name)] = value;
  }
  return result as Result;
}
