/** A database row with its column names in the camel case of our types. */
export function camelCase<Result>(row: Record<string, unknown>): Result {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(row)) {
    result[name.replace(/_([a-z0-9])/g, (_match, letter: string) => letter.toUpperCase())] = value;
  }
  return result as Result;
}
