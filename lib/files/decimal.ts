const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
/** 15 decimal digits are exact in a double. */
const exactDigits = 15;

/**
 * The number that the bytes from `start` to `end` spell in ASCII (`-1.5`, `.5`, `2.`, `1e-3`), NaN if they spell none.
 * One multiplication or division by an exact power of ten, so the result is correctly rounded; longer mantissas and
 * larger exponents go through `Number`.
 */
export function parseDecimal(bytes: Uint8Array, start: number, end: number): number {
  let at = start;
  let negative = false;
  const sign = bytes[at];
  if (sign === 45 || sign === 43) {
    negative = sign === 45;
    at++;
  }
  let mantissa = 0;
  let digits = 0;
  let scale = 0;
  let pointSeen = false;
  for (; at < end; at++) {
    const byte = bytes[at] ?? 0;
    if (byte >= 48 && byte <= 57) {
      mantissa = mantissa * 10 + (byte - 48);
      digits++;
      if (pointSeen) scale--;
    } else if (byte === 46 && !pointSeen) {
      pointSeen = true;
    } else {
      break;
    }
  }
  if (digits === 0) return Number.NaN;
  if (at < end || digits > exactDigits) return parseSlowly(bytes, start, end);
  const value = scale < 0 ? mantissa / (powersOfTen[-scale] ?? 1) : mantissa;
  return negative ? -value : value;
}

const decimalForm = /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i;

function parseSlowly(bytes: Uint8Array, start: number, end: number): number {
  const text = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1');
  return decimalForm.test(text) ? Number(text) : Number.NaN;
}
