import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '../model/errors';
import type { Material } from '../model/material';
import type { InfillPattern, PrintSettings, RetrySettings, Seam } from '../model/settings';
import { ProfileError } from './profile';

/** A profile of OrcaSlicer or Bambu Studio: numbers are texts, often one for each extruder variant. */
type OrcaProfile = Record<string, unknown>;

/** The three files that a slice needs, without `inherits`. */
export interface OrcaProfiles {
  machine: OrcaProfile;
  process: OrcaProfile;
  filament: OrcaProfile;
}

const bedKeys = ['cool_plate_temp', 'eng_plate_temp', 'hot_plate_temp', 'textured_plate_temp', 'supertack_plate_temp'];
const speedKeys = [
  'outer_wall_speed',
  'inner_wall_speed',
  'sparse_infill_speed',
  'internal_solid_infill_speed',
  'top_surface_speed',
  'gap_infill_speed',
];
const firstLayerSpeedKeys = ['initial_layer_speed', 'initial_layer_infill_speed'];
/** Their names in both programs (PrintConfig.cpp), if they differ from ours. OrcaSlicer calls rectilinear infill by
 * that name since 2.3 and reads the one of before too.
 */
const patternNames: Readonly<Partial<Record<InfillPattern, string>>> = { rectilinear: 'zig-zag', lines: 'line' };
const seamNames: Readonly<Partial<Record<Seam, string>>> = { rear: 'back' };
const deepestInheritance = 20;

/**
 * The profiles of a print from a folder: `<printer>/machine.json`, `<printer>/process.<quality>.json` (else
 * `process.json`) and `<printer>/filament.<material id or type>.json` (else `filament.json`), as OrcaSlicer and Bambu
 * Studio export them. What they inherit is looked for by name in the whole folder and resolved here, because the
 * slicers' command lines do not: they silently print with hard-coded defaults instead.
 *
 * @throws ProfileError a file is missing or damaged, or inherits from a missing one */
export async function loadOrcaProfiles(
  directory: string,
  of: { printerId: string; material: Pick<Material, 'id' | 'type'>; quality: string },
): Promise<OrcaProfiles> {
  const all = await readAll(directory);
  const pick = (kind: string, names: string[]): OrcaProfile => {
    const paths = names.map((name) => join(of.printerId, name));
    const path = paths.find((candidate) => all.byPath.has(candidate));
    if (path === undefined) {
      throw new ProfileError(
        `There is no ${kind} profile for ${of.printerId}: ${paths.join(', ')} in ${directory}.`,
        'Export the profile from the slicer into this folder.',
      );
    }
    return { ...flattened(path, all), type: kind, from: 'User', inherits: '' };
  };
  return {
    machine: pick('machine', ['machine.json']),
    process: pick('process', [`process.${of.quality}.json`, 'process.json']),
    filament: pick('filament', [
      `filament.${of.material.id}.json`,
      `filament.${of.material.type}.json`,
      'filament.json',
    ]),
  };
}

interface AllProfiles {
  byPath: Map<string, OrcaProfile>;
  byName: Map<string, OrcaProfile>;
}

async function readAll(directory: string): Promise<AllProfiles> {
  const all: AllProfiles = { byPath: new Map(), byName: new Map() };
  const entries = await readdir(directory, { recursive: true }).catch((error: unknown) => {
    throw new ProfileError(`The folder ${directory} cannot be read: ${asError(error).message}.`, 'Create it.');
  });
  for (const path of entries.filter((entry) => entry.endsWith('.json'))) {
    let profile: OrcaProfile;
    try {
      profile = JSON.parse(await readFile(join(directory, path), 'utf8')) as OrcaProfile;
    } catch (error) {
      throw new ProfileError(`The profile ${path} is no JSON: ${asError(error).message}.`, 'Export it again.');
    }
    all.byPath.set(path, profile);
    if (typeof profile['name'] === 'string') all.byName.set(profile['name'], profile);
  }
  return all;
}

function flattened(path: string, all: AllProfiles): OrcaProfile {
  let profile = all.byPath.get(path) ?? {};
  const chain = [profile];
  for (let parent = profile['inherits']; typeof parent === 'string' && parent !== ''; parent = profile['inherits']) {
    const found = all.byName.get(parent);
    if (!found || chain.length > deepestInheritance) {
      throw new ProfileError(
        `The profile ${path} inherits "${parent}", which is not in the folder.`,
        'Put that profile beside it, or export a flat one.',
      );
    }
    chain.unshift(found);
    profile = found;
  }
  return Object.assign({}, ...chain);
}

/** Writes the requested settings, and the changes of a retry, into profiles. */
export function overrideOrcaProfiles(profiles: OrcaProfiles, asked: PrintSettings, retry: RetrySettings): OrcaProfiles {
  const process = { ...profiles.process };
  const filament = { ...profiles.filament };
  const set = (profile: OrcaProfile, key: string, change: (old: number) => number, unit = '') => {
    const one = (text: unknown) => `${Number(change(Number.parseFloat(String(text))).toFixed(3))}${unit}`;
    const old = profile[key];
    if (Array.isArray(old)) profile[key] = old.map(one);
    else if (old !== undefined) profile[key] = one(old);
  };
  if (asked.layer_height !== undefined) process['layer_height'] = String(asked.layer_height);
  if (asked.infill !== undefined) process['sparse_infill_density'] = `${asked.infill}%`;
  const put = (key: string, value: number | string | undefined) => {
    if (value !== undefined) process[key] = String(value);
  };
  put('initial_layer_print_height', asked.first_layer_height);
  put('wall_loops', asked.walls);
  put('top_shell_layers', asked.top_layers);
  put('bottom_shell_layers', asked.bottom_layers);
  // otherwise a thickness may add layers to the requested ones
  if (asked.top_layers !== undefined) put('top_shell_thickness', 0);
  if (asked.bottom_layers !== undefined) put('bottom_shell_thickness', 0);
  put('sparse_infill_pattern', asked.infill_pattern && (patternNames[asked.infill_pattern] ?? asked.infill_pattern));
  put('seam_position', asked.seam && (seamNames[asked.seam] ?? asked.seam));
  if (asked.brim !== undefined) {
    put('brim_type', asked.brim > 0 ? 'outer_only' : 'no_brim');
    put('brim_width', asked.brim);
  }
  if (asked.supports !== undefined) {
    put('enable_support', asked.supports === 'none' ? 0 : 1);
    put('support_on_build_plate_only', asked.supports === 'auto' ? 1 : 0);
    // a manual type supports only painted areas
    put('support_type', String(process['support_type'] ?? 'normal(auto)').replace('(manual)', '(auto)'));
  }
  const { speed } = asked;
  const factor = retry.speed_factor ?? 1;
  for (const key of speedKeys) {
    const share = key === 'outer_wall_speed' ? 0.6 : 1;
    set(process, key, (old) => (speed === undefined ? old : speed * share) * factor);
  }
  for (const key of firstLayerSpeedKeys) {
    set(process, key, (old) => Math.min(old, speed ?? old) * factor * (retry.first_layer_speed_factor ?? 1));
  }
  for (const key of ['nozzle_temperature', 'nozzle_temperature_initial_layer']) {
    set(filament, key, (old) => asked.nozzle_temp ?? old);
  }
  for (const key of bedKeys.flatMap((name) => [name, `${name}_initial_layer`])) {
    set(
      filament,
      key,
      (old) => (asked.bed_temp ?? old) + (old > 0 || asked.bed_temp ? (retry.bed_temp_offset ?? 0) : 0),
    );
  }
  return { machine: profiles.machine, process, filament };
}
