import { PNG } from 'pngjs';

/**
 * ColPic, the picture format of the touchscreens of Elegoo's printers: a header of 32 bytes, up to 1,024 colours of 16
 * bits, and runs of pixels of one colour; as text with six bits per character. It is undocumented; these facts are those
 * on which the plugins for these screens agree.
 */
const mark = 0x05ddc33c;
const version = 3;
const headerBytes = 32;
const mostColours = 1024;
const longestRun = 255;
/** The longest run of pixels that fits into the byte of its colour. */
const shortRun = 6;
/** Colours are numbered in blocks of 32; this announces another block. */
const blockSize = 32;
const nextBlock = 7;

/** The comments in which Elegoo's slicer stores its pictures: the large one first, for the screen of a file. */
export function colPicComments(pngs: readonly Buffer[]): string {
  return pngs.map((png, index) => `\n;${index === 0 ? 'gimage' : 'simage'}:${colPic(png)}\n\n`).join('');
}

/** Converts a PNG to the text of a ColPic; transparent pixels become black. */
export function colPic(png: Buffer): string {
  const { width, height, data } = PNG.sync.read(png);
  const points = new Uint16Array(width * height);
  for (let at = 0; at < points.length; at++) {
    const opacity = (data[4 * at + 3] ?? 0) / 255;
    const [red = 0, green = 0, blue = 0] = [0, 1, 2].map((channel) => (data[4 * at + channel] ?? 0) * opacity);
    points[at] = ((red >> 3) << 11) | ((green >> 2) << 5) | (blue >> 3);
  }
  const colours = paletteOf(points);
  const runs = encodeRuns(points, colours);
  const header = Buffer.alloc(headerBytes);
  header.writeUInt8(version, 0);
  header.writeUInt32LE(width, 4);
  header.writeUInt32LE(height, 8);
  header.writeUInt32LE(mark, 12);
  header.writeUInt32LE(2 * colours.length, 16);
  header.writeUInt32LE(runs.length, 20);
  const palette = Buffer.alloc(2 * colours.length);
  for (const [index, colour] of colours.entries()) palette.writeUInt16LE(colour, 2 * index);
  return asText(Buffer.concat([header, palette, runs]));
}

/** The colours, most frequent first; those beyond the limit are mapped to the most similar one within it. */
function paletteOf(points: Uint16Array): number[] {
  const counts = new Map<number, number>();
  for (const colour of points) counts.set(colour, (counts.get(colour) ?? 0) + 1);
  const colours = [...counts].sort((a, b) => b[1] - a[1] || a[0] - b[0]).map(([colour]) => colour);
  const kept = colours.slice(0, mostColours);
  const instead = new Map(colours.slice(mostColours).map((colour) => [colour, nearest(colour, kept)]));
  if (instead.size > 0) points.set(points.map((colour) => instead.get(colour) ?? colour));
  return kept;
}

function nearest(colour: number, among: readonly number[]): number {
  const distance = (other: number): number =>
    Math.abs((colour >> 11) - (other >> 11)) +
    Math.abs(((colour >> 5) & 63) - ((other >> 5) & 63)) +
    Math.abs((colour & 31) - (other & 31));
  return among.reduce((best, other) => (distance(other) < distance(best) ? other : best));
}

function encodeRuns(points: Uint16Array, colours: readonly number[]): Buffer {
  const indexOf = new Map(colours.map((colour, index) => [colour, index]));
  const bytes: number[] = [];
  let block = 0;
  for (let at = 0; at < points.length; ) {
    let length = 1;
    while (length < longestRun && points[at + length] === points[at]) length++;
    const index = indexOf.get(points[at] as number) ?? 0;
    const wanted = Math.floor(index / blockSize);
    if (wanted !== block) bytes.push((nextBlock << 5) | wanted);
    block = wanted;
    if (length <= shortRun) bytes.push((length << 5) | (index % blockSize));
    else bytes.push(index % blockSize, length);
    at += length;
  }
  return Buffer.from(bytes);
}

/** Encodes three bytes as four characters from `0` on; `~` replaces the backslash. */
function asText(bytes: Buffer): string {
  const padded = Buffer.concat([bytes, Buffer.alloc((3 - (bytes.length % 3)) % 3)]);
  let text = '';
  for (let at = 0; at < padded.length; at += 3) {
    const three = padded.readUIntBE(at, 3);
    for (const shift of [18, 12, 6, 0]) text += String.fromCharCode(((three >> shift) & 63) + 48);
  }
  return text.replaceAll('\\', '~');
}
