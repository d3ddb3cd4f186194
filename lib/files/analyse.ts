import type { FileAnalysis } from './analysis';
import { readHead } from './chunks';
import { ofGcode, ofModel } from './describe';
import { encodingOf } from './kind';
import { MeshMeasure } from './mesh-measure';
import { forEachTriangle } from './triangles';

/**
 * Analyses a file in this thread (see `analyseFile`, which does the same in a worker).
 *
 * @throws UnreadableFileError
 */
export async function analyseHere(path: string): Promise<FileAnalysis> {
  const sizeBytes = readHead(path, 0).size;
  const encoding = encodingOf(path);
  if (encoding.form === 'gcode') {
    const { analyseGcode } = require('./gcode') as typeof import('./gcode');
    return ofGcode('gcode', sizeBytes, await analyseGcode(path));
  }
  if (encoding.form !== 'zip') {
    const measure = new MeshMeasure();
    const { warnings } = await forEachTriangle(path, measure);
    return ofModel('stl', sizeBytes, measure, warnings);
  }
  // Most files are not archives, and the archive reader takes longer to load than a small model takes to read.
  const { analyseArchive } = require('./analyse-archive') as typeof import('./analyse-archive');
  return analyseArchive(path, sizeBytes);
}
