const word = /([A-Za-z_]\w*)=(?:"([^"\\#*;]*)"|'([^'\\#*;]*)'|([^\s"'\\#*;]*))(?=\s|$)/y;

/**
 * The parameters of one of Klipper's commands (`HEATER=extruder TARGET=210`), their names in capitals; if one occurs twice the
 * last counts, as in Klipper. Null if it contains something that versions of Klipper read differently: broken quotes, backslashes, `#`.
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

/** A plain decimal number; NaN for everything else, also for text that only Python reads as one. */
export const plainNumber = (text: string | undefined): number =>
  text !== undefined && /^[+-]?(\d+\.?\d*|\.\d+)$/.test(text) ? Number(text) : Number.NaN;
