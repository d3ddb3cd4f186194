/** What no column of the database, and hardly any program, can hold: a NUL, or half of a character of two parts. */
const unstorable = /\0|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/;

/** Whether a text can be stored. */
function isStorable(text: string): boolean {
  return !unstorable.test(text);
}

/**
 * Where in a value a text stands that cannot be stored: names of fields with dots between them. Undefined: nowhere.
 * However deep the value is, the stack is not.
 */
export function unstorableField(value: unknown): string | undefined {
  const open: { value: unknown; path: string }[] = [{ value, path: '' }];
  for (let next = open.pop(); next; next = open.pop()) {
    const { value: found, path } = next;
    if (typeof found === 'string' && !isStorable(found)) return path;
    if (typeof found !== 'object' || found === null || Buffer.isBuffer(found)) continue;
    for (const [name, inner] of Object.entries(found)) {
      // A path is for people to read: what lies deeper than that is named by where it begins.
      const inside = path.length > 100 ? path : path === '' ? name : `${path}.${name}`;
      if (!isStorable(name)) return path;
      open.push({ value: inner, path: inside });
    }
  }
  return undefined;
}

/** A text with a mark in the place of everything that cannot be stored. */
export function storableText(text: string): string {
  return text.replace(new RegExp(unstorable, 'g'), '\ufffd');
}

/**
 * A value of JSON as the text of one that can be stored.
 * @throws RangeError it is nested too deeply to be written
 */
export function storableJson(value: unknown): string {
  // What cannot be stored stands there as an escape, `\u0000` or half of a pair; whole pairs are written as they are.
  return JSON.stringify(value).replace(/\\(?:u0000|u[dD][89a-fA-F][\da-fA-F]{2}|.)/g, (found) =>
    /^\\u(?:0000|d)/i.test(found) ? '\ufffd' : found,
  );
}
