/** Characters that no column of the database, and hardly any program, can hold: NUL, and unpaired surrogates. */
const unstorable = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Whether a text can be stored. */
function isStorable(text: string): boolean {
  return !unstorable.test(text);
}

/**
 * Returns the path of the first field whose text cannot be stored: names of fields, separated by dots. Undefined: none.
 * It does not recurse, so deep values do not exhaust the stack.
 */
export function unstorableField(value: unknown): string | undefined {
  const open: { value: unknown; path: string }[] = [{ value, path: '' }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value: found, path } = next;
    if (typeof found === 'string' && !isStorable(found)) return path;
    if (typeof found !== 'object' || found === null || Buffer.isBuffer(found)) continue;
    for (const [name, inner] of Object.entries(found)) {
      // A path is for people to read, so it is cut at this length.
      const inside = path.length > 100 ? path : path === '' ? name : `${path}.${name}`;
      if (!isStorable(name)) return path;
      open.push({ value: inner, path: inside });
    }
  }
  return undefined;
}

/** Returns a text with a mark in place of every character that cannot be stored. */
export function storableText(text: string): string {
  return text.replace(new RegExp(unstorable, 'g'), '\ufffd');
}

/**
 * Returns a JSON value as text that can be stored.
 * @throws RangeError it is nested too deeply to be written
 */
export function storableJson(value: unknown): string {
  // Unstorable characters appear as an escape, `\u0000` or one half of a pair; complete pairs are written unescaped.
  return JSON.stringify(value).replace(/\\(?:u0000|u[dD][89a-fA-F][\da-fA-F]{2}|.)/g, (found) =>
    /^\\u(?:0000|d)/i.test(found) ? '\ufffd' : found,
  );
}
