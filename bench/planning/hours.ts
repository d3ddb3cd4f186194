import type { OperatorHours } from '../../lib/planning/calendar';

/** Reads `08:00-20:00`; `00:00-24:00` is always there. */
export function hoursOf(text: string): OperatorHours {
  const match = /^(\d\d):(\d\d)-(\d\d):(\d\d)$/.exec(text);
  if (!match) throw new Error(`operator hours are written 08:00-20:00, not ${text}`);
  const [, a, b, c, d] = match.map(Number);
  const begin = (a ?? 0) * 60 + (b ?? 0);
  const end = (c ?? 0) * 60 + (d ?? 0);
  return end - begin === 1440 ? { timeZone: 'UTC', begin: 0, end: 0 } : { timeZone: 'UTC', begin, end };
}
