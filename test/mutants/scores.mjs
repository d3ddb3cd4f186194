// Reads Stryker's report: a score for each folder and file, and the survivors.
import { readFileSync } from 'node:fs';
import { dirname } from 'node:path';

const caught = new Set(['Killed', 'Timeout']);
const missed = new Set(['Survived', 'NoCoverage']);

/** The number of caught mutants out of all, by folder and file; and the survivors. */
export function scoresOf(reportFile) {
  const { files } = JSON.parse(readFileSync(reportFile, 'utf8'));
  const rows = [];
  const survivors = [];
  for (const [file, { source, mutants }] of Object.entries(files).sort()) {
    const lines = source.split('\n');
    const counted = mutants.filter(({ status }) => caught.has(status) || missed.has(status));
    const killed = counted.filter(({ status }) => caught.has(status)).length;
    const ignored = mutants.filter(({ status }) => status === 'Ignored').length;
    rows.push({ name: file, folder: dirname(file), killed, of: counted.length, ignored });
    for (const { status, replacement, location } of counted) {
      if (!missed.has(status)) continue;
      const { start, end } = location;
      const line = lines[start.line - 1] ?? '';
      const before =
        start.line === end.line ? line.slice(start.column - 1, end.column - 1) : `${line.slice(start.column - 1)} …`;
      survivors.push({ file, line: start.line, status, before, after: replacement ?? '' });
    }
  }
  return { rows, survivors };
}

/** A table in Markdown: the folders, then their files. */
export function tableOf(rows) {
  const percent = ({ killed, of }) => (of === 0 ? '–' : `${((100 * killed) / of).toFixed(1)} %`);
  const line = (name, one) => `| ${name} | ${one.killed} of ${one.of} | ${percent(one)} |`;
  const sum = (some) => ({
    killed: some.reduce((all, { killed }) => all + killed, 0),
    of: some.reduce((all, { of }) => all + of, 0),
  });
  const out = ['| | killed | score |', '|---|---|---|'];
  for (const folder of [...new Set(rows.map((row) => row.folder))]) {
    const own = rows.filter((row) => row.folder === folder);
    out.push(line(`**\`${folder}\`**`, sum(own)));
    for (const row of own) out.push(line(`\`${row.name.slice(folder.length + 1)}\``, row));
  }
  out.push(line('**all**', sum(rows)));
  return out.join('\n');
}
