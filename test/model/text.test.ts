import assert from 'node:assert/strict';
import { storableJson, storableText, unstorableField } from '../../lib/model/text';

describe('A text that cannot be stored', () => {
  const cases: [string, unknown, unknown][] = [
    ['a NUL', { a: 'x\0y' }, { a: 'x\ufffdy' }],
    ['the first half of a character', ['\ud83d'], ['\ufffd']],
    ['the second half of a character', '\ude00.', '\ufffd.'],
    ['halves in the wrong order', '\ude00\ud83d', '\ufffd\ufffd'],
    ['a name', { 'a\0': 1 }, { 'a\ufffd': 1 }],
    ['a whole character', '😀', '😀'],
    ['text that only looks like an escape', 'C:\\u0000\\ud83d', 'C:\\u0000\\ud83d'],
    ['other escapes', '"\\\n\u0001', '"\\\n\u0001'],
  ];
  for (const [what, value, expected] of cases) {
    it(`is made storable: ${what}`, () => {
      const made: unknown = JSON.parse(storableJson(value));
      assert.deepEqual(made, expected);
      assert.equal(unstorableField(made), undefined);
      if (typeof value === 'string') assert.equal(storableText(value), expected);
    });
  }
});
