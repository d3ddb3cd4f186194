import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { type Entry, openPromise, type ZipFile } from 'yauzl';
import { estimateGcode, type GcodeFacts } from '../gcode-duration';

/** The printer's reading of a .gcode.3mf: the plate to print, or why it cannot be printed. */
export type ArchiveCheck =
  /**
   * `extruders`: of each filament of the project, 0 right, 1 left; empty if the file does not state it. The tools of
   * the facts are filaments of the project.
   */
  { facts: GcodeFacts; extruders: number[] } | { problem: 'unreadable_file' | 'wrong_model' | 'wrong_nozzle' };

const NOZZLE = 0.4;
/** More than any project has; the words T255, T1000 and so on are the printer's own. */
const MOST_FILAMENTS = 64;
const LARGEST_TEXT = 16 * 1024 * 1024;

/**
 * Opens the archive as the printer does (protocol notes, sections 4 and 8.5): plate present, its md5 equal, model and nozzles.
 */
export async function checkArchive(path: string, plate: string, ownModel: string): Promise<ArchiveCheck> {
  try {
    const zip = await openPromise(path, { lazyEntries: true, autoClose: false });
    try {
      const entries = await listEntries(zip);
      const gcode = entries.get(plate);
      if (gcode === undefined) return { problem: 'unreadable_file' };
      const slice = plateOf((await readText(zip, entries.get('Metadata/slice_info.config'))) ?? '', plate);
      const md5 = createHash('md5');
      const stream = await openEntry(zip, gcode);
      stream.on('data', (chunk: Buffer) => md5.update(chunk));
      const facts = await estimateGcode(stream, {
        firmware: 'bambu',
        count: MOST_FILAMENTS,
        selectable: true,
        first: firstFilament(slice),
      });
      const stated = await readText(zip, entries.get(`${plate}.md5`));
      if (stated !== undefined && stated.trim().toUpperCase() !== md5.digest('hex').toUpperCase()) {
        return { problem: 'unreadable_file' };
      }
      const model = metadata(slice, 'printer_model_id');
      if (model !== undefined && model !== '' && model !== ownModel) return { problem: 'wrong_model' };
      const nozzles = metadata(slice, 'nozzle_diameters');
      if (nozzles?.split(',').some((diameter) => Math.abs(Number(diameter) - NOZZLE) > 0.01)) {
        return { problem: 'wrong_nozzle' };
      }
      const sides = (metadata(slice, 'filament_maps') ?? '').split(/[\s,]+/).filter((word) => word !== '');
      return { facts, extruders: sides.map((side) => (side === '1' ? 1 : 0)) };
    } finally {
      zip.close();
    }
  } catch {
    return { problem: 'unreadable_file' };
  }
}

/** The part of `slice_info.config` for a plate; all of it if it names no plates. */
function plateOf(config: string, plate: string): string {
  const index = /plate_(\d+)\.gcode$/.exec(plate)?.[1] ?? '';
  const parts = config.split(/<plate\b/).slice(1);
  return parts.find((part) => metadata(part, 'index') === index) ?? config;
}

/** A file without a tool word is printed in the first filament that its plate names. */
function firstFilament(slice: string): number {
  const ids = [...slice.matchAll(/<filament\b[^>]*?\bid="(\d+)"/g)].map(([, id]) => Number(id) - 1);
  return ids.length === 0 ? 0 : Math.max(0, Math.min(...ids));
}

function metadata(config: string, key: string): string | undefined {
  return new RegExp(`key="${key}"\\s+value="([^"]*)"`).exec(config)?.[1];
}

function listEntries(zip: ZipFile): Promise<Map<string, Entry>> {
  return new Promise((resolve, reject) => {
    const entries = new Map<string, Entry>();
    zip.on('entry', (entry: Entry) => {
      entries.set(entry.fileName, entry);
      zip.readEntry();
    });
    zip.once('end', () => resolve(entries));
    zip.once('error', reject);
    zip.readEntry();
  });
}

function openEntry(zip: ZipFile, entry: Entry): Promise<Readable> {
  return new Promise((resolve, reject) => {
    zip.openReadStream(entry, (error, stream) => {
      if (error !== null) reject(error);
      else resolve(stream);
    });
  });
}

async function readText(zip: ZipFile, entry: Entry | undefined): Promise<string | undefined> {
  if (entry === undefined || entry.uncompressedSize > LARGEST_TEXT) return undefined;
  const chunks: Buffer[] = [];
  for await (const chunk of await openEntry(zip, entry)) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}
