import { parseDecimal } from './decimal';

export const X = 0;
export const Y = 1;
export const Z = 2;
export const E = 3;
export const F = 5;
export const I = 6;
export const J = 7;
export const R = 8;
export const S = 9;
export const P = 10;
export const T = 11;
export const A = 12;
const wordCount = 13;

const indexOfLetter = new Int8Array(128).fill(-1);
for (const [letter, index] of [
  ['X', X],
  ['Y', Y],
  ['Z', Z],
  ['E', E],
  ['F', F],
  ['I', I],
  ['J', J],
  ['R', R],
  ['S', S],
  ['P', P],
  ['T', T],
  ['A', A],
] as const) {
  indexOfLetter[letter.charCodeAt(0)] = index;
}

/** The treatment of a word without a number; see `GcodeWords.read`. */
export type BareWord = 'bad' | 'zero' | 'flag' | 'nothing';

/** The words of one command (`X10 Y-2.5`), read without creating strings. */
export class GcodeWords {
  private readonly values = new Float64Array(wordCount);
  private present = 0;
  /** The number of invalid numbers in all lines so far. */
  badNumbers = 0;

  /**
   * Reads the words of a command up to its comment or checksum. A space may separate a letter from its number (`Z 7`):
   * Marlin and Klipper read it so.
   *
   * @param bare the treatment of a word without a number: `bad` counts it, `zero` reads it as 0 (`G92 XYZ`), `flag` too if
   *   nothing is written there (the `A` of Bambu's `M104 S140 A`), `nothing` skips it, and invalid numbers as well
   */
  read(bytes: Uint8Array, from: number, end: number, bare: BareWord): void {
    this.present = 0;
    let at = from;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      if (byte === 59 || byte === 42 || byte === 40) return; // comment or checksum
      if (byte <= 32) {
        at++;
        continue;
      }
      if (byte < 65) {
        if (bare !== 'nothing') this.badNumbers++;
        at++;
        while (at < end && isNumberByte(bytes[at] ?? 0)) at++;
        continue;
      }
      let start = at + 1;
      if (start < end && (bytes[start] ?? 0) <= 32) {
        const next = skipBlanks(bytes, start, end);
        if (next < end && isNumberByte(bytes[next] ?? 0)) start = next;
      }
      let stop = start;
      while (stop < end && isNumberByte(bytes[stop] ?? 0)) stop++;
      const index = indexOfLetter[upper(byte)] ?? -1;
      if (index >= 0) this.take(index, bytes, start, stop, end, bare);
      else if (bare === 'zero' && stop === start) this.badNumbers++;
      at = stop;
    }
  }

  has(index: number): boolean {
    return (this.present & (1 << index)) !== 0;
  }

  get(index: number): number {
    return this.values[index] ?? 0;
  }

  private take(index: number, bytes: Uint8Array, start: number, stop: number, end: number, bare: BareWord): void {
    if (stop === start && bare !== 'bad') {
      if (bare === 'flag' && stop < end && (bytes[stop] ?? 0) >= 65) this.badNumbers++;
      else if (bare !== 'nothing') this.set(index, 0);
      return;
    }
    const value = parseDecimal(bytes, start, stop);
    if (Number.isFinite(value) && Math.abs(value) < 1e9) this.set(index, value);
    else if (bare !== 'nothing') this.badNumbers++;
  }

  private set(index: number, value: number): void {
    this.values[index] = value;
    this.present |= 1 << index;
  }
}

export const upper = (byte: number | undefined) =>
  byte !== undefined && byte >= 97 && byte <= 122 ? byte - 32 : (byte ?? 0);

const isNumberByte = (byte: number) => (byte >= 48 && byte <= 57) || byte === 46 || byte === 45 || byte === 43;

export function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) <= 32) at++;
  return at;
}

export function endOfDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) >= 48 && (bytes[at] ?? 0) <= 57) at++;
  return at;
}

export function textOf(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1');
}
