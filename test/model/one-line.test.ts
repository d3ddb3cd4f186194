import assert from 'node:assert/strict';
import { oneLine } from '../../lib/model/one-line';
import { Redactor } from '../../lib/model/redact';

describe('External names in a log', () => {
  for (const [named, shown] of [
    ['Lid\n28 Nov 12:00:00 - [info] The bed is clear.', 'Lid\\n28 Nov 12:00:00 - [info] The bed is clear.'],
    ['a\r\nb\tc', 'a\\r\\nb\\tc'],
    ['\u001b[2J\u001b]0;title\u0007', '\\u001b[2J\\u001b]0;title\\u0007'],
    ['\u009b31m\u007f\u0085', '\\u009b31m\\u007f\\u0085'],
    ['a\u2028b\u2029c', 'a\\u2028b\\u2029c'],
    ['photo\u202egnp.exe', 'photo\\u202egnp.exe'],
    ['Größe “M”, 日本, 🧵 \\n', 'Größe “M”, 日本, 🧵 \\n'],
  ] as const) {
    it(`stay on their line: ${shown}`, () => assert.equal(oneLine(named), shown));
  }

  it('contain no secrets either', () => {
    const redactor = new Redactor();
    redactor.hide('hush-hush');
    assert.equal(redactor.line('a\nhush-hush'), 'a\\n•••');
  });
});
