import { createHash } from 'node:crypto';
import { basename } from 'node:path';
import type { FileAnalysis } from './analysis';
import { type Archive, inflated, openArchive } from './archive';
import { ofGcode, ofModel } from './describe';
import { GcodeReader } from './gcode';
import { MeshMeasure } from './mesh-measure';
import { readThreeMf } from './three-mf';
import { UnreadableFileError } from './unreadable';

const plateMember = /^\/?metadata\/plate_(\d+)\.gcode$/i;

/**
 * Analyses a 3MF, or a sliced `.gcode.3mf`.
 *
 * @throws UnreadableFileError
 */
export async function analyseArchive(path: string, sizeBytes: number): Promise<FileAnalysis> {
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
