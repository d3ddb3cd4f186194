import assert from 'node:assert/strict';
import { randomBytes } from 'node:crypto';
import { crc32, crc32ByTable } from '../../lib/files/crc32';

describe('CRC-32', () => {
  for (const [name, sum] of Object.entries({ crc32, crc32ByTable })) {
    it(`is that of ZIP, in one piece or several (${name})`, () => {
      const text = Buffer.from('123456789');
      assert.equal(sum(text, 0), 0xcbf43926, 'the check value of the CRC catalogue');
      assert.equal(sum(text.subarray(4), sum(text.subarray(0, 4), 0)), 0xcbf43926);
      assert.equal(sum(Buffer.alloc(0), 0), 0);
    });
  }

  it('is the same from Node.js and from the table', () => {
    const bytes = randomBytes(10_000);
    assert.equal(crc32ByTable(bytes, 0), crc32(bytes, 0));
  });
});
