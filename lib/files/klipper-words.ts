const word = /([A-Za-z_]\w*)=(?:"([^"\\#*;]*)"|'([^'\\#*;]*)'|([^\s"'\\#*;]*))(?=\s|$)/y;

/**
 * The words of one of Klipper's commands (`HEATER=extruder TARGET=210`), their names in capitals; of one that comes twice the
 * last counts, as in Klipper. Null if it holds what versions of Klipper read differently: broken quotes, backslashes, `#`.
 */
export function klipperWords(text: string): ReadonlyMap<string, string> | null {
  const end = text.indexOf(';');
  const line = end < 0 ? text : text.slice(0, end);
  const words = new Map<string, string>();
  let at = 0;
  for (;;) {
    while (at < line.length && line.charCodeAt(at) <= 32) at++;
    if (at >= line.length) return words;
    word.lastIndex = at;
    const found = word.exec(line);
    if (!found) return null;
    const [whole, name = '', double, single, bare] = found;
    words.set(name.toUpperCase(), double ?? single ?? bare ?? '');
    at += whole.length;
  }
}

/** A plain decimal number; NaN for everything else, also for what only Python takes for one. */
export const plainNumber = (text: string | undefined): number =>
  text !== undefined && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
