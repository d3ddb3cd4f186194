const powersOfTen = Float64Array.from({ length: 23 }, (_, exponent) => 10 ** exponent);
/** 15 decimal digits are exact in a double. */
const exactDigits = 15;

const isDigit = (byte: number) => byte >= 48 && byte <= 57;

/**
 * The number that the bytes from `start` to `end` represent in ASCII (`-1.5`, `.5`, `2.`, `1e-3`), NaN if they represent none.
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
    if (isDigit(byte)) {
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
  const byte = bytes[at];
  if (at < end && (byte === 69 || byte === 101)) {
    at++;
    const exponentSign = bytes[at];
    if (exponentSign === 45 || exponentSign === 43) at++;
    const first = at;
    let exponent = 0;
    for (; at < end && isDigit(bytes[at] ?? 0); at++) exponent = exponent * 10 + ((bytes[at] ?? 0) - 48);
    if (at === first) return Number.NaN;
    scale += exponentSign === 45 ? -exponent : exponent;
  }
  if (at < end) return Number.NaN;
  const power = powersOfTen[Math.abs(scale)];
  if (digits > exactDigits || power === undefined) return parseSlowly(bytes, start, end);
  const value = scale < 0 ? mantissa / power : mantissa * power;
  return negative ? -value : value;
}

function parseSlowly(bytes: Uint8Array, start: number, end: number): number {
  return Number(Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString('latin1'));
}
