import type { Archive } from './archive';
import { UnreadableFileError } from './unreadable';
import { parseXml } from './xml';

const modelMember = 'Metadata/Slic3r_PE_model.config';
const printMember = 'Metadata/Slic3r_PE.config';
const largestBytes = 16 * 1024 ** 2;
const mostObjects = 100_000;
const mostSettings = 1_000_000;

/** The metadata that PrusaSlicer adds to the geometry of a project. */
export interface PrusaSettings {
  /** By the id of the object in the model. */
  objects: Map<string, PrusaObject>;
  /** Its print settings by key; empty if the project carries none. */
  print: Map<string, string>;
}

export interface PrusaObject {
  settings: Map<string, string>;
  volumes: PrusaVolume[];
}

/** A range of an object's triangles. */
export interface PrusaVolume {
  /** The indices of its triangles, from 0. */
  first: number;
  last: number;
  /** `ModelPart`, `NegativeVolume`, `ParameterModifier`, `SupportBlocker`, `SupportEnforcer`. */
  type: string;
  settings: Map<string, string>;
}

/**
 * Reads `Slic3r_PE_model.config` and `Slic3r_PE.config`, undefined if the archive has neither. Keys as in PrusaSlicer's
 * 3mf.cpp; before 2.0 a modifier was marked by `modifier` = 1 alone.
 *
 * @throws UnreadableFileError if they are damaged, or list more than any project has
 */
export async function readPrusaSettings(archive: Archive): Promise<PrusaSettings | undefined> {
  if (!archive.has(modelMember) && !archive.has(printMember)) return undefined;
  const print = printSettings((await archive.text(printMember, largestBytes)) ?? '');
  const objects = new Map<string, PrusaObject>();
  const text = (await archive.text(modelMember, largestBytes)) ?? '';
  if (text.trim() === '') return { objects, print };
  let object: PrusaObject | undefined;
  let volume: PrusaVolume | undefined;
  let counted = 0;
  await parseXml([text], ({ name, attributes }) => {
    if (++counted > mostSettings || objects.size > mostObjects) {
      throw new UnreadableFileError(
        `its ${modelMember} lists more than any project has`,
        'Export the project again from PrusaSlicer.',
      );
    }
    if (name === 'object') {
      object = { settings: new Map(), volumes: [] };
      volume = undefined;
      objects.set(attributes['id'] ?? '', object);
    } else if (name === 'volume') {
      volume = {
        first: triangleOf(attributes['firstid']),
        last: triangleOf(attributes['lastid']),
        type: 'ModelPart',
        settings: new Map(),
      };
      object?.volumes.push(volume);
    } else if (name === 'metadata') {
      const { type, key = '', value = '' } = attributes;
      if (type === 'object') object?.settings.set(key, value);
      else if (volume && key === 'volume_type') volume.type = value;
      else if (volume && key === 'modifier') volume.type = value === '1' ? 'ParameterModifier' : volume.type;
      else volume?.settings.set(key, value);
    }
  });
  return { objects, print };
}

function triangleOf(text: string | undefined): number {
  if (text !== undefined && /^\d{1,9}$/.test(text)) return Number(text);
  throw new UnreadableFileError(
    `its ${modelMember} has "${(text ?? '').slice(0, 40)}" where the number of a triangle should be`,
    'Export the project again from PrusaSlicer.',
  );
}

/** Lines of the form `; key = value`. */
function printSettings(text: string): Map<string, string> {
  const settings = new Map<string, string>();
  for (const [, key, value] of text.matchAll(/^; ?([a-z][a-z0-9_]*) = (.*)$/gm)) {
    if (key !== undefined && value !== undefined) settings.set(key, value.trim());
  }
  return settings;
}
