/** A line of the text format: a value with its labels. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/**
 * Reads the text format of Prometheus, strictly.
 * @throws Error a line does not match the format, or a sample comes before its type
 */
export function readPrometheusText(text: string): Sample[] {
  if (!text.endsWith('\n')) throw new Error('The last line is not terminated.');
  const types = new Map<string, string>();
  return text.split('\n').flatMap((line) => {
    const [, typed = '', type = ''] =
      /^# TYPE ([a-zA-Z_:][\w:]*) (counter|gauge|histogram|summary|untyped)$/.exec(line) ?? [];
    if (typed) types.set(typed, type);
    if (line === '' || typed || /^# HELP [a-zA-Z_:][\w:]* .+$/.test(line)) return [];
    const found = /^([a-zA-Z_:][\w:]*)(\{(.*)\})? ([Nn]a[Nn]|[+-]?Inf|[-+\d.eE]+)( \d+)?$/.exec(line);
    if (!found) throw new Error(`This line does not match the format: ${line}`);
    const [, name = '', , inside = '', value = ''] = found;
    const family = name.replace(/_(bucket|sum|count)$/, '');
    if (!types.has(name) && !types.has(family)) throw new Error(`${name} has no type.`);
    const labels = Object.fromEntries(
      [...inside.matchAll(/([a-zA-Z_]\w*)="((?:[^"\\]|\\.)*)",?/g)].map(([, label = '', text = '']) => [label, text]),
    );
    const rebuilt = Object.entries(labels).map(([label, told]) => `${label}="${told}"`);
    if (rebuilt.join(',') !== inside) throw new Error(`The labels do not match the format: ${inside}`);
    return [{ name, labels, value: Number(value.replace('Inf', 'Infinity')) }];
  });
}
