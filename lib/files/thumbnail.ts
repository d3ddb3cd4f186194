import { readHead } from './chunks';

/** A picture inside a print file. */
export interface Thumbnail {
  width: number;
  height: number;
  format: 'png' | 'jpg';
  bytes: Buffer;
}

/** Slicers write their pictures before everything else. */
const searchedBytes = 4 * 1024 ** 2;
const longestBase64 = 2 * 1024 ** 2;

/**
 * The pictures in the comments of a G-code file (PrusaSlicer's and OrcaSlicer's form, and Luban's), the largest first.
 * Pictures that are not PNG or JPEG by their first bytes are skipped.
 */
export function thumbnailsOfGcode(path: string): Thumbnail[] {
  const { head } = readHead(path, searchedBytes);
  const text = head.toString('latin1');
  const found: Thumbnail[] = [];
  for (const match of text.matchAll(
    /^; thumbnail(?:_JPG)? begin (\d{1,4})[x ](\d{1,4}) \d{1,8}[ \t]*\r?\n((?:;[^\r\n]*\r?\n)*?); thumbnail(?:_JPG)? end/gm,
  )) {
    found.push(...pictureOf((match[3] ?? '').replace(/[^A-Za-z0-9+/=]/g, ''), Number(match[1]), Number(match[2])));
  }
  const luban = /^;thumbnail: ?data:image\/(?:png|jpe?g);base64,([A-Za-z0-9+/=]{1,2097152})\r?$/m.exec(text)?.[1];
  if (luban !== undefined) found.push(...pictureOf(luban, 0, 0));
  return found.sort((a, b) => b.width * b.height - a.width * a.height);
}

function pictureOf(base64: string, width: number, height: number): Thumbnail[] {
  if (base64.length > longestBase64) return [];
  const bytes = Buffer.from(base64, 'base64');
  if (bytes.length > 24 && bytes.readUInt32BE(0) === 0x89504e47) {
    return [{ width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20), format: 'png', bytes }];
  }
  if (bytes.length > 4 && bytes.readUInt32BE(0) >>> 8 === 0xffd8ff) return [{ width, height, format: 'jpg', bytes }];
  return [];
}

/** A PNG as the comments that Moonraker and printers' screens look for. */
export function thumbnailComments({ width, height, bytes }: Pick<Thumbnail, 'width' | 'height' | 'bytes'>): string {
  const base64 = bytes.toString('base64');
  const lines = base64.match(/.{1,78}/g) ?? [];
  return [
    ';',
    `; thumbnail begin ${width}x${height} ${base64.length}`,
    ...lines.map((line) => `; ${line}`),
    '; thumbnail end',
    ';',
    '',
  ].join('\n');
}
