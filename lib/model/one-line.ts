/** What would end the line of a log, or tell a terminal to do something: control characters, line ends, changes of direction. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/gu;
const short: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/** A text as it may stand in a log: what is named by others (jobs, files, printers' own words) cannot begin a line of its own. */
export function oneLine(text: string): string {
  return text.replace(
    unprintable,
    (found) => short[found] ?? `\\u${found.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}
