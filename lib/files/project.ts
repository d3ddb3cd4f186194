import type { ProjectDemands } from './analysis';
import type { Archive } from './archive';
import { type BambuPlate, type BambuSettings, readBambuSettings } from './bambu-settings';
import { modifierSettings } from './modifier-settings';
import { type PrusaSettings, readPrusaSettings } from './prusa-settings';

/** The role of a volume in a project: a part of the solid, or a feature that only a slicer supports. */
export type VolumeRole = 'part' | ProjectDemands['volumes'][number];

/** A range of an object's triangles, or all of them, and its role. */
export interface VolumeNote {
  role: VolumeRole;
  /** Print settings of a modifier, by PrusaSlicer's keys; only the supported ones. */
  settings: ReadonlyMap<string, string>;
}

/** The kinds of paint on triangles. */
export type Paint = 'colours' | 'supports' | 'seams' | 'fuzzy skin';

const plainPart: VolumeNote = { role: 'part', settings: new Map() };

const prusaRoles: Readonly<Record<string, VolumeRole>> = {
  ModelPart: 'part',
  NegativeVolume: 'negative',
  ParameterModifier: 'modifier',
  SupportBlocker: 'support_blocker',
  SupportEnforcer: 'support_enforcer',
};

const bambuRoles: Readonly<Record<string, VolumeRole>> = {
  normal_part: 'part',
  negative_part: 'negative',
  modifier_part: 'modifier',
  support_blocker: 'support_blocker',
  support_enforcer: 'support_enforcer',
};

/** Reads the metadata files about the objects of a 3MF, for any slicer; empty for a plain 3MF. */
export class ProjectNotes {
  private constructor(
    private readonly prusa: PrusaSettings | undefined,
    private readonly bambu: BambuSettings | undefined,
    /** The print settings of a Bambu project. */
    private readonly bambuPrint: Readonly<Record<string, unknown>>,
    private readonly byLayer: boolean,
    readonly isProject: boolean,
  ) {}

  /** @throws UnreadableFileError */
  static async read(archive: Archive): Promise<ProjectNotes> {
    const prusa = await readPrusaSettings(archive);
    const bambu = await readBambuSettings(archive);
    const print = await bambuPrintSettings(archive);
    const isProject = prusa !== undefined || bambu !== undefined || print !== undefined;
    return new ProjectNotes(prusa, bambu, print ?? {}, isProject && (await changesByLayer(archive)), isProject);
  }

  /** The plates that are not empty. */
  get plates(): BambuPlate[] {
    return (this.bambu?.plates ?? []).filter(({ instances }) => instances.length > 0);
  }

  /** The ranges of triangles of an object of the start part, undefined if it is in one piece. */
  rangesOf(id: string): { first: number; last: number; note: VolumeNote }[] | undefined {
    const volumes = this.prusa?.objects.get(id)?.volumes;
    return volumes?.map(({ first, last, type, settings }) => ({
      first,
      last,
      note: noteOf(prusaRoles[type] ?? 'part', modifierSettings('prusa', settings).taken),
    }));
  }

  /** The role of a component of an object in the start part; undefined if not stated. */
  componentOf(objectId: string, componentId: string): VolumeNote | undefined {
    const part = this.bambu?.objects.get(objectId)?.parts.get(componentId);
    return part && noteOf(bambuRoles[part.subtype] ?? 'part', modifierSettings('bambu', part.settings).taken);
  }

  /** The requirements that some objects of the start part have on a slicer.
   *
   * @param roles of the volumes that were found in them
   */
  demands(objectIds: Iterable<string>, roles: ReadonlySet<VolumeRole>, paint: ReadonlySet<Paint>): ProjectDemands {
    const ids = [...new Set(objectIds)];
    const volumes = [...roles].filter((role) => role !== 'part').sort();
    return {
      by: this.bambu ? 'bambu' : 'prusa',
      volumes,
      ignored: [...this.ignoredPrintSettings(), ...this.ignoredOfObjects(ids), ...ignoredPaint(paint)],
    };
  }

  private ignoredPrintSettings(): string[] {
    const { prusa, bambuPrint } = this;
    const value = (key: string, bambuKey: string) => prusa?.print.get(key) ?? textOf(bambuPrint[bambuKey]);
    const words: string[] = [];
    const number = (text: string | undefined) => (/^\d{1,6}(\.\d{1,6})?%?$/.test(text ?? '') ? text : undefined);
    const layer = number(value('layer_height', 'layer_height'));
    if (layer !== undefined) words.push(`layer height ${layer} mm`);
    const infill = number(value('fill_density', 'sparse_infill_density'));
    if (infill !== undefined) words.push(`${infill.replace('%', '')} % infill`);
    const walls = number(value('perimeters', 'wall_loops'));
    if (walls !== undefined) words.push(walls === '1' ? '1 wall' : `${walls} walls`);
    if (value('support_material', 'enable_support') === '1') words.push('supports');
    const brim = number(value('brim_width', 'brim_width'));
    const brimType = value('brim_type', 'brim_type');
    if (Number(brim) > 0 && !/^(no_brim|auto_brim)$/.test(brimType ?? '')) words.push(`brim ${brim} mm`);
    const sentences: string[] = [];
    if (words.length > 0) {
      sentences.push(
        `The project's own print settings (${words.join(', ')}) are not used; ask for them in print_settings.`,
      );
    }
    if (this.byLayer) {
      sentences.push("The project's settings, colour changes and pauses for single layers are not used.");
    }
    return sentences;
  }

  private ignoredOfObjects(ids: readonly string[]): string[] {
    const settings = new Set<string>();
    const modifiers = new Set<string>();
    const filaments = new Set<string>();
    for (const id of ids) {
      const prusa = this.prusa?.objects.get(id);
      const bambu = this.bambu?.objects.get(id);
      const own = prusa?.settings ?? bambu?.settings;
      for (const key of own ? modifierSettings(prusa ? 'prusa' : 'bambu', own).known : []) settings.add(key);
      const inherited = own?.get('extruder');
      const volumes = [
        ...(prusa?.volumes.map(({ type, settings: of }) => ({ role: prusaRoles[type] ?? 'part', of })) ?? []),
        ...[...(bambu?.parts.values() ?? [])].map((part) => ({
          role: bambuRoles[part.subtype] ?? 'part',
          of: part.settings,
        })),
      ];
      for (const { role, of } of volumes) {
        const { known, taken, filament } = modifierSettings(prusa ? 'prusa' : 'bambu', of);
        if (role === 'part') for (const key of known) settings.add(key);
        if (role === 'modifier') for (const key of known) if (!taken.has(key)) modifiers.add(key);
        if (role === 'part' || (role === 'modifier' && filament)) filaments.add(filament ?? inherited ?? '1');
      }
      if (volumes.length === 0) filaments.add(inherited ?? '1');
    }
    const sentences: string[] = [];
    const list = (keys: Set<string>) =>
      [...keys].slice(0, 8).join(', ') + (keys.size > 8 ? ` and ${keys.size - 8} more` : '');
    if (settings.size > 0) {
      sentences.push(
        `Settings of single objects or parts (${list(settings)}) are not used; ask for them in print_settings.`,
      );
    }
    if (modifiers.size > 0) sentences.push(`Settings of its modifiers (${list(modifiers)}) are not used.`);
    if (filaments.size > 1) {
      sentences.push(
        `Its parts are assigned to ${filaments.size} filaments; all of it is printed in the filament of the job.`,
      );
    }
    return sentences;
  }
}

function noteOf(role: VolumeRole, settings: ReadonlyMap<string, string>): VolumeNote {
  if (role === 'part') return plainPart;
  return role === 'modifier' ? { role, settings } : { role, settings: plainPart.settings };
}

function ignoredPaint(paint: ReadonlySet<Paint>): string[] {
  const sentences: string[] = [];
  if (paint.has('colours')) {
    sentences.push('The painted colours are not printed; all of it is printed in the filament of the job.');
  }
  if (paint.has('supports')) sentences.push('The painted supports are not used; ask for supports in print_settings.');
  if (paint.has('seams')) sentences.push('The painted seam is not used.');
  if (paint.has('fuzzy skin')) sentences.push('The painted fuzzy skin is not printed.');
  return sentences;
}

async function bambuPrintSettings(archive: Archive): Promise<Readonly<Record<string, unknown>> | undefined> {
  const bytes = await archive.bytes('Metadata/project_settings.config', 4 * 1024 ** 2);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'));
    return value !== null && typeof value === 'object' && !Array.isArray(value) ? { ...value } : {};
  } catch {
    return {};
  }
}

/** Files in which both slicers store settings that change with the height. */
const layerMembers = [
  'Metadata/Prusa_Slicer_custom_gcode_per_print_z.xml',
  'Metadata/Prusa_Slicer_layer_config_ranges.xml',
  'Metadata/Slic3r_PE_layer_heights_profile.txt',
  'Metadata/custom_gcode_per_layer.xml',
  'Metadata/layer_config_ranges.xml',
  'Metadata/layer_heights_profile.txt',
];

async function changesByLayer(archive: Archive): Promise<boolean> {
  for (const member of layerMembers) {
    const text = (await archive.bytes(member, 16 * 1024 ** 2))?.toString('latin1') ?? '';
    if (/<(?:code|layer|range)\b|object_id=\d+\|/.test(text)) return true;
  }
  return false;
}

const textOf = (value: unknown) => (typeof value === 'string' ? value : undefined);
