import { readFileSync } from 'node:fs';
import { join } from 'node:path';

const heading = '| scenario |';

/** The published table of the conformance suite in `docs/printers.md`: the result of each driver in each scenario. */
export function publishedTable(): { columns: string[]; rows: Map<string, string[]> } {
  const lines = readFileSync(join(process.cwd(), 'docs', 'printers.md'), 'utf8').split('\n');
  const start = lines.findIndex((line) => line.startsWith(heading));
  const cells = (line: string): string[] =>
    line
      .split('|')
      .slice(1, -1)
      .map((cell) => cell.trim());
  const [, ...columns] = cells(lines[start] ?? '');
  const rows = new Map<string, string[]>();
  for (const line of lines.slice(start + 2)) {
    if (!line.startsWith('|')) break;
    const [name = '', ...verdicts] = cells(line);
    rows.set(name, verdicts);
  }
  return { columns, rows };
}

/** The table's entry for one driver in one scenario; undefined if it has none. */
export function verdictOf(scenario: string, subject: string): string | undefined {
  const { columns, rows } = publishedTable();
  return rows.get(scenario)?.[columns.indexOf(subject)];
}
