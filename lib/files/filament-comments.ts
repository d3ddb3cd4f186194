import type { FileFilament } from './analysis';

/** More nozzles and filaments than any machine has. */
const most = 64;

/** Types as slicers name them, also as a prefix of a colour or a brand (`PLA-Black` of Luban). */
const knownType =
  /^(PLA|PETG|PCTG|PETCF|PET|ABS|ASA|TPU|TPE|PVA|PVB|BVOH|HIPS|PPS|PPA|PAHT|PA6|PA12|PA|PCABS|PC|PP|PE|PHA|EVA|POM|PEEK|PEI)([- ](?:CF|GF|AERO|AMS|S)(?:\d+)?)?(?![A-Z0-9])/i;

/**
 * Collects a file's comments about its nozzles and filaments. There are three conventions: lists in the order of the nozzles
 * (PrusaSlicer, OrcaSlicer, Bambu Studio: `filament_type = PLA;PETG`), lists of the used ones only (their statistics),
 * and one line per nozzle (Cura, Luban, ideaMaker).
 *
 * `T1` in Bambu Studio’s G-code means the second *filament*, whichever nozzle it comes from; the same holds for a machine
 * that changes filaments in one nozzle. Everywhere else each tool has its own nozzle and filament.
 */
export class FilamentComments {
  private readonly types: (string | null)[] = [];
  private readonly colours: (string | null)[] = [];
  private readonly extruderColours: (string | null)[] = [];
  private readonly diameters: number[] = [];
  /** mm of each filament and its g/cm³, as ideaMaker writes them. */
  private readonly lengths: number[] = [];
  private readonly densities: number[] = [];
  private readonly thicknesses: number[] = [];
  /** The statistics, for all or for the used filaments. */
  private grams: number[] = [];
  private metres: number[] = [];
  /** From 1. */
  private declared: number[] = [];
  /** Bambu: by filament 1 for the left nozzle, 2 for the right one. */
  private map: number[] = [];
  private oneNozzle = false;

  get nozzleDiameters(): number[] {
    return Array.from(this.diameters, (diameter) => diameter ?? 0);
  }

  /**
   * On a Bambu with two nozzles, the one that a filament is sliced for, as M104 counts them; null: not a Bambu, or not stated.
   */
  nozzleOf(tool: number): number | null {
    const side = this.map[tool];
    return side === undefined || this.diameters.length < 2 ? null : side % 2;
  }

  /** Processes a comment. @returns whether it was about filaments or nozzles */
  read(key: string, value: string): boolean {
    const reader = readers.get(key);
    if (reader) {
      reader(this, value);
      return true;
    }
    if (!/\d/.test(key)) return false;
    for (const [pattern, read] of numberedReaders) {
      const index = Number(pattern.exec(key)?.[1] ?? Number.NaN);
      if (!(index >= 0 && index < most)) continue;
      read(this, index, value);
      return true;
    }
    return false;
  }

  /**
   * The filaments that the file uses.
   *
   * @param tools those that extrude, in ascending order
   * @param totalGrams of the whole print
   */
  used(tools: readonly number[], totalGrams: number | null): FileFilament[] {
    const known = Math.max(this.types.length, this.colours.length, this.extruderColours.length);
    const said = known + this.grams.length + this.metres.length + this.lengths.length + this.declared.length;
    if (said === 0) return [];
    const listed = this.declared.length > 0 ? this.declared.map((number) => number - 1) : tools;
    const grams = byTool(this.grams, listed, tools);
    const metres = byTool(this.metres, listed, tools);
    const used = new Set([...tools, ...this.declared.map((number) => number - 1)]);
    for (const amounts of [grams, metres]) {
      for (const [tool, amount] of amounts) if (amount > 0) used.add(tool);
    }
    for (const [tool, length] of this.lengths.entries()) if (length > 0) used.add(tool);
    // If one filament is described and one is used, they are the same, whatever the number of its tool.
    const at = (list: readonly (string | null)[], tool: number) =>
      list[used.size === 1 && list.length === 1 ? 0 : tool] ?? null;
    return [...used]
      .sort((a, b) => a - b)
      .map((tool) => ({
        filament: tool + 1,
        tool: this.nozzleFor(tool),
        type: at(this.types, tool),
        colourHex: at(this.colours, tool) ?? at(this.extruderColours, tool),
        grams: (grams.get(tool) || this.weighed(tool)) ?? (used.size === 1 ? totalGrams : null),
      }));
  }

  private nozzleFor(tool: number): number | null {
    if (this.map.length > 0 && this.diameters.length > 1) return this.nozzleOf(tool);
    return this.oneNozzle ? 0 : tool;
  }

  /** π/4 · d² · length · density, if a file states them individually. */
  private weighed(tool: number): number | null {
    const length = this.lengths[tool] ?? 0;
    const density = this.densities[tool] ?? 0;
    const thickness = this.thicknesses[tool] ?? 0;
    const grams = ((Math.PI / 4) * thickness * thickness * length * density) / 1000;
    return grams > 0 ? Math.round(grams * 100) / 100 : null;
  }

  static readonly fields = {
    types: (it: FilamentComments, value: string) => replace(it.types, texts(value).map(typeOf)),
    colours: (it: FilamentComments, value: string) => replace(it.colours, texts(value).map(colourOf)),
    extruderColours: (it: FilamentComments, value: string) => replace(it.extruderColours, texts(value).map(colourOf)),
    diameters: (it: FilamentComments, value: string) =>
      replace(
        it.diameters,
        numbers(value).map((number) => (number > 0 && number <= 5 ? number : 0)),
      ),
    grams: (it: FilamentComments, value: string) => {
      it.grams = numbers(value);
    },
    metres: (it: FilamentComments, value: string) => {
      it.metres = numbers(value);
    },
    declared: (it: FilamentComments, value: string) => {
      it.declared = numbers(value).filter((number) => Number.isInteger(number) && number >= 1 && number <= most);
    },
    map: (it: FilamentComments, value: string) => {
      it.map = numbers(value);
    },
    oneNozzle: (it: FilamentComments, value: string) => {
      it.oneNozzle = value === '1' || value === 'true';
    },
    /** ideaMaker: width, depth and height of the machine, then its nozzles. */
    dimension: (it: FilamentComments, value: string) => {
      const [, , , ...nozzles] = value.split(/\s+/);
      FilamentComments.fields.diameters(it, nozzles.join(','));
    },
    typeAt: (it: FilamentComments, index: number, value: string) => put(it.types, index, typeOf(value)),
    diameterAt: (it: FilamentComments, index: number, value: string) => {
      const diameter = Number.parseFloat(value);
      if (diameter > 0 && diameter <= 5) put(it.diameters, index, diameter);
    },
    lengthAt: (it: FilamentComments, index: number, value: string) =>
      put(it.lengths, index, positive(Number.parseFloat(value))),
    densityAt: (it: FilamentComments, index: number, value: string) =>
      put(it.densities, index, positive(Number.parseFloat(value))),
    thicknessAt: (it: FilamentComments, index: number, value: string) =>
      put(it.thicknesses, index, positive(Number.parseFloat(value))),
  };
}

const { fields } = FilamentComments;

type ListReader = (it: FilamentComments, value: string) => void;
type NumberedReader = (it: FilamentComments, index: number, value: string) => void;

const readers: ReadonlyMap<string, ListReader> = new Map<string, ListReader>([
  ['filament_type', fields.types],
  ['filament type', fields.types],
  ['printmaterial', fields.types],
  ['filament_colour', fields.colours],
  ['extruder_colour', fields.extruderColours],
  ['nozzle_diameter', fields.diameters],
  ['nozzle diameter', fields.diameters],
  ['extruderdiameter', fields.diameters],
  ['nozzlediameter', fields.diameters],
  ['filament used [g]', fields.grams],
  ['total filament weight [g]', fields.grams],
  ['filament weight', fields.grams],
  ['filament used [mm]', fields.metres],
  ['total filament length [mm]', fields.metres],
  // Cura: metres per nozzle; Slic3r writes one length, in mm.
  ['filament used', fields.metres],
  ['filament', fields.declared],
  ['filament_map', fields.map],
  ['single_extruder_multi_material', fields.oneNozzle],
  ['dimension', fields.dimension],
]);

const fromOne =
  (read: NumberedReader): NumberedReader =>
  (it, index, value) =>
    index > 0 ? read(it, index - 1, value) : undefined;

const numberedReaders: readonly [RegExp, NumberedReader][] = [
  [/^nozzle_(\d{1,2})_mat(?:i?er|er)ial$/, fields.typeAt],
  [/^nozzle_(\d{1,2})_diameter\(mm\)$/, fields.diameterAt],
  [/^extruder (\d{1,2}) material$/, fields.typeAt],
  [/^extruder (\d{1,2}) nozzle size$/, fields.diameterAt],
  [/^extruder_train\.(\d{1,2})\.nozzle\.diameter$/, fields.diameterAt],
  [/^extruder_train\.(\d{1,2})\.material\.volume_used$/, fields.lengthAt],
  [/^filament type #(\d{1,2})$/, fromOne(fields.typeAt)],
  [/^filament density #(\d{1,2})$/, fromOne(fields.densityAt)],
  [/^filament diameter #(\d{1,2})$/, fromOne(fields.thicknessAt)],
  [/^material#(\d{1,2}) used$/, fromOne(fields.lengthAt)],
];

/** The amounts of a list by tool: of the used ones if the list is as long as their number, else of all in order. */
function byTool(amounts: readonly number[], listed: readonly number[], tools: readonly number[]): Map<number, number> {
  const order = [listed, tools].find((candidate) => candidate.length === amounts.length);
  return new Map(amounts.map((amount, index) => [order?.[index] ?? index, amount]));
}

const texts = (value: string) =>
  value
    .split(/[;,]/)
    .slice(0, most)
    .map((item) => item.trim().replace(/^"|"$/g, ''));

const numbers = (value: string) =>
  value
    .replace(/^\[|\]$/g, '')
    .split(/[,;]/)
    .slice(0, most)
    .map((item) => positive(Number.parseFloat(item)));

const positive = (number: number) => (number > 0 && number < 1e9 ? number : 0);

function typeOf(text: string): string | null {
  const known = knownType.exec(text)?.[0].replace(' ', '-') ?? text;
  return /^[A-Za-z][\x21-\x7e ]{0,39}$/.test(known) && !/^(null|none|unknown)$/i.test(known)
    ? known.toUpperCase()
    : null;
}

const colourOf = (text: string) => /^#?([0-9a-f]{6})([0-9a-f]{2})?$/i.exec(text)?.[1]?.toUpperCase() ?? null;

function replace<Item>(list: Item[], items: Item[]): void {
  list.splice(0, list.length, ...items);
}

function put<Item>(list: Item[], index: number, item: Item): void {
  list[index] = item;
}
