import { createHash } from 'node:crypto';
import type { FileAnalysis, GcodeAnalysis, PlateAnalysis } from './analysis';
import type { Archive } from './archive';
import { mostPlates, readBambuSettings } from './bambu-settings';
import { ofGcode } from './describe';
import { GcodeReader } from './gcode';
import { pictureIn } from './plate-picture';
import { severalPlates } from './plates';
import { readSliceInfo, type SliceInfo } from './slice-info';
import { UnreadableFileError } from './unreadable';

const plateMember = /^\/?metadata\/plate_([1-9]\d{0,5})\.gcode$/i;

interface SlicedPlate {
  plate: number;
  /** Of its stored G-code. */
  member: string;
}

/** The sliced plates in an archive, by number. */
export function slicedPlatesOf(archive: Archive): SlicedPlate[] {
  return archive.names
    .flatMap((member) => {
      const number = plateMember.exec(member)?.[1];
      return number === undefined ? [] : { plate: Number(number), member };
    })
    .sort((a, b) => a.plate - b.plate);
}

/**
 * Analyses the plates of a `.gcode.3mf`: the G-code of each, and the archive's information about it.
 *
 * @throws UnreadableFileError also when the MD5 of a plate differs from the stated one */
export async function analyseSlicedArchive(
  archive: Archive,
  plates: readonly SlicedPlate[],
  sizeBytes: number,
): Promise<FileAnalysis> {
  if (plates.length > mostPlates) {
    throw new UnreadableFileError(
      `it holds ${plates.length} sliced plates, more than ${mostPlates}`,
      'Export fewer plates at a time.',
    );
  }
  const infos = await readSliceInfo(archive);
  const settings = await readBambuSettings(archive);
  const projectBed = textIn(await jsonIn(archive, 'Metadata/project_settings.config'), 'curr_bed_type');
  const analysed: PlateAnalysis[] = [];
  for (const { plate, member } of plates) {
    const print = await readPlate(archive, member);
    const info = infos.get(plate) ?? (infos.size === 1 && plates.length === 1 ? [...infos.values()][0] : undefined);
    addInfo(print, info);
    print.bedType =
      textIn(await jsonIn(archive, member.replace(/\.gcode$/i, '.json')), 'bed_type') ?? projectBed ?? print.bedType;
    const noted = settings?.plates.find((each) => each.plate === plate);
    const pictureMember = noted?.picture ?? member.replace(/\.gcode$/i, '.png');
    const picture = await pictureIn(archive, pictureMember);
    if (picture) print.thumbnails = [{ width: picture.width, height: picture.height, format: 'png' }];
    const { bounds, dimensions, volumeMm3, triangles, warnings } = ofGcode('gcode_3mf', sizeBytes, print);
    analysed.push({
      plate,
      name: noted?.name ?? null,
      bounds,
      dimensions,
      volumeMm3,
      triangles,
      print,
      warnings,
      picture: picture ? pictureMember : null,
    });
  }
  return severalPlates('gcode_3mf', sizeBytes, analysed, []);
}

/** Reads the G-code of a plate. */
async function readPlate(archive: Archive, member: string): Promise<GcodeAnalysis> {
  const reader = new GcodeReader();
  const md5 = createHash('md5');
  for await (const piece of archive.read(member)) {
    md5.update(piece);
    reader.push(piece);
  }
  const print = reader.finish();
  const declared = (await archive.text(`${member}.md5`, 1024))?.trim().toLowerCase();
  if (declared !== undefined && declared !== md5.digest('hex')) {
    throw new UnreadableFileError(
      `the MD5 of ${member} does not match; the printer would refuse it`,
      'Export the sliced file again; do not edit the G-code inside.',
    );
  }
  return print;
}

function addInfo(print: GcodeAnalysis, info: SliceInfo | undefined): void {
  if (!info) return;
  print.printerModel = info.printerModel ?? print.printerModel;
  print.slicerSeconds = info.seconds ?? print.slicerSeconds;
  print.slicerGrams = info.grams ?? print.slicerGrams;
  if (info.nozzleDiameters.length > 0) print.nozzleDiameters = info.nozzleDiameters;
  if (info.filaments.length > 0) print.filaments = info.filaments;
}

/** A JSON file beside the geometry; undefined if it is missing or unreadable. */
async function jsonIn(archive: Archive, member: string): Promise<unknown> {
  const bytes = await archive.bytes(member, 4 * 1024 ** 2);
  try {
    return bytes === undefined ? undefined : JSON.parse(bytes.toString('utf8'));
  } catch {
    return undefined;
  }
}

function textIn(value: unknown, key: string): string | null {
  const found = value !== null && typeof value === 'object' ? (value as Record<string, unknown>)[key] : undefined;
  return typeof found === 'string' && /^.{1,80}$/u.test(found) ? found : null;
}
