import { readChunks } from './chunks';
import { parseDecimal } from './decimal';
import { TriangleBatch, type TriangleSink } from './triangle-batch';
import { UnreadableFileError } from './unreadable';

const chunkBytes = 256 * 1024;
/** A longer word can only be part of a solid's name. */
const longestWord = 256;
const remedy = 'Export the model again, best as binary STL or 3MF.';

type Expected = 'solid' | 'name' | 'normal' | 'components' | 'outer' | 'loop' | 'vertex' | 'coordinates' | 'endfacet';

/**
 * Sends the triangles of an ASCII STL to the sink. Works on words, not lines: accepts any line end, any case, one line, several
 * solids, a name of any length, words after `endloop`, a missing `endsolid`.
 *
 * @returns warnings as sentences
 * @throws UnreadableFileError also when it ends in the middle of a facet
 */
export function readAsciiStl(path: string, sink: TriangleSink): string[] {
  const words = new AsciiStlWords(sink);
  const buffer = Buffer.allocUnsafe(chunkBytes + longestWord);
  let kept = 0;
  let skippingLongWord = false;
  readChunks(path, 0, chunkBytes, (chunk) => {
    chunk.copy(buffer, kept);
    const end = kept + chunk.length;
    let start = -1;
    for (let at = 0; at < end; at++) {
      if ((buffer[at] ?? 0) <= 32) {
        if (start >= 0 && !skippingLongWord) words.take(buffer, start, at);
        start = -1;
        skippingLongWord = false;
      } else if (start < 0) {
        start = at;
      }
    }
    kept = start < 0 ? 0 : end - start;
    if (kept > longestWord || skippingLongWord) {
      if (!skippingLongWord) words.takeLongWord();
      skippingLongWord = true;
      kept = 1; // a placeholder, so that the rest of the word still counts as part of it
      buffer[0] = 120;
    } else if (kept > 0) {
      buffer.copy(buffer, 0, start, end);
    }
  });
  if (kept > 0 && !skippingLongWord) words.takeLast(buffer, 0, kept);
  return words.finish();
}

/** Reads the expected word. */
const keywords: Readonly<Partial<Record<Expected, string>>> = {
  name: 'facet',
  normal: 'normal',
  outer: 'outer',
  loop: 'loop',
  vertex: 'vertex',
  endfacet: 'endfacet',
};

/** Words that cannot occur between `endloop` and `endfacet`. */
const misplaced = /^(facet|normal|outer|loop|vertex|endloop|endsolid|solid)$/;

class AsciiStlWords {
  private expected: Expected = 'solid';
  private count = 0;
  private facets = 0;
  private readonly coordinates = new Float64Array(9);

  private readonly batch: TriangleBatch;

  constructor(sink: TriangleSink) {
    this.batch = new TriangleBatch(sink);
  }

  take(bytes: Buffer, start: number, end: number): void {
    switch (this.expected) {
      case 'coordinates':
        this.takeCoordinate(bytes, start, end);
        return;
      case 'components':
        if (++this.count === 3) this.expected = 'outer';
        return;
      case 'vertex':
        this.takeVertexOrEnd(bytes, start, end);
        return;
      case 'solid':
        if (wordOf(bytes, start, end) === 'solid') this.expected = 'name';
        return;
      case 'name':
        if (is(bytes, start, end, 'facet')) this.expected = 'normal';
        else if (is(bytes, start, end, 'endsolid')) this.expected = 'solid';
        return;
      case 'normal':
        // "facet" may also be a word of the solid's name.
        this.count = 0;
        this.expected = is(bytes, start, end, 'normal') ? 'components' : 'name';
        return;
      case 'endfacet':
        // Some programs write a word after `endloop`.
        if (is(bytes, start, end, 'endfacet')) this.expected = 'name';
        else if (misplaced.test(wordOf(bytes, start, end))) throw unexpected('endfacet', wordOf(bytes, start, end));
        return;
      case 'outer':
      case 'loop':
        if (!is(bytes, start, end, this.expected)) throw unexpected(this.expected, wordOf(bytes, start, end));
        this.count = 0;
        this.expected = this.expected === 'outer' ? 'loop' : 'vertex';
        return;
    }
  }

  /** Processes a word that the file ends with, which may be incomplete. */
  takeLast(bytes: Buffer, start: number, end: number): void {
    const keyword = keywords[this.expected];
    const word = wordOf(bytes, start, end);
    // A solid's name may end in any letters; after a facet follows the next one or the end of the solid.
    const begun = this.expected !== 'name' || this.facets > 0;
    if (keyword !== undefined && begun && word.length < keyword.length && keyword.startsWith(word)) throw cutOff();
    if (this.expected === 'vertex' && 'endloop'.startsWith(word) && word !== 'endloop') throw cutOff();
    this.take(bytes, start, end);
  }

  takeLongWord(): void {
    if (!['name', 'solid', 'endfacet'].includes(this.expected)) throw unexpected(this.expected, 'a very long word');
  }

  /** @returns warnings as sentences */
  finish(): string[] {
    if (this.expected !== 'name' && this.expected !== 'solid') throw cutOff();
    this.batch.flush();
    const unended = this.expected === 'name' && this.facets > 0;
    return unended ? ['The ASCII STL has no endsolid; perhaps its end is missing.'] : [];
  }

  private takeVertexOrEnd(bytes: Buffer, start: number, end: number): void {
    if (is(bytes, start, end, 'vertex')) {
      if (this.count === 9) throw new UnreadableFileError('a facet has more than 3 vertices', remedy);
      this.expected = 'coordinates';
    } else if (is(bytes, start, end, 'endloop')) {
      if (this.count !== 9) throw new UnreadableFileError('a facet has fewer than 3 vertices', remedy);
      const c = this.coordinates as unknown as [number, number, number, number, number, number, number, number, number];
      this.batch.add(c[0], c[1], c[2], c[3], c[4], c[5], c[6], c[7], c[8]);
      this.facets++;
      this.expected = 'endfacet';
    } else {
      throw unexpected('vertex', wordOf(bytes, start, end));
    }
  }

  private takeCoordinate(bytes: Buffer, start: number, end: number): void {
    const value = parseDecimal(bytes, start, end);
    if (Number.isNaN(value)) throw notANumber(wordOf(bytes, start, end));
    this.coordinates[this.count++] = Math.fround(value);
    if (this.count % 3 === 0) this.expected = 'vertex';
  }
}

/** Whether a word equals this one, in any case. */
function is(bytes: Buffer, start: number, end: number, word: string): boolean {
  if (end - start !== word.length) return false;
  for (let i = 0; i < word.length; i++) {
    if (((bytes[start + i] ?? 0) | 32) !== word.charCodeAt(i)) return false;
  }
  return true;
}

function wordOf(bytes: Buffer, start: number, end: number): string {
  return bytes
    .toString('latin1', start, Math.min(end, start + longestWord))
    .toLowerCase()
    .replace(/^ï»¿/, '');
}

function cutOff(): UnreadableFileError {
  return new UnreadableFileError('the ASCII STL ends in the middle of a facet', remedy);
}

function unexpected(expected: string, found: string): UnreadableFileError {
  return new UnreadableFileError(`the ASCII STL has "${found.slice(0, 40)}" where "${expected}" should be`, remedy);
}

function notANumber(word: string): UnreadableFileError {
  if (/^[+-]?\d*,\d+(e[+-]?\d+)?$/.test(word)) {
    return new UnreadableFileError(
      `the ASCII STL has decimal commas ("${word.slice(0, 40)}")`,
      'Export the model with decimal points (an English number format), or as binary STL.',
    );
  }
  if (/^[+-]?(nan|inf)/.test(word)) {
    return new UnreadableFileError(`a coordinate is not finite ("${word.slice(0, 40)}")`, remedy);
  }
  return new UnreadableFileError(`"${word.slice(0, 40)}" stands where a coordinate should be`, remedy);
}
