import { UnacceptableInputError } from '../model/errors';

/** Operator hours, in the farm's local time. */
export interface OperatorHours {
  /** IANA name, as in `Europe/Berlin`. */
  timeZone: string;
  /** Minutes after local midnight; an end below the begin lies on the next day. Both equal: always present. */
  begin: number;
  end: number;
  /** Days of the week on which a shift begins, 0 is Sunday; absent: every day. */
  days?: number[];
}

const written = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;

/**
 * Reads `08:00-20:00`, an end below the begin on the next day, `00:00-24:00` always.
 * @param field the name of the setting
 * @throws UnacceptableInputError hours, time zone or days are invalid; names the field
 */
export function hoursFrom(text: string, timeZone: string, days?: number[], field = 'operator_hours'): OperatorHours {
  const refuse = (name: string, value: unknown, remedy: string): UnacceptableInputError =>
    new UnacceptableInputError(`${name} "${String(value)}" is not understood. ${remedy}`, [
      { field: name, value, remedy },
    ]);
  const [, a, b, c, d] = (written.exec(text.trim().replace(/-24:00$/, '-00:00')) ?? []).map(Number);
  const until24 = /-24:00$/.test(text.trim());
  if (a === undefined || b === undefined || c === undefined || d === undefined) {
    throw refuse(field, text, 'Write from and until as HH:MM-HH:MM, for example 08:00-20:00; 00:00-24:00 is always.');
  }
  const begin = a * 60 + b;
  const end = until24 ? 1440 : c * 60 + d;
  try {
    new Intl.DateTimeFormat('en-US', { timeZone });
  } catch {
    throw refuse('time_zone', timeZone, 'Give the IANA name of a place, for example Europe/Berlin.');
  }
  const stranger = days?.find((one) => !(Number.isInteger(one) && one >= 0 && one <= 6));
  if (stranger !== undefined) {
    throw refuse('operator_days', stranger, 'Give the days as numbers from 0 (Sunday) to 6, for example 1,2,3,4,5.');
  }
  const whole = end - begin === 1440;
  return { timeZone, begin: whole ? 0 : begin, end: whole ? 0 : end, ...(days && days.length > 0 && { days }) };
}

const minute = 60_000;
const day = 1440 * minute;
const formats = new Map<string, Intl.DateTimeFormat>();
const known = new Map<string, number>();

/** How far local time is ahead of UTC at a moment (ms). */
function ahead(timeZone: string, at: number): number {
  let format = formats.get(timeZone);
  if (!format) {
    format = new Intl.DateTimeFormat('en-US', {
      timeZone,
      hourCycle: 'h23',
      year: 'numeric',
      month: 'numeric',
      day: 'numeric',
      hour: 'numeric',
      minute: 'numeric',
      second: 'numeric',
    });
    formats.set(timeZone, format);
  }
  const part: Record<string, number> = {};
  for (const { type, value } of format.formatToParts(at)) part[type] = Number(value);
  const { year = 0, month = 1, day: date = 1, hour = 0, minute: min = 0, second = 0 } = part;
  return Date.UTC(year, month - 1, date, hour, min, second) - Math.floor(at / 1000) * 1000;
}

/**
 * The first moment at which local clocks show at least this many ms since the epoch: a time that a clock change skips
 * begins with that change.
 */
function moment(timeZone: string, local: number): number {
  if (timeZone === 'UTC') return local;
  const key = `${timeZone} ${local}`;
  let at = known.get(key);
  if (at === undefined) {
    at = firstMoment(timeZone, local);
    if (known.size > 10_000) known.clear();
    known.set(key, at);
  }
  return at;
}

function firstMoment(timeZone: string, local: number): number {
  // No time zone changes its clocks twice within two days.
  const offsets = [ahead(timeZone, local - day), ahead(timeZone, local + day)] as const;
  const early = local - Math.max(...offsets);
  const late = local - Math.min(...offsets);
  const shown = (at: number): number => at + ahead(timeZone, at);
  if (shown(early) === local) return early;
  if (shown(late) === local) return late;
  // `early` lies before the change, `late` after it.
  let before = Math.floor(early / minute);
  let after = Math.ceil(late / minute);
  while (after - before > 1) {
    const middle = (before + after) >> 1;
    if (shown(middle * minute) >= local) after = middle;
    else before = middle;
  }
  return after * minute;
}

/** The minutes after a start in which an operator is present, as ascending [open, close] pairs. */
export class OperatorCalendar {
  readonly always: boolean;
  readonly #open: number[] = [];
  readonly #close: number[] = [];

  /**
   * @param from ms since 1970, the zero of all minutes
   * @param days how far it looks ahead
   * @param earliest no operator is present before this (ms since 1970), whatever the hours
   */
  constructor(hours: OperatorHours | null, from: number, days: number, earliest = from) {
    this.always = earliest <= from && (hours === null || hours.begin === hours.end);
    if (hours === null || this.always) return;
    if (hours.begin === hours.end) {
      this.#open.push((earliest - from) / minute);
      this.#close.push(days * 1440);
      return;
    }
    const offset = hours.timeZone === 'UTC' ? 0 : ahead(hours.timeZone, from);
    const midnight = Math.floor((from + offset) / day) * day;
    for (let k = -1; k <= days; k++) {
      const date = midnight + k * day;
      if (hours.days && !hours.days.includes(new Date(date).getUTCDay())) continue;
      const open = moment(hours.timeZone, date + hours.begin * minute);
      const close = moment(hours.timeZone, date + (hours.end < hours.begin ? day : 0) + hours.end * minute);
      if (close <= earliest) continue;
      this.#open.push((Math.max(open, earliest > from ? earliest : open) - from) / minute);
      this.#close.push((close - from) / minute);
    }
  }

  /** The first moment from `at` at which work of `length` minutes can start and end with an operator present. */
  next(at: number, length: number): number {
    if (this.always) return at;
    for (let k = this.#index(at); k < this.#open.length; k++) {
      const begin = Math.max(at, this.#open[k] as number);
      if (begin + length <= (this.#close[k] as number) + 1e-9) return begin;
    }
    return Number.POSITIVE_INFINITY;
  }

  /** The first moment from `at` at which no operator is present. */
  after(at: number): number {
    let time = at;
    for (let k = this.#index(time); k < this.#open.length && (this.#open[k] as number) <= time; k++) {
      time = Math.max(time, this.#close[k] as number);
    }
    return time;
  }

  /** Minutes between two moments during which an operator is present. */
  present(from: number, to: number): number {
    if (this.always) return to - from;
    let sum = 0;
    for (let k = this.#index(from); k < this.#open.length && (this.#open[k] as number) < to; k++) {
      sum += Math.max(0, Math.min(to, this.#close[k] as number) - Math.max(from, this.#open[k] as number));
    }
    return sum;
  }

  /** The operator hours between two moments, as [begin, end] pairs. */
  shifts(from: number, to: number): [number, number][] {
    if (this.always) return [[from, to]];
    const found: [number, number][] = [];
    for (let k = this.#index(from); k < this.#open.length && (this.#open[k] as number) < to; k++) {
      found.push([Math.max(from, this.#open[k] as number), Math.min(to, this.#close[k] as number)]);
    }
    return found;
  }

  /** The first shift that is not over at a moment. */
  #index(at: number): number {
    let low = 0;
    let high = this.#close.length;
    while (low < high) {
      const mid = (low + high) >> 1;
      if ((this.#close[mid] as number) <= at) low = mid + 1;
      else high = mid;
    }
    return low;
  }
}
