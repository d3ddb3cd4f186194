import { createReadStream, createWriteStream } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import { colPicComments } from '../../files/colpic';
import { thumbnailComments } from '../../files/thumbnail';
import type { SlicedPrint } from '../../slicing/pack';

/** The pictures for the touchscreens of Elegoo's printers, in their format; the others are for Moonraker. */
const elegooSizes: readonly number[] = [400, 114];
/** Only for such a screen. */
const elegooOnly = 114;

/** Writes pictures into the comments of G-code that has none. */
export async function packForMoonraker(sliced: SlicedPrint, output: string): Promise<{ lines: number } | null> {
  const { analysis } = sliced;
  if (sliced.pictures.length === 0 || analysis.thumbnails.length > 0) return null;
  const pictures = await Promise.all(
    sliced.pictures.map(async ({ path, size }) => ({ width: size, height: size, bytes: await readFile(path) })),
  );
  const forScreen = pictures.filter(({ width }) => elegooSizes.includes(width)).map(({ bytes }) => bytes);
  const forMoonraker = pictures.filter(({ width }) => width !== elegooOnly);
  const comments = forMoonraker.map(thumbnailComments).join('') + colPicComments(forScreen);
  await insertAfterFirstLine(comments, sliced.path, output);
  return { lines: analysis.lines + comments.split('\n').length - 1 };
}

/** Slicers write their name in the first line, and readers look for it there: pictures come after it. */
async function insertAfterFirstLine(text: string, source: string, output: string): Promise<void> {
  const first = await firstLine(source);
  await pipeline(
    async function* () {
      yield Buffer.from(`${first}\n${text}`, 'utf8');
      yield* createReadStream(source, { start: Buffer.byteLength(first) + 1, highWaterMark: 256 * 1024 });
    },
    createWriteStream(output, { flags: 'wx' }),
  );
}

async function firstLine(path: string): Promise<string> {
  const input = createReadStream(path);
  try {
    for await (const line of createInterface({ input, crlfDelay: Number.POSITIVE_INFINITY })) return line;
    return '';
  } finally {
    input.destroy();
  }
}
