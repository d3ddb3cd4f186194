import { PlatewiseError } from './errors';

/** The price of electricity by time of day. */
export interface Tariff {
  /** USD per kWh outside of all windows. */
  usdPerKwh: number;
  /** Daily windows in minutes after local midnight; one whose end precedes its start spans midnight. */
  windows: { fromMinute: number; toMinute: number; usdPerKwh: number }[];
  /** IANA name; `undefined`: that of this machine. */
  timeZone?: string;
}

const clock = /^([01]?\d|2[0-4]):([0-5]\d)$/;

function minuteOf(text: string): number {
  const [, hours, minutes] = clock.exec(text) ?? [];
  return Number(hours) * 60 + Number(minutes);
}

/**
 * Parses a tariff such as `0.32; 22:00-06:00 0.21; 17:00-20:00 0.40`: the price of a kWh in USD, then the prices of daily windows.
 *
 * @throws PlatewiseError `bad_tariff`
 */
export function parseTariff(text: string, timeZone?: string): Tariff {
  const bad = (part: string) =>
    new PlatewiseError(`The tariff "${text}" is not understood at "${part}".`, {
      code: 'bad_tariff',
      remedy: 'Write a price per kWh, then windows of the day: 0.32; 22:00-06:00 0.21',
    });
  const price = (word: string | undefined): number => {
    const value = Number(word);
    if (word === undefined || word === '' || !(value >= 0 && value < 1000)) throw bad(word ?? text);
    return value;
  };
  const [base, ...rest] = text.split(';').map((part) => part.trim());
  const windows = rest
    .filter((part) => part !== '')
    .map((part) => {
      const [, from, to, cost] = /^(\S+?)\s*-\s*(\S+)\s+(\S+)$/.exec(part) ?? [];
      if (from === undefined || to === undefined || !clock.test(from) || !clock.test(to)) throw bad(part);
      return { fromMinute: minuteOf(from), toMinute: minuteOf(to), usdPerKwh: price(cost) };
    });
  if (timeZone !== undefined) {
    try {
      new Intl.DateTimeFormat('en', { timeZone });
    } catch {
      throw bad(timeZone);
    }
  }
  return { usdPerKwh: price(base), windows, ...(timeZone !== undefined && { timeZone }) };
}

const stepMs = 5 * 60_000;
const hourMs = 3_600_000;
/** A longer print is counted as one of this many hours, scaled, because prices repeat every day. */
const countedHours = 24 * 14;

/**
 * Returns the price of a machine's electricity (USD) for a number of hours from a moment on, in steps of five minutes. Daylight
 * saving is that of the tariff's time zone.
 *
 * @param startedAt ms since 1970
 */
export function electricityUsd(tariff: Tariff, watts: number, startedAt: number, hours: number): number {
  if (!(hours > 0) || !(watts > 0)) return 0;
  const local = new Intl.DateTimeFormat('en-GB', {
    hour: '2-digit',
    minute: '2-digit',
    hourCycle: 'h23',
    ...(tariff.timeZone !== undefined && { timeZone: tariff.timeZone }),
  });
  const counted = Math.min(hours, countedHours);
  const end = startedAt + counted * hourMs;
  let usd = 0;
  for (let at = startedAt; at < end; ) {
    const next = Math.min(end, (Math.floor(at / stepMs) + 1) * stepMs);
    usd += (watts / 1000) * ((next - at) / hourMs) * priceAt(tariff, minuteOf(local.format(at)));
    at = next;
  }
  return (usd * hours) / counted;
}

function priceAt(tariff: Tariff, minute: number): number {
  const window = tariff.windows.find(({ fromMinute, toMinute }) =>
    fromMinute < toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute,
  );
  return window?.usdPerKwh ?? tariff.usdPerKwh;
}
