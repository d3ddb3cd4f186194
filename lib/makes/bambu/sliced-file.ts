import { close, open } from 'node:fs';
import { type Entry, fromFd, type ZipFile } from 'yauzl';
import { asError } from '../../model/errors';

/** The information in a sliced file about its target machine. */
export interface SlicedFor {
  /** Which of the project's filaments the plate uses, counted from 0. Empty if the file does not say. */
  filaments: number[];
  /** The extruder of each of the project's filaments: 0 right, 1 left. Empty if the file does not say. */
  extruders: number[];
  /** Nozzle diameters in mm. Empty if the file does not say. */
  nozzleDiameters: number[];
}

const infoName = 'Metadata/slice_info.config';
const longestInfo = 4_000_000;
const leftInFile = 1;
/** More than any project has. */
const mostFilaments = 64;

/** The file has no information about its target machine. */
export const slicedForAnything: SlicedFor = { filaments: [], extruders: [], nozzleDiameters: [] };

/**
 * The slot of each of the project's filaments, `-` for those that the plate does not use: printers count a project's
 * filaments, not those of a plate. Undefined if the slots given are neither as many as the plate nor as the project
 * has.
 */
export function slotsOfProject(slots: readonly string[], file: SlicedFor): string[] | undefined {
  const { filaments } = file;
  if (filaments.length === 0) return [...slots];
  const count = Math.max(file.extruders.length, (filaments.at(-1) ?? 0) + 1);
  if (slots.length === filaments.length) {
    const all = new Array<string>(count).fill('-');
    filaments.forEach((index, order) => {
      all[index] = slots[order] ?? '-';
    });
    return all;
  }
  return slots.length === count ? [...slots] : undefined;
}

/** Reads the slicing information of one plate out of a `.gcode.3mf`. */
export async function readSlicedFor(path: string, plate: number): Promise<SlicedFor> {
  return parseSliceInfo(await readEntry(path, infoName), plate);
}

/** Reads `slice_info.config`: the part for the given plate, 1-based. For an unknown plate it returns no information. */
export function parseSliceInfo(xml: string, plate: number): SlicedFor {
  const plates = xml.split(/<plate\b/).slice(1);
  const metadata = (part: string, key: string): string | undefined =>
    new RegExp(`<metadata\\s+key="${key}"\\s+value="([^"]*)"`).exec(part)?.[1];
  const unnumbered = plates.length === 1 && metadata(plates[0] ?? '', 'index') === undefined ? plates[0] : undefined;
  const part = plates.find((candidate) => metadata(candidate, 'index') === String(plate)) ?? unnumbered ?? '';
  const numbers = (text: string | undefined): number[] =>
    (text ?? '')
      .split(/[\s,;]+/)
      .filter((word) => word !== '')
      .map(Number)
      .filter((value) => Number.isFinite(value));
  const filaments = [...part.matchAll(/<filament\b[^>]*?\bid="(\d+)"/g)].map(([, id]) => Number(id) - 1);
  return {
    filaments: filaments.filter((index) => index >= 0 && index < mostFilaments).sort((a, b) => a - b),
    extruders: numbers(metadata(part, 'filament_maps')).map((side) => (side === leftInFile ? 1 : 0)),
    nozzleDiameters: numbers(metadata(part, 'nozzle_diameters')),
  };
}

function readEntry(path: string, name: string): Promise<string> {
  return new Promise((resolve, reject) => {
    open(path, 'r', (openError, fd) => {
      if (openError !== null) {
        reject(openError);
        return;
      }
      fromFd(fd, { lazyEntries: true, autoClose: false }, (error, zip) => {
        const finish = (failure: Error | undefined, text = ''): void => {
          close(fd, () => (failure === undefined ? resolve(text) : reject(failure)));
        };
        if (error !== null || zip === undefined) finish(asError(error));
        else findEntry(zip, name, finish);
      });
    });
  });
}

function findEntry(zip: ZipFile, name: string, finish: (failure: Error | undefined, text?: string) => void): void {
  zip.once('error', finish);
  zip.once('end', () => finish(undefined, ''));
  zip.on('entry', (entry: Entry) => {
    if (entry.fileName !== name || entry.uncompressedSize > longestInfo) {
      zip.readEntry();
      return;
    }
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null || stream === undefined) {
        finish(asError(error));
        return;
      }
      const parts: Buffer[] = [];
      stream.on('data', (part: Buffer) => parts.push(part));
      stream.once('error', finish);
      stream.once('end', () => finish(undefined, Buffer.concat(parts).toString('utf8')));
    });
  });
  zip.readEntry();
}
