import { basename } from 'node:path';
import type { FileAnalysis } from './analysis';
import { openArchive } from './archive';
import { analyseModelArchive } from './model-archive';
import { analyseSlicedArchive, slicedPlatesOf } from './sliced-archive';
import { UnreadableFileError } from './unreadable';

/**
 * Analyses a 3MF, or a sliced `.gcode.3mf`.
 *
 * @throws UnreadableFileError
 */
export async function analyseArchive(path: string, sizeBytes: number): Promise<FileAnalysis> {
  const archive = await openArchive(path);
  try {
    const plates = slicedPlatesOf(archive);
    if (plates.length > 0) return await analyseSlicedArchive(archive, plates, sizeBytes);
    if (/\.gcode\.3mf$/i.test(basename(path))) {
      throw new UnreadableFileError(
        'it holds no sliced plate (Metadata/plate_1.gcode)',
        'Slice the project and export "sliced file", or submit it as .3mf.',
      );
    }
    return await analyseModelArchive(archive, sizeBytes);
  } finally {
    archive.close();
  }
}
