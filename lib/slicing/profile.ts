import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { Ajv } from 'ajv';
import { asError, PlatewiseError } from '../model/errors';
import type { Material } from '../model/material';
import {
  type InfillPattern,
  infillPatterns,
  qualityPattern,
  type Seam,
  type Supports,
  seams,
  supportKinds,
} from '../model/settings';

/** How a material is printed on a printer; every file gives a part of it, the more special one wins. */
export interface SlicingProfile {
  /** °C; absent: the material's own. */
  nozzle_temp?: number;
  /** °C; absent: the material's own. */
  bed_temp?: number;
  /** mm; goes before the ratio. */
  layer_height?: number;
  /** Of the nozzle's diameter. */
  layer_height_ratio?: number;
  /** mm; absent: half of the nozzle's diameter, or the other layers' height if that is more. */
  first_layer_height?: number;
  /** Of the nozzle's diameter. */
  line_width_ratio?: number;
  /** Lines. */
  walls?: number;
  /** Solid layers of roofs. */
  top_layers?: number;
  /** Solid layers of floors. */
  bottom_layers?: number;
  /** Percent. */
  infill?: number;
  infill_pattern?: InfillPattern;
  seam?: Seam;
  /** mm/s of inner lines. */
  speed?: number;
  /** mm/s */
  first_layer_speed?: number;
  /** mm/s */
  travel_speed?: number;
  /** mm/s² */
  acceleration?: number;
  /** mm of filament. */
  retract_length?: number;
  /** mm/s */
  retract_speed?: number;
  /** Percent. */
  fan?: number;
  layers_without_fan?: number;
  /** The minimum time of a layer, so that it can cool. */
  shortest_layer_seconds?: number;
  /** mm */
  brim?: number;
  supports?: Supports;
  /** Keys of PrusaSlicer's own configuration, as they are. */
  prusa?: Record<string, string | number>;
}

/** What a file may hold: also the names that fields had in earlier versions. */
interface ProfileFile extends Omit<SlicingProfile, 'supports'> {
  /** Of floors and of roofs: `top_layers` and `bottom_layers`. */
  solid_layers?: number;
  /** `brim` */
  brim_width?: number;
  /** true: everywhere. */
  supports?: Supports | boolean;
}

/**
 * A file's fields under their present names. Done for each file before they are laid over one another, so that it does
 * not matter which of them uses which name.
 */
function renamed({ solid_layers, brim_width, supports, ...others }: ProfileFile): SlicingProfile {
  const kind = supports === true ? 'everywhere' : supports === false ? 'none' : supports;
  return {
    ...(solid_layers !== undefined && { top_layers: solid_layers, bottom_layers: solid_layers }),
    ...(brim_width !== undefined && { brim: brim_width }),
    ...(kind !== undefined && { supports: kind }),
    ...others,
  };
}

const bounded = (minimum: number, maximum: number) => ({ type: 'number', minimum, maximum });

const schema = {
  type: 'object',
  additionalProperties: false,
  properties: {
    nozzle_temp: bounded(150, 450),
    bed_temp: bounded(0, 150),
    layer_height: bounded(0.02, 2),
    layer_height_ratio: bounded(0.1, 0.8),
    first_layer_height: bounded(0.02, 2),
    line_width_ratio: bounded(0.8, 2),
    walls: { type: 'integer', minimum: 1, maximum: 20 },
    solid_layers: { type: 'integer', minimum: 0, maximum: 100 },
    top_layers: { type: 'integer', minimum: 0, maximum: 100 },
    bottom_layers: { type: 'integer', minimum: 0, maximum: 100 },
    infill: bounded(0, 100),
    infill_pattern: { enum: infillPatterns },
    seam: { enum: seams },
    speed: bounded(1, 1000),
    first_layer_speed: bounded(1, 500),
    travel_speed: bounded(1, 1000),
    acceleration: bounded(10, 100_000),
    retract_length: bounded(0, 20),
    retract_speed: bounded(1, 200),
    fan: bounded(0, 100),
    layers_without_fan: { type: 'integer', minimum: 0, maximum: 1000 },
    shortest_layer_seconds: bounded(0, 600),
    brim: bounded(0, 50),
    brim_width: bounded(0, 50),
    supports: { enum: [...supportKinds, true, false] },
    prusa: {
      type: 'object',
      // a profile must not name a program to run after slicing
      propertyNames: { pattern: '^(?!post_process)[a-z][a-z0-9_]*$' },
      additionalProperties: { type: ['string', 'number'], pattern: '^[^\\n\\r]*$' },
    },
  },
};

const validate = new Ajv({ allErrors: true, allowUnionTypes: true }).compile<ProfileFile>(schema);

/** A profile cannot be used; names the file, the field and the reason. */
export class ProfileError extends PlatewiseError {
  constructor(message: string, remedy: string) {
    super(message, { code: 'bad_profile', remedy });
  }
}

/** Holds the profiles of OrcaSlicer and Bambu Studio, which are of another form. */
export const foreignFolder = 'orca';
/** The name in a path that matches every printer, material or quality. */
const every = 'any';
/** The quality of a job that names none. */
export const defaultQuality = 'standard';
const fileName = /^[A-Za-z0-9._+-]+$/;

/**
 * Profiles in folders of files `<printer>/<material>/<quality>.json`, where each part may be `any`, and the material an
 * id (`petg_black_esun`) or a type (`PETG`). All files that match a print are merged: a later folder takes precedence
 * over an earlier one, then printer before material before quality. They are read again for each print, so that an
 * edited file applies from the next one on.
 */
export class Profiles {
  /** @param directories the first has the shipped profiles, the last the operator's; a directory may be missing */
  constructor(private readonly directories: readonly string[]) {}

  /**
   * @throws ProfileError a file is damaged, or no file knows the quality
   */
  async load(of: {
    printerId: string;
    material: Pick<Material, 'id' | 'type'>;
    quality?: string | undefined;
  }): Promise<SlicingProfile> {
    const quality = of.quality ?? defaultQuality;
    let profile: SlicingProfile = {};
    let known = of.quality === undefined;
    for (const directory of this.directories) {
      for (const printer of [every, of.printerId]) {
        for (const material of [every, of.material.type, of.material.id]) {
          for (const name of [every, quality]) {
            if (![printer, material, name].every((part) => fileName.test(part) && !part.startsWith('.'))) continue;
            const found = await readProfile(join(directory, printer, material, `${name}.json`));
            if (!found) continue;
            known ||= name === quality;
            profile = { ...profile, ...found, ...(found.prusa && { prusa: { ...profile.prusa, ...found.prusa } }) };
          }
        }
      }
    }
    if (!known) {
      throw new ProfileError(
        `No profile knows the quality "${quality}".`,
        `Use one of ${(await this.qualities()).join(', ')}, or write a profile of this name.`,
      );
    }
    return profile;
  }

  /** The qualities that some file knows, in order of the alphabet. */
  async qualities(): Promise<string[]> {
    const names = (await this.files()).map((path) => /([^/\\]+)\.json$/.exec(path)?.[1] ?? '');
    return [...new Set(names)].filter((name) => name !== every && new RegExp(qualityPattern).test(name)).sort();
  }

  /** Reads every file and returns their errors. */
  async problems(): Promise<ProfileError[]> {
    const problems: ProfileError[] = [];
    for (const path of await this.files()) {
      await readProfile(path).catch((error: unknown) => {
        if (!(error instanceof ProfileError)) throw error;
        problems.push(error);
      });
    }
    return problems;
  }

  private async files(): Promise<string[]> {
    const paths: string[] = [];
    for (const directory of this.directories) {
      const entries = await readdir(directory, { recursive: true, withFileTypes: true }).catch(() => []);
      for (const entry of entries) {
        const path = join(entry.parentPath, entry.name);
        const foreign = relative(directory, path).startsWith(`${foreignFolder}${sep}`);
        if (entry.isFile() && entry.name.endsWith('.json') && !foreign) paths.push(path);
      }
    }
    return paths;
  }
}

async function readProfile(path: string): Promise<SlicingProfile | undefined> {
  let text: string;
  try {
    text = await readFile(path, 'utf8');
  } catch (error) {
    if (['ENOENT', 'ENOTDIR'].includes((error as NodeJS.ErrnoException).code ?? '')) return undefined;
    throw new ProfileError(`The profile ${path} cannot be read: ${asError(error).message}.`, 'Make it readable.');
  }
  let profile: unknown;
  try {
    profile = JSON.parse(text);
  } catch (error) {
    throw new ProfileError(`The profile ${path} is no JSON: ${asError(error).message}.`, 'Correct the file.');
  }
  if (validate(profile)) return renamed(profile);
  const [error] = validate.errors ?? [];
  const field = error?.params['additionalProperty'] ?? error?.params['propertyName'] ?? error?.instancePath.slice(1);
  throw new ProfileError(
    `The profile ${path} has a bad value: ${field || 'the whole'} ${error?.message ?? ''}.`,
    'Correct the file; docs/slicing.md lists all fields and their limits.',
  );
}
