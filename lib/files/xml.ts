import { StringDecoder } from 'node:string_decoder';
import { SaxesParser, type SaxesTagPlain } from 'saxes';
import { UnreadableFileError } from './unreadable';

/** Longer than any tag, comment or text of a real model: endless text must not fill the memory. */
const longestXmlPiece = 4 * 1024 ** 2;
const remedy = 'Export the model again, as 3MF or binary STL.';

/** The name of a tag or an attribute without its prefix. */
export const localName = (name: string) => name.slice(name.indexOf(':') + 1);

/** An attribute by its name, with any prefix. */
export function attributeOf(attributes: Record<string, string>, name: string): string | undefined {
  if (attributes[name] !== undefined) return attributes[name];
  for (const key in attributes) if (localName(key) === name) return attributes[key];
  return undefined;
}

/** The text of UTF-8 that arrives in chunks. */
export async function* decoded(pieces: AsyncIterable<Buffer>): AsyncGenerator<string> {
  const decoder = new StringDecoder('utf8');
  for await (const piece of pieces) yield decoder.write(piece);
  yield decoder.end();
}

/**
 * Reads XML in chunks and reports its tags.
 *
 * @throws UnreadableFileError if it is damaged, declares a DOCTYPE, or has a tag or text without an end
 */
export async function parseXml(
  pieces: AsyncIterable<string> | Iterable<string>,
  opened: (tag: SaxesTagPlain) => void,
  closed: (tag: SaxesTagPlain) => void = () => {},
): Promise<void> {
  const parser = new SaxesParser({ xmlns: false, position: false });
  parser.on('error', (error) => {
    throw new UnreadableFileError(`its XML is damaged (${error.message})`, remedy);
  });
  parser.on('doctype', () => {
    throw new UnreadableFileError('its XML declares a DOCTYPE, which 3MF forbids', remedy);
  });
  parser.on('opentag', opened);
  parser.on('closetag', closed);
  let unfinished = 0;
  for await (const piece of pieces) {
    if (piece === '') continue;
    const end = piece.lastIndexOf('>');
    unfinished = end < 0 ? unfinished + piece.length : piece.length - end;
    if (unfinished > longestXmlPiece) {
      throw new UnreadableFileError('its XML has a tag or a text of more than 4 MB', remedy);
    }
    parser.write(piece);
  }
  parser.close();
}
