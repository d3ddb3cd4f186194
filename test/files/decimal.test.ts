import assert from 'node:assert/strict';
import { parseDecimal } from '../../lib/files/decimal';

const parse = (text: string) => {
  const bytes = Buffer.from(`x${text}y`);
  return parseDecimal(bytes, 1, bytes.length - 1);
};

describe('reading decimals', () => {
  it('agrees with Number to the last bit', () => {
    const samples = [
      '0',
      '-0.5',
      '.5',
      '2.',
      '+7',
      '1e-3',
      '-1.25E+2',
      '123456789012345678.9',
      '1e300',
      '4.9e-324',
      '0.1e23',
    ];
    for (let i = 0; i < 5000; i++) {
      const value = (Math.random() - 0.5) * 10 ** (Math.floor(Math.random() * 30) - 12);
      samples.push(String(value), value.toExponential(6), value.toFixed(6), String(Math.fround(value)));
    }
    for (const text of samples) assert.equal(parse(text), Number(text), text);
  });

  it('rejects what is not a number', () => {
    for (const text of ['', '-', '.', 'nan', 'inf', '1,5', '1e', '1e+', '0x10', '1.2.3', '1-2', 'e5']) {
      assert.ok(Number.isNaN(parse(text)), text);
    }
  });
});
