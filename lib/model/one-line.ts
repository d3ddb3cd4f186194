/** Characters that could end a log line or control a terminal: control characters, line ends, changes of direction. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** Makes a text safe for a log: foreign texts (names of jobs and files, messages of printers) cannot begin a line of their own. */
export function oneLine(text: string): string {
  return text.replace(
    unprintable,
    (found) => short[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
