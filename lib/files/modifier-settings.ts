/** The slicer whose keys are meant. */
export type Dialect = 'prusa' | 'bambu';

/** The print settings that a modifier may change here: PrusaSlicer's key, and that of OrcaSlicer and Bambu Studio. */
const pairs: readonly (readonly [prusa: string, bambu: string])[] = [
  ['fill_density', 'sparse_infill_density'],
  ['fill_pattern', 'sparse_infill_pattern'],
  ['perimeters', 'wall_loops'],
  ['top_solid_layers', 'top_shell_layers'],
  ['bottom_solid_layers', 'bottom_shell_layers'],
  ['top_solid_min_thickness', 'top_shell_thickness'],
  ['bottom_solid_min_thickness', 'bottom_shell_thickness'],
];

/** Patterns that have the same name in both. */
const commonPatterns =
  /^(3dhoneycomb|adaptivecubic|concentric|cubic|grid|gyroid|honeycomb|lightning|line|supportcubic|triangles)$/;

/** Keys that appear next to print settings in the files of both but are not settings. */
const noSettings =
  /^(name|extruder|matrix|modifier|volume_type|source_.*|face_count|mesh_shared|uuid|text_info|identify_id|assemble_.*|wipe_into_.*)$/;
const settingKey = /^[a-z][a-z0-9_]{1,60}$/;

/**
 * The print settings of an object, a part or a modifier.
 *
 * @returns `taken`: by PrusaSlicer's keys, those that are passed to every slicer; `known`: all keys that set something,
 * the taken ones by PrusaSlicer's name; `filament`: the number of the filament that it is assigned to, undefined if it has
 * none of its own
 */
export function modifierSettings(
  dialect: Dialect,
  settings: ReadonlyMap<string, string>,
): { taken: ReadonlyMap<string, string>; known: string[]; filament: string | undefined } {
  const taken = new Map<string, string>();
  const known: string[] = [];
  for (const [key, value] of settings) {
    if (noSettings.test(key) || !settingKey.test(key)) continue;
    const prusaKey = pairs.find(([prusa, bambu]) => (dialect === 'prusa' ? prusa : bambu) === key)?.[0];
    known.push(prusaKey ?? key);
    if (prusaKey !== undefined && isSound(prusaKey, value)) taken.set(prusaKey, value);
  }
  const filament = settings.get('extruder');
  return { taken, known, filament: filament === undefined || filament === '0' ? undefined : filament };
}

/** A setting in a slicer's own key and value. */
export function settingFor(dialect: Dialect, prusaKey: string): string {
  return dialect === 'prusa' ? prusaKey : (pairs.find(([prusa]) => prusa === prusaKey)?.[1] ?? prusaKey);
}

function isSound(prusaKey: string, value: string): boolean {
  if (prusaKey === 'fill_pattern') return commonPatterns.test(value);
  return prusaKey === 'fill_density' ? /^\d{1,3}(\.\d{1,3})?%$/.test(value) : /^\d{1,4}(\.\d{1,4})?$/.test(value);
}
