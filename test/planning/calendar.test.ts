import assert from 'node:assert/strict';
import { UnacceptableInputError } from '../../lib/model/errors';
import { hoursFrom, OperatorCalendar } from '../../lib/planning/calendar';

const minute = 60_000;

describe('Hours as text', () => {
  for (const [text, begin, end] of [
    ['08:00-20:00', 480, 1200],
    [' 22:30-06:15 ', 1350, 375],
    ['00:00-24:00', 0, 0],
    ['16:00-24:00', 960, 1440],
  ] as const) {
    it(`are understood: ${text}`, () => assert.deepEqual(hoursFrom(text, 'UTC'), { timeZone: 'UTC', begin, end }));
  }

  const bad: [string, string, number[] | undefined, string][] = [
    ['08:99-20:00', 'UTC', undefined, 'operator_hours'],
    ['08:00-20:60', 'UTC', undefined, 'operator_hours'],
    ['24:30-08:00', 'UTC', undefined, 'operator_hours'],
    ['25:00-26:00', 'UTC', undefined, 'operator_hours'],
    ['8-20', 'UTC', undefined, 'operator_hours'],
    ['08:00–20:00', 'UTC', undefined, 'operator_hours'],
    ['', 'UTC', undefined, 'operator_hours'],
    ['08:00-20:00', 'Mars/Olympus', undefined, 'time_zone'],
    ['08:00-20:00', 'UTC', [7], 'operator_days'],
    ['08:00-20:00', 'UTC', [Number.NaN], 'operator_days'],
  ];
  for (const [text, zone, days, field] of bad) {
    it(`are rejected, with the field, its value and a remedy: ${[text, zone, days ?? ''].join(' ')}`, () => {
      assert.throws(
        () => hoursFrom(text, zone, days),
        (error) => {
          assert.ok(error instanceof UnacceptableInputError, String(error));
          assert.deepEqual(
            error.errors.map((one) => one.field),
            [field],
          );
          assert.ok(error.errors[0]?.value !== undefined && error.remedy !== '');
          return true;
        },
      );
    });
  }
});

describe('A window of hours', () => {
  // zone, hours, a moment before, its next opening and closing
  const cases: [string, string, string, string, string, string][] = [
    [
      'America/Santiago',
      '00:00-08:00',
      'the hour of midnight is left out',
      '2026-09-05T20:00Z',
      '2026-09-06T04:00Z',
      '2026-09-06T11:00Z',
    ],
    [
      'America/Santiago',
      '00:30-08:00',
      'the hour of midnight is left out',
      '2026-09-05T20:00Z',
      '2026-09-06T04:00Z',
      '2026-09-06T11:00Z',
    ],
    [
      'America/Santiago',
      '18:00-24:00',
      'it ends in the gap',
      '2026-09-05T20:00Z',
      '2026-09-05T22:00Z',
      '2026-09-06T04:00Z',
    ],
    [
      'America/Santiago',
      '00:00-08:00',
      'the day after the gap',
      '2026-09-06T20:00Z',
      '2026-09-07T03:00Z',
      '2026-09-07T11:00Z',
    ],
    [
      'America/Santiago',
      '00:00-08:00',
      'midnight comes twice',
      '2026-04-04T20:00Z',
      '2026-04-05T04:00Z',
      '2026-04-05T12:00Z',
    ],
    [
      'Africa/Cairo',
      '00:00-06:00',
      'the hour of midnight is left out',
      '2026-04-23T12:00Z',
      '2026-04-23T22:00Z',
      '2026-04-24T03:00Z',
    ],
    [
      'Europe/Berlin',
      '02:30-10:00',
      'half past two is left out',
      '2026-03-28T20:00Z',
      '2026-03-29T01:00Z',
      '2026-03-29T08:00Z',
    ],
    ['Europe/Berlin', '08:00-20:00', 'spring', '2026-03-28T20:00Z', '2026-03-29T06:00Z', '2026-03-29T18:00Z'],
    ['Europe/Berlin', '08:00-20:00', 'autumn', '2026-10-24T20:00Z', '2026-10-25T07:00Z', '2026-10-25T19:00Z'],
    [
      'Australia/Lord_Howe',
      '02:15-10:00',
      'half an hour is left out',
      '2026-10-03T10:00Z',
      '2026-10-03T15:30Z',
      '2026-10-03T23:00Z',
    ],
  ];
  for (const [zone, text, what, from, open, close] of cases) {
    it(`opens and closes by local time in ${zone}, ${text}: ${what}`, () => {
      const begin = Date.parse(from);
      const shifts = new OperatorCalendar(hoursFrom(text, zone), begin, 3).shifts(0, 2 * 1440);
      const [first] = shifts.map(([a, b]) => [a, b].map((at) => new Date(begin + at * minute).toISOString()));
      assert.deepEqual(
        first,
        [open, close].map((at) => new Date(at).toISOString()),
      );
    });
  }
});
