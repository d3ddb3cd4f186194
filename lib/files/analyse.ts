import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { FileAnalysis, GcodeAnalysis } from './analysis';
import { dimensionsOf } from './analysis';
import { type Archive, inflated, openArchive } from './archive';
import { readHead } from './chunks';
import { analyseGcode, GcodeReader } from './gcode';
import { encodingOf } from './kind';
import { MeshMeasure } from './mesh-measure';
import { readThreeMf } from './three-mf';
import { forEachTriangle } from './triangles';
import { UnreadableFileError } from './unreadable';

const plateMember = /^\/?metadata\/plate_(\d+)\.gcode$/i;
/** Below this largest side (mm) a model was probably not drawn in millimetres. */
const suspiciouslySmallMm = 1;

/**
 * Analyses a file in this thread (see `analyseFile`, which does the same in a worker).
 *
 * @throws UnreadableFileError
 */
export async function analyseHere(path: string): Promise<FileAnalysis> {
  const sizeBytes = readHead(path, 0).size;
  const encoding = encodingOf(path);
  if (encoding.form === 'gcode') return ofGcode('gcode', sizeBytes, await analyseGcode(path));
  if (encoding.form !== 'zip') {
    const measure = new MeshMeasure();
    const { warnings } = await forEachTriangle(path, measure);
    return ofModel('stl', sizeBytes, measure, warnings);
  }
  const archive = await openArchive(path);
  try {
    const plates = platesOf(archive);
    if (plates.length > 0) return await ofSlicedArchive(archive, plates, sizeBytes);
    if (/\.gcode\.3mf$/i.test(basename(path))) {
      throw new UnreadableFileError(
        'it holds no sliced plate (Metadata/plate_1.gcode)',
        'Slice the project and export "sliced file", or submit it as .3mf.',
      );
    }
    const measure = new MeshMeasure();
    const { warnings } = await readThreeMf(archive, measure);
    return ofModel('3mf', sizeBytes, measure, warnings);
  } finally {
    archive.close();
  }
}

function platesOf(archive: Archive): string[] {
  const number = (name: string) => Number(plateMember.exec(name)?.[1]);
  return archive.names.filter((name) => plateMember.test(name)).sort((a, b) => number(a) - number(b));
}

function ofModel(kind: 'stl' | '3mf', sizeBytes: number, measure: MeshMeasure, warnings: string[]): FileAnalysis {
  if (measure.triangles === 0) {
    throw new UnreadableFileError('it holds no triangles', 'Export the model again.');
  }
  const bounds = measure.bounds;
  const dimensions = dimensionsOf(bounds);
  if (!(dimensions.x > 0 && dimensions.y > 0 && dimensions.z > 0)) {
    throw new UnreadableFileError('the model is flat', 'Give the part a thickness in every direction.');
  }
  const closedness = measure.closedness;
  if (closedness === 'open') warnings.push('The mesh is not watertight; its volume is only an indication.');
  if (closedness === 'flipped')
    warnings.push('Some triangles of the mesh face the wrong way; its volume is only an indication.');
  if (closedness === 'closed' && measure.insideOut) warnings.push('The mesh is inside out.');
  const largest = Math.max(dimensions.x, dimensions.y, dimensions.z);
  if (largest < suspiciouslySmallMm) {
    warnings.push(
      `The largest side is ${largest.toPrecision(3)} mm. If the model was drawn in metres or inches, scale it by 1000 or 25.4 and export it again.`,
    );
  }
  return {
    kind,
    sizeBytes,
    bounds,
    dimensions,
    volumeMm3: measure.volumeMm3,
    surfaceMm2: measure.surfaceMm2,
    triangles: measure.triangles,
    watertight: measure.watertight,
    warnings,
  };
}

function ofGcode(kind: 'gcode' | 'gcode_3mf', sizeBytes: number, print: GcodeAnalysis): FileAnalysis {
  const warnings: string[] = [];
  if (print.extrudingMoves === 0) warnings.push('The G-code extrudes nothing.');
  if (print.badNumbers > 0) warnings.push(`The G-code has ${print.badNumbers} values that are no number.`);
  if (print.dangerousCommands.length > 0) {
    warnings.push(`The G-code changes the machine itself (${print.dangerousCommands.join(', ')}).`);
  }
  if (print.complete === false) warnings.push('The G-code ends before the closing mark of its slicer.');
  if (print.maxNozzleTemperature > 350)
    warnings.push(`The G-code heats the nozzle to ${print.maxNozzleTemperature} °C.`);
  if (print.maxBedTemperature > 130) warnings.push(`The G-code heats the bed to ${print.maxBedTemperature} °C.`);
  const { min, max } = print.travelBounds;
  if (Math.min(min.x, min.y, min.z) < -200 || Math.max(max.x, max.y, max.z) > 2000) {
    warnings.push('The G-code moves far outside every bed.');
  }
  return {
    kind,
    sizeBytes,
    bounds: print.bounds,
    dimensions: dimensionsOf(print.bounds),
    volumeMm3: 0,
    triangles: 0,
    warnings,
    print,
  };
}

async function ofSlicedArchive(archive: Archive, plates: string[], sizeBytes: number): Promise<FileAnalysis> {
  const plate = plates[0] ?? '';
  if (plates.length > 1) {
    throw new UnreadableFileError(
      `it holds ${plates.length} sliced plates`,
      'Export each plate as its own sliced file and submit one job a plate.',
    );
  }
  const reader = new GcodeReader();
  const md5 = createHash('md5');
  for await (const piece of inflated(await archive.open(plate), plate)) {
    md5.update(piece);
    reader.push(piece);
  }
  const print = reader.finish();
  const declared = (await archive.text(`${plate}.md5`, 1024))?.trim().toLowerCase();
  if (declared !== undefined && declared !== md5.digest('hex')) {
    throw new UnreadableFileError(
      'the MD5 of its plate does not match; the printer would refuse it',
      'Export the sliced file again; do not edit the G-code inside.',
    );
  }
  const picture = plate.replace(/\.gcode$/i, '.png');
  if (archive.has(picture)) print.thumbnails = [await pictureSize(archive, picture)];
  const sliceInfo = (await archive.text('Metadata/slice_info.config')) ?? '';
  const value = (key: string) => new RegExp(`key="${key}" value="([^"]{1,80})"`).exec(sliceInfo)?.[1];
  print.printerModel = value('printer_model_id') ?? print.printerModel;
  const positive = (text: string | undefined) => (Number(text) > 0 && Number(text) < 1e9 ? Number(text) : null);
  print.slicerSeconds = positive(value('prediction')) ?? print.slicerSeconds;
  print.slicerGrams = positive(value('weight')) ?? print.slicerGrams;
  return ofGcode('gcode_3mf', sizeBytes, print);
}

/** The size of a PNG, from its first bytes; 0 if it is none. */
async function pictureSize(
  archive: Archive,
  name: string,
): Promise<{ width: number; height: number; format: 'png' | 'jpg' }> {
  const pieces: Buffer[] = [];
  let length = 0;
  for await (const piece of inflated(await archive.open(name), name)) {
    pieces.push(piece);
    length += piece.length;
    if (length >= 24) break;
  }
  const head = Buffer.concat(pieces);
  const isPng = head.length >= 24 && head.readUInt32BE(0) === 0x89504e47;
  return { width: isPng ? head.readUInt32BE(16) : 0, height: isPng ? head.readUInt32BE(20) : 0, format: 'png' };
}
