import { createReadStream } from 'node:fs';
import { basename } from 'node:path';
import type { Readable } from 'node:stream';
import { analysisOf } from '../agent/model-analysis';
import type { FileAnalysis } from '../files/analysis';
import { FileStoreError, printExtensionOf } from '../files/file-store';
import { storedExtension } from '../files/stored-extension';
import { asError, NotFoundError, PlatewiseError, UnacceptableInputError } from '../model/errors';
import type { Dimensions } from '../model/printer';
import type { Farm } from './farm';

/** The answer to an upload. */
export interface StoredFile {
  stl_path: string;
  sha256: string;
  dimensions_mm: Dimensions;
  volume_mm3: number;
  triangles: number;
  warnings: string[];
}

const defaultUploadLimit = 1024 ** 3;

/**
 * Stores an uploaded model or print file and reads it once.
 * @param stream the file's bytes
 * @param originalName only its extension is used
 * @throws FileStoreError `unsupported_extension`, `file_too_large`
 * @throws UnacceptableInputError it cannot be read as what it claims to be
 */
export async function storeFile(farm: Farm, stream: Readable, originalName: string): Promise<StoredFile> {
  const extension = printExtensionOf(originalName);
  if (extension === undefined) {
    stream.destroy();
    throw new FileStoreError(
      'Only .stl, .3mf, .gcode and .gcode.3mf files are kept.',
      'unsupported_extension',
      'Send a file with one of these endings.',
    );
  }
  const maxBytes = farm.options.maxUploadBytes ?? defaultUploadLimit;
  const stored = await farm.files.put(stream, { extension, maxBytes });
  const analysis = await analysisOf(farm.database, stored.sha256, stored.path).catch((error: unknown) => {
    throw unreadable('file', basename(originalName), error);
  });
  return {
    stl_path: stored.path,
    sha256: stored.sha256,
    dimensions_mm: analysis.dimensions,
    volume_mm3: analysis.volumeMm3,
    triangles: analysis.triangles,
    warnings: analysis.warnings,
  };
}

/** Finds the file, keeps a copy of its own by content, and reads it once. @throws UnacceptableInputError it is not there, or not sound */
export async function readModel(farm: Farm, stlPath: string): Promise<{ analysis: FileAnalysis; sha256: string }> {
  try {
    const path = await farm.files.resolve(stlPath);
    const sha256 = await farm.files.hash(path);
    const analysis = await analysisOf(farm.database, sha256, path);
    // Kept under its content and its true kind, so that nothing that happens to the original matters any more.
    const kept = farm.files.pathOf(sha256, storedExtension[analysis.kind]);
    if (kept !== path) {
      const maxBytes = farm.options.maxUploadBytes ?? defaultUploadLimit;
      await farm.files.put(createReadStream(path), { extension: storedExtension[analysis.kind], maxBytes });
    }
    return { analysis, sha256 };
  } catch (error) {
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
