import { stringify } from 'csv-stringify/sync';
import type { Farm } from '../farm/farm';
import { type FieldError, MalformedInputError } from '../model/errors';
import { type NumbersBy, type NumbersRow, numbersBy, numbersOf } from '../store/numbers';

const day = 24 * 3_600_000;
/** The default length of the period. */
const usually = 7 * day;
const longest = 366 * day;

/** The figures of a group, or of all. Print hours are printer time, others wall time; money is USD. */
export interface NumbersView {
  prints: number;
  completed: number;
  failed: number;
  cancelled: number;
  print_hours: number;
  busy_hours: number;
  available_hours: number;
  /** The share of the printers' available time spent printing; null if there was none. */
  utilisation_percent: number | null;
  /** Changes of filament. */
  swaps: number;
  deadlines: number;
  deadlines_kept: number;
  deadlines_kept_percent: number | null;
  /** The deviation of the durations of completed prints from their estimates. */
  eta_error_percent: number | null;
  grams: number;
  filament_usd: number;
  machine_usd: number;
  electricity_usd: number;
  cost_usd: number;
}

/** The figures of a period, by group and in total. */
export interface Numbers {
  from: string;
  to: string;
  by: NumbersBy;
  time_zone: string;
  groups: ({ key: string; name: string } & NumbersView)[];
  total: NumbersView;
}

/**
 * Returns the figures of a period: from `from` (default: seven days back) until `to` (default: now), by day, printer or material.
 * Days begin at midnight of `time_zone` (UTC).
 * @throws MalformedInputError the query is invalid
 */
export async function numbers(farm: Farm, input: Record<string, unknown>): Promise<Numbers> {
  const { from, to, by, zone } = parseQuery(input);
  const range = { from: new Date(from).toISOString(), to: new Date(to).toISOString(), by, zone };
  const rows = await numbersOf(farm.database, range);
  const all = rows.find((row) => row.key === null);
  if (!all) throw new Error('PostgreSQL returned no total.');
  return {
    from: range.from,
    to: range.to,
    by,
    time_zone: zone,
    groups: rows.flatMap((row) =>
      row.key === null ? [] : [{ key: row.key, name: row.name ?? row.key, ...view(row) }],
    ),
    total: view(all),
  };
}

/**
 * Returns the figures as a table for a spreadsheet (RFC 4180), with the total last. Cells that a program could read as formulas become
 * text.
 */
export function numbersCsv({ groups, total }: Numbers): string {
  return stringify([...groups, { key: 'total', name: 'Total', ...total }], {
    header: true,
    columns: ['key', 'name', ...Object.keys(total)],
    record_delimiter: '\r\n',
    escape_formulas: true,
  });
}

function view(row: NumbersRow): NumbersView {
  return {
    prints: row.completed + row.failed + row.cancelled,
    completed: row.completed,
    failed: row.failed,
    cancelled: row.cancelled,
    print_hours: rounded(row.printHours),
    busy_hours: rounded(row.busyHours),
    available_hours: rounded(row.availableHours),
    utilisation_percent: percent(row.busyHours, row.availableHours),
    swaps: row.swaps,
    deadlines: row.deadlines,
    deadlines_kept: row.deadlinesKept,
    deadlines_kept_percent: percent(row.deadlinesKept, row.deadlines),
    eta_error_percent: percent(row.errorHours, row.estimatedHours),
    grams: rounded(row.grams),
    filament_usd: row.filamentUsd,
    machine_usd: row.machineUsd,
    electricity_usd: row.electricityUsd,
    cost_usd: row.costUsd,
  };
}

const rounded = (value: number): number => Math.round(value * 1000) / 1000;
const percent = (part: number, whole: number): number | null =>
  whole > 0 ? Math.round((1000 * part) / whole) / 10 : null;

function parseQuery(input: Record<string, unknown>): { from: number; to: number; by: NumbersBy; zone: string } {
  const errors: FieldError[] = [];
  const moment = (field: string, otherwise: number): number => {
    const value = input[field];
    if (value === undefined || value === '') return otherwise;
    if (typeof value === 'string' && /^\d{4}-\d\d-\d\dT.*(Z|[+-]\d\d:\d\d)$/.test(value)) {
      const at = Date.parse(value);
      if (!Number.isNaN(at)) return at;
    }
    const remedy = 'Give a time in ISO 8601 with a zone, for example 2026-11-24T08:00:00Z.';
    errors.push({ field, value, remedy });
    return otherwise;
  };
  const to = moment('to', Date.now());
  const from = moment('from', to - usually);
  if (errors.length === 0 && !(from < to && to - from <= longest)) {
    errors.push({ field: 'from', value: input['from'] ?? null, remedy: 'Begin before the end, at most 366 days.' });
  }
  const by = numbersBy.find((one) => one === (input['by'] ?? 'day'));
  if (!by) errors.push({ field: 'by', value: input['by'], remedy: `Use one of ${numbersBy.join(', ')}.` });
  const zone = input['time_zone'] ?? 'UTC';
  if (!isTimeZone(zone)) {
    errors.push({ field: 'time_zone', value: zone, remedy: 'Give an IANA name, for example Europe/Berlin.' });
  }
  if (!by || errors.length > 0) throw new MalformedInputError('The query of the numbers is invalid.', errors);
  return { from, to, by, zone: String(zone) };
}

function isTimeZone(name: unknown): boolean {
  // An offset (+05:00) is a zone for JavaScript, with the opposite sign for PostgreSQL.
  if (typeof name !== 'string' || !/^[A-Za-z]/.test(name)) return false;
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }) !== undefined;
  } catch {
    return false;
  }
}
