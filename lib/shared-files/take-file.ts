import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import type { Farm } from '../farm/farm';
import type { FileAnalysis, GcodeAnalysis, PlateAnalysis } from '../files/analysis';
import { FileStoreError, printExtensionOf } from '../files/file-store';
import { readPlatePicture } from '../files/plate-picture';
import { PlateChoiceError, plateOf } from '../files/plates';
import { storedExtension } from '../files/stored-extension';
import { asError, NotFoundError, PlatewiseError, UnacceptableInputError } from '../model/errors';
import type { Dimensions } from '../model/printer';
import { shareFile } from '../store/shared-files';
import { findFile } from './foreign-files';
import { analysisOf } from './model-analysis';

/** The answer to an upload. */
export interface StoredFile {
  stl_path: string;
  sha256: string;
  dimensions_mm: Dimensions;
  volume_mm3: number;
  triangles: number;
  /** The plates of a file with several: a job names one of them. */
  plates?: {
    plate: number;
    name: string | null;
    /** `data:image/png;base64,…`; null if the file has no picture of it. */
    thumbnail: string | null;
    /** Printer time; null if it is not sliced. */
    minutes: number | null;
    grams: number | null;
  }[];
  /** The filaments of a sliced file, numbered as in the file. */
  filaments?: { filament: number; type: string | null; colour_hex: string | null; grams: number | null }[];
  /** The machine model that a sliced file was made for, as its slicer names it; null if it names none. */
  made_for?: string | null;
  warnings: string[];
}

const defaultUploadLimit = 1024 ** 3;

/**
 * Stores an uploaded model or print file and reads it once.
 * @param stream the file's bytes
 * @param originalName only its extension is used
 * @throws FileStoreError `unsupported_extension`, `file_too_large`
 * @throws UnacceptableInputError it is not a valid file of its type
 */
export async function storeFile(farm: Farm, stream: Readable, originalName: string): Promise<StoredFile> {
  const extension = printExtensionOf(originalName);
  if (extension === undefined) {
    stream.destroy();
    throw new FileStoreError(
      'Only .stl, .3mf, .gcode and .gcode.3mf files are accepted.',
      'unsupported_extension',
      'Send a file with one of these endings.',
    );
  }
  const maxBytes = farm.options.maxUploadBytes ?? defaultUploadLimit;
  const stored = await farm.files.put(stream, { extension, maxBytes, quotaBytes: farm.options.maxStoredBytes });
  const analysis = await analysisOf(farm.database, stored.sha256, stored.path).catch((error: unknown) => {
    throw unreadable('file', basename(originalName), error);
  });
  // Every node of the API can then print it.
  if (farm.sharesFiles) await shareFile(farm.database, stored.sha256, stored.path);
  return {
    stl_path: stored.path,
    sha256: stored.sha256,
    dimensions_mm: analysis.dimensions,
    volume_mm3: analysis.volumeMm3,
    triangles: analysis.triangles,
    ...(analysis.plates && { plates: await platesView(stored.path, analysis.plates) }),
    ...(analysis.print && { filaments: filamentsView(analysis.print), made_for: analysis.print.printerModel }),
    warnings: analysis.warnings,
  };
}

async function platesView(path: string, plates: PlateAnalysis[]): Promise<NonNullable<StoredFile['plates']>> {
  const pictures = await platePictures(path, plates);
  return plates.map(({ plate, name, print }) => ({
    plate,
    name,
    thumbnail: pictures.get(plate) ?? null,
    minutes: print ? Math.round((print.slicerSeconds ?? print.simulatedSeconds) / 6) / 10 : null,
    grams: print?.slicerGrams ?? null,
  }));
}

/** Limits of the pictures in an answer: how many plates have one, and the size of each (bytes). */
const mostPictures = 64;
const largestPicture = 256 * 1024;

async function platePictures(path: string, plates: PlateAnalysis[]): Promise<Map<number, string>> {
  const pictures = new Map<number, string>();
  for (const { plate, picture } of plates.slice(0, mostPictures)) {
    const bytes = picture === null ? undefined : await readPlatePicture(path, picture);
    if (bytes && bytes.length <= largestPicture) {
      pictures.set(plate, `data:image/png;base64,${bytes.toString('base64')}`);
    }
  }
  return pictures;
}

function filamentsView({ filaments }: GcodeAnalysis): NonNullable<StoredFile['filaments']> {
  return filaments.map(({ filament, type, colourHex, grams }) => ({ filament, type, colour_hex: colourHex, grams }));
}

/**
 * Finds the file, stores a copy by its content, reads it once, and picks the plate.
 * @throws UnacceptableInputError it does not exist, or is damaged
 */
export async function readModel(
  farm: Farm,
  stlPath: string,
  plate: number | string | undefined,
): Promise<{ analysis: FileAnalysis; sha256: string }> {
  try {
    const path = await findFile(farm, stlPath);
    const sha256 = await farm.files.hash(path);
    const analysis = await analysisOf(farm.database, sha256, path);
    // Stored by its content and its actual kind, so that changes of the original have no effect.
    const kept = farm.files.pathOf(sha256, storedExtension[analysis.kind]);
    if (kept !== path) {
      const maxBytes = farm.options.maxUploadBytes ?? defaultUploadLimit;
      const quotaBytes = farm.options.maxStoredBytes;
      await farm.files.put(createReadStream(path), {
        extension: storedExtension[analysis.kind],
        maxBytes,
        quotaBytes,
      });
    }
    return { analysis: plateOf(analysis, plate), sha256 };
  } catch (error) {
    if (error instanceof PlateChoiceError) {
      const errors = [{ field: 'plate', value: plate ?? null, remedy: error.remedy }];
      throw new UnacceptableInputError(error.message, errors, error.code);
    }
    throw unreadable('stl_path', stlPath, error);
  }
}

function unreadable(field: string, value: string, error: unknown): Error {
  const uploadFirst = 'Upload the file first (POST files) and send the stl_path of the answer.';
  if (error instanceof NotFoundError) {
    return new UnacceptableInputError(error.message, [{ field, value, remedy: uploadFirst }], 'unreadable_file');
  }
  const code = (error as NodeJS.ErrnoException).code ?? '';
  if (error instanceof PlatewiseError && error.code !== 'database_unavailable') {
    return new UnacceptableInputError(error.message, [{ field, value, remedy: error.remedy }], error.code);
  }
  if (['ENOENT', 'ENOTDIR', 'EACCES', 'EISDIR', 'ENAMETOOLONG'].includes(code)) {
    return new UnacceptableInputError(
      'The file cannot be opened.',
      [{ field, value, remedy: uploadFirst }],
      'unreadable_file',
    );
  }
  return asError(error);
}
