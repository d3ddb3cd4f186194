import type { CampaignResult } from './campaign';

/** A campaign's figures as a Markdown table. */
export function asTable(pair: string, result: CampaignResult): string {
  const rows: [string, number][] = [
    ['attempts', result.attempts],
    ['faults', result.faults],
    ['starts', result.starts],
    ['double starts', result.double_starts],
    ['starts on an occupied bed', result.occupied_bed_starts],
    ['starts on the wrong machine', result.wrong_machine_starts],
    ['lost jobs', result.lost_jobs],
    ['wedged jobs', result.wedged_jobs],
    ['printers that were not reached again', result.stranded_printers],
    ['history gaps', result.history_gaps],
    ['printed after `cancelled`', result.cancelled_but_printed],
    ['writes without a valid claim', result.stale_writes],
    ['grams or costs that do not add up', result.material_errors],
    ['prints by the wrong tool, in the wrong filament, or of other grams', result.wrong_filament],
    ['wrong files taken', result.wrong_file],
    ['without a way out', result.without_way_out],
    ['crashes', result.crashes],
    ['outcomes unknown', result.unknown_outcomes],
    ['of these undecidable', result.undecidable],
  ];
  const faults = Object.entries(result.by_kind).sort(([a], [b]) => (a < b ? -1 : 1));
  return [
    '',
    `| ${pair} | |`,
    '|---|---:|',
    ...rows.map(([name, value]) => `| ${name} | ${value} |`),
    ...faults.map(([name, value]) => `| ↳ ${name.replaceAll('_', ' ')} | ${value} |`),
    '',
  ].join('\n');
}
