import type { Random } from '../../faults/random';

const deep = (levels: number, open: string, close: string): unknown =>
  JSON.parse(`${open.repeat(levels)}1${close.repeat(levels)}`);

/** Texts that have broken some software before. None of them resembles anything that an answer must not reveal. */
export const hostileTexts: readonly string[] = [
  '',
  ' ',
  '\u0000',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202e\u200b\ufeff',
  '👩‍👩‍👧‍👦'.repeat(20),
  'ﷺ'.repeat(100),
  'x'.repeat(256),
  'x'.repeat(70_000),
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "'; DROP TABLE print_jobs; --",
  '$1',
  '%s%n%x',
  '{{7*7}}<%=7*7%>',
  '../../../../etc/passwd',
  '/etc/passwd',
  '/proc/self/environ',
  'file:///etc/passwd',
  '\\\\server\\share',
  'C:\\Windows\\win.ini',
  'CON',
  'null',
  'undefined',
  'NaN',
  '-1',
  '1e309',
  '__proto__',
  'constructor',
  'toString',
  'line\r\nSet-Cookie: a=b',
  '00000000-0000-4000-8000-000000000000',
  '00000000-0000-0000-0000-00000000000g',
  '9999-12-31T23:59:60Z',
  '0000-01-01T00:00:00Z',
  '2026-02-30T00:00:00Z',
  '+275760-09-13T00:00:00.000Z',
  '2026-11-24T08:00:00+99:99',
];

/** Values of every type except the requested one. */
export const hostileValues: readonly unknown[] = [
  null,
  true,
  false,
  0,
  -0,
  -1,
  1.5,
  2 ** 31,
  2 ** 53,
  -(2 ** 63),
  1e300,
  5e-324,
  [],
  {},
  [[]],
  [null],
  { length: -1 },
  { toString: 'x' },
  deep(50, '[', ']'),
  deep(1000, '[', ']'),
  deep(800, '{"a":', '}'),
  Array.from({ length: 2000 }, (_, index) => index),
  ...hostileTexts,
];

/** Texts that are not JSON, or JSON that no schema accepts. */
export const hostileBodies: readonly (string | Buffer)[] = [
  '',
  ' ',
  '{',
  '}',
  '[',
  '{"a":}',
  '{"a":NaN}',
  '{"a":Infinity}',
  '{"a":1,}',
  "{'a':1}",
  '{"a":1e999999}',
  '{"priority":1e999}',
  '{"__proto__":{"priority":1}}',
  '{"constructor":{"prototype":{"admin":true}}}',
  '{"priority":1,"priority":2}',
  '\ufeff{}',
  'null',
  'true',
  '1',
  '"text"',
  '[]',
  '[{}]',
  '['.repeat(100_000),
  `${'['.repeat(20_000)}${']'.repeat(20_000)}`,
  `{"a":${'{"a":'.repeat(5000)}1${'}'.repeat(5000)}}`,
  `"${'x'.repeat(200_000)}"`,
  `{"a":"${'x'.repeat(1_200_000)}"}`,
  Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x22, 0x3a, 0x31, 0x7d]),
  Buffer.from([0x1f, 0x8b, 0x08, 0x00, 0x00]),
  Buffer.alloc(64),
  'job_name=a&stl_path=b',
  '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>',
];

export const contentTypes: readonly (string | undefined)[] = [
  undefined,
  'application/json',
  'application/json; charset=utf-8',
  'application/json; charset=utf-16',
  'application/json; charset=none',
  'application/merge-patch+json',
  'text/plain',
  'text/html',
  'application/x-www-form-urlencoded',
  'application/xml',
  'application/octet-stream',
  'multipart/form-data',
  'multipart/form-data; boundary=',
  'multipart/form-data; boundary=x',
  'multipart/mixed; boundary=x',
  'nonsense',
  ';;;',
];

/** One of several. */
export function one<Item>(random: Random, items: readonly Item[]): Item {
  return items[random.whole(0, items.length - 1)] as Item;
}

/** A text as a part of a URL: correctly encoded, or not. */
export function asPathPart(random: Random, text: string): string {
  const wrong = ['%', '%zz', '%E0%A4', '%c0%ae%c0%ae', '%2e%2e%2fetc', '%00', '..%2f..%2f', '*', '%F0%28%8C%28'];
  if (random.next() < 0.2) return one(random, wrong);
  // An empty part is another URL, and a lone surrogate has no encoding.
  return encodeURIComponent(text.slice(0, 2000).replace(/\p{Surrogate}/gu, '?')) || '%20';
}
