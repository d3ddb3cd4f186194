import type { Archive } from './archive';
import { UnreadableFileError } from './unreadable';
import { parseXml } from './xml';

const member = 'Metadata/model_settings.config';
const largestBytes = 16 * 1024 ** 2;
/** Bambu Studio and OrcaSlicer allow 36. */
export const mostPlates = 64;
const mostObjects = 100_000;
const mostSettings = 1_000_000;
const longestName = 100;

/** The metadata that Bambu Studio and OrcaSlicer add to the geometry of a project. */
export interface BambuSettings {
  /** By the id of the object in the model's start part. */
  objects: Map<string, BambuObject>;
  /** By number. */
  plates: BambuPlate[];
}

export interface BambuObject {
  settings: Map<string, string>;
  /** By the id of the mesh object that a component names. */
  parts: Map<string, BambuPart>;
}

export interface BambuPart {
  /** `normal_part`, `negative_part`, `modifier_part`, `support_blocker`, `support_enforcer`. */
  subtype: string;
  settings: Map<string, string>;
}

export interface BambuPlate {
  /** From 1. */
  plate: number;
  name: string | null;
  /** The member with its picture, as stated in the project. */
  picture: string | null;
  /** Its contents: which of the build items of an object, from 0; null: all of them. */
  instances: { object: string; instance: number | null }[];
}

/**
 * Reads `model_settings.config`, undefined if the archive has none. Keys as in Bambu Studio's bbs_3mf.cpp.
 *
 * @throws UnreadableFileError it is damaged, or has more objects or plates than any project
 */
export async function readBambuSettings(archive: Archive): Promise<BambuSettings | undefined> {
  const text = await archive.text(member, largestBytes);
  if (text === undefined) return undefined;
  const settings: BambuSettings = { objects: new Map(), plates: [] };
  if (text.trim() === '') return settings;
  let object: BambuObject | undefined;
  let part: BambuPart | undefined;
  let plate: BambuPlate | undefined;
  let instance: BambuPlate['instances'][number] | undefined;
  let counted = 0;
  const count = (): void => {
    if (++counted > mostSettings) throw tooMany('settings');
  };
  const opened = (name: string, attributes: Record<string, string>): void => {
    switch (name) {
      case 'object':
        object = { settings: new Map(), parts: new Map() };
        if (settings.objects.size >= mostObjects) throw tooMany('objects');
        settings.objects.set(attributes['id'] ?? '', object);
        return;
      case 'part':
        count();
        part = { subtype: attributes['subtype'] ?? 'normal_part', settings: new Map() };
        object?.parts.set(attributes['id'] ?? '', part);
        return;
      case 'plate':
        plate = { plate: settings.plates.length + 1, name: null, picture: null, instances: [] };
        if (settings.plates.length >= mostPlates) throw tooMany('plates');
        settings.plates.push(plate);
        return;
      case 'model_instance':
        count();
        instance = { object: '', instance: null };
        plate?.instances.push(instance);
        return;
      case 'metadata':
        count();
        metadata(attributes['key'] ?? '', attributes['value'] ?? '');
        return;
    }
  };
  const metadata = (key: string, value: string): void => {
    if (instance) {
      if (key === 'object_id') instance.object = value;
      if (key === 'instance_id') instance.instance = naturalNumber(value);
    } else if (plate) {
      if (key === 'plater_id') plate.plate = naturalNumber(value) || plate.plate;
      if (key === 'plater_name') plate.name = nameOf(value);
      if (key === 'thumbnail_file' && value !== '') plate.picture = value;
    } else (part ?? object)?.settings.set(key, value);
  };
  await parseXml(
    [text],
    ({ name, attributes }) => opened(name, attributes),
    ({ name }) => {
      if (name === 'object') object = undefined;
      if (name === 'part') part = undefined;
      if (name === 'plate') plate = undefined;
      if (name === 'model_instance') instance = undefined;
    },
  );
  settings.plates.sort((a, b) => a.plate - b.plate);
  return settings;
}

const naturalNumber = (text: string) => (/^\d{1,6}$/.test(text) ? Number(text) : null);

/** A user-defined name, sanitised for display; null if there is none. */
function nameOf(text: string): string | null {
  const shown = text
    .replace(/\p{Cc}+/gu, ' ')
    .trim()
    .slice(0, longestName);
  return shown === '' ? null : shown;
}

function tooMany(what: string): UnreadableFileError {
  return new UnreadableFileError(
    `its ${member} lists more ${what} than any project has`,
    'Export the project again from Bambu Studio or OrcaSlicer.',
  );
}
