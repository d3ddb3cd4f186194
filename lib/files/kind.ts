import { readHead } from './chunks';
import { binaryStlBytes } from './stl-binary';
import { UnreadableFileError } from './unreadable';

/** The encoding of a file. */
export type Encoding =
  | { form: 'binary_stl'; triangles: number; trailingBytes: number }
  | { form: 'ascii_stl' }
  | { form: 'zip' }
  | { form: 'gcode' };

const headBytes = 4096;
/** Some exporters append a few bytes of their own after the triangles. */
const toleratedTrailingBytes = 1024;
/** A larger declared number means that these bytes are not a header. */
const plausibleTriangles = 100_000_000;
const accepted = 'Send an STL, a 3MF, G-code or a sliced .gcode.3mf.';

/**
 * Decides by content how to read a file; the name is only used in the error message.
 *
 * A binary STL is recognised by arithmetic (size = 84 + 50 × count), whatever its header contains: many start with "solid".
 *
 * @throws UnreadableFileError
 */
export function encodingOf(path: string): Encoding {
  const { size, head } = readHead(path, headBytes);
  if (size === 0) throw new UnreadableFileError('the file is empty', accepted);
  const declared = size >= 84 ? head.readUInt32LE(80) : 0;
  if (size >= 84 && size === binaryStlBytes(declared))
    return { form: 'binary_stl', triangles: declared, trailingBytes: 0 };
  if (head.length >= 4 && head.readUInt32LE(0) === 0x04034b50) return { form: 'zip' };
  if (head.length >= 4 && head.readUInt32LE(0) === 0x06054b50)
    throw new UnreadableFileError('the ZIP archive is empty', accepted);

  const text = head.toString('latin1').replace(/^ï»¿/, '');
  const binary = text.includes('\0');
  if (!binary && /^\s*solid\b/i.test(text)) return { form: 'ascii_stl' };
  refuseKnownStrangers(head, text);
  if (!binary && looksLikeGcode(text)) return { form: 'gcode' };
  if (/\.(gcode|gco|g)$/i.test(path)) throw new UnreadableFileError('it is not G-code', 'Send the G-code as text.');
  return damagedBinaryStl(size, declared, binary);
}

function looksLikeGcode(text: string): boolean {
  return /^[ \t]*(;|[GMT]\d|N\d+[ \t]|%)/im.test(text) && !text.trimStart().startsWith('<');
}

function refuseKnownStrangers(head: Buffer, text: string): void {
  const stranger = (name: string) => new UnreadableFileError(`it is ${name}`, accepted);
  if ((head[0] === 0xff && head[1] === 0xfe) || (head[0] === 0xfe && head[1] === 0xff)) throw stranger('UTF-16 text');
  if (/^\s*<(!doctype html|html|head|body)/i.test(text)) throw stranger('an HTML page, perhaps a failed download');
  if (/^\s*</.test(text)) throw stranger('XML, not a ZIP archive');
  if (text.startsWith('GCDE')) throw stranger('binary G-code (.bgcode), which none of these printers takes');
  if (text.startsWith('ISO-10303-21')) throw stranger('a STEP file');
  if (text.startsWith('ply')) throw stranger('a PLY file');
  if (text.startsWith('%PDF')) throw stranger('a PDF');
  if (text.startsWith('\x89PNG')) throw stranger('a PNG picture');
  if (text.startsWith('\xff\xd8\xff')) throw stranger('a JPEG picture');
  if (/^\s*[{[]\s*["{[\]}]/.test(text)) throw stranger('JSON, perhaps the error message of a failed download');
  if (/^(#.*\n|\s)*(mtllib|o|g|v|vn|vt) /i.test(text)) throw stranger('an OBJ file');
}

function damagedBinaryStl(size: number, declared: number, binary: boolean): Encoding {
  const remedy = 'Export or upload the model again.';
  if (size < 84) throw new UnreadableFileError('it is too short to be a model', accepted);
  const present = Math.floor((size - 84) / 50);
  const trailing = size - binaryStlBytes(declared);
  if (declared > 0 && trailing > 0 && trailing <= toleratedTrailingBytes && trailing % 50 !== 0) {
    return { form: 'binary_stl', triangles: declared, trailingBytes: trailing };
  }
  const cutShort = declared > present && declared <= plausibleTriangles;
  if (binary && ((size - 84) % 50 === 0 || cutShort || (declared > 0 && trailing > 0))) {
    throw new UnreadableFileError(`its header promises ${declared} triangles, ${present} are there`, remedy);
  }
  throw new UnreadableFileError('its content is neither a model nor G-code', accepted);
}
