import { createReadStream, createWriteStream } from 'node:fs';
import { copyFile, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pipeline } from 'node:stream/promises';
import type { GcodeAnalysis } from '../files/analysis';
import { colPicComments } from '../files/colpic';
import { writeGcode3mf } from '../files/gcode-3mf';
import { thumbnailComments, thumbnailsOfGcode } from '../files/thumbnail';
import type { Material } from '../model/material';
import type { SlicingMachine } from './slicer';
import { prependHeader, snapmakerHeader } from './snapmaker-header';

/** Bambu's token of the H2D, for a printer whose model is not named. */
const defaultBambuModel = 'O1D';

/** Edges of the square pictures that each make shows, in points. */
export const pictureSizes: Readonly<Record<SlicingMachine['make'], readonly number[]>> = {
  bambu: [512, 128],
  moonraker: [400, 160, 114, 32],
  snapmaker: [300],
};

/** Of these those that the touchscreens of Elegoo's printers show, in the form that they read; the others are for Moonraker. */
const elegooSizes: readonly number[] = [400, 114];
/** Only for such a screen. */
const elegooOnly = 114;

/** A sliced print, as it comes out of a slicer or of an upload. */
export interface SlicedPrint {
  path: string;
  form: 'gcode' | 'gcode_3mf';
  analysis: GcodeAnalysis;
  machine: SlicingMachine;
  material: Material;
  /** mm */
  layerHeight: number;
  estimatedSeconds: number;
  filamentGrams: number;
  /** PNGs of the model, in the sizes of `pictureSizes`; empty if there is no model to draw. */
  pictures: { path: string; size: number }[];
}

/**
 * Puts a print in the form of the make: G-code with thumbnails for Moonraker, with a header for Snapmaker, inside of a
 * `.gcode.3mf` for Bambu. What is in that form already stays as it is.
 */
export async function packPrint(
  sliced: SlicedPrint,
  directory: string,
): Promise<{ path: string; extension: string; lines: number }> {
  const { analysis, machine, material } = sliced;
  const packed = join(directory, 'packed');
  if (sliced.form === 'gcode_3mf') {
    await copyFile(sliced.path, packed);
    return { path: packed, extension: '.gcode.3mf', lines: analysis.lines };
  }
  const pictures = await Promise.all(
    sliced.pictures.map(async ({ path, size }) => ({ width: size, height: size, bytes: await readFile(path) })),
  );
  switch (machine.make) {
    case 'bambu':
      await writeGcode3mf(sliced.path, packed, {
        printerModelId: machine.capabilities.model ?? defaultBambuModel,
        nozzleDiameters: machine.capabilities.nozzleDiameters,
        filaments: [
          {
            type: material.type,
            colourHex: material.colourHex,
            usedGrams: sliced.filamentGrams,
            usedMetres: analysis.filamentMm / 1000,
          },
        ],
        estimatedSeconds: sliced.estimatedSeconds,
        weightGrams: sliced.filamentGrams,
        bounds: analysis.bounds,
        nozzle: machine.tool,
        title: 'Platewise',
        pictures: pictures.map(({ bytes }) => bytes),
      });
      return { path: packed, extension: '.gcode.3mf', lines: analysis.lines };
    case 'snapmaker': {
      if (analysis.slicer === 'Snapmaker Luban') break;
      const own = thumbnailsOfGcode(sliced.path).find(({ format }) => format === 'png');
      const header = snapmakerHeader({
        analysis,
        machine,
        material,
        layerHeight: analysis.layerHeight || sliced.layerHeight,
        estimatedSeconds: sliced.estimatedSeconds,
        picture: own?.bytes ?? pictures[0]?.bytes,
      });
      await prependHeader(header, sliced.path, packed);
      return { path: packed, extension: '.gcode', lines: analysis.lines + header.split('\n').length };
    }
    case 'moonraker': {
      if (pictures.length === 0 || analysis.thumbnails.length > 0) break;
      const forScreen = pictures.filter(({ width }) => elegooSizes.includes(width)).map(({ bytes }) => bytes);
      const forMoonraker = pictures.filter(({ width }) => width !== elegooOnly);
      const comments = forMoonraker.map(thumbnailComments).join('') + colPicComments(forScreen);
      await insertAfterFirstLine(comments, sliced.path, packed);
      return { path: packed, extension: '.gcode', lines: analysis.lines + comments.split('\n').length - 1 };
    }
  }
  await copyFile(sliced.path, packed);
  return { path: packed, extension: '.gcode', lines: analysis.lines };
}

/** Slicers name themselves in the first line, and readers look for them there: pictures come after it. */
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
