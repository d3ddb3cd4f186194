import { FilamentComments } from './filament-comments';
import { luban, SlicerEndings } from './slicer-endings';

/** A print time above ten years in a header is invalid. */
const longestPlausibleSeconds = 315_360_000;
/** mm; Luban writes the infill speed where the layer height belongs. */
const highestPlausibleLayer = 3;
/** The placeholder of CuraEngine and its derivatives for an unknown time. */
const placeholderSeconds = 6666;

/** The reliability with which a key identifies the machine: a preset's name is the least reliable. */
const modelKeys: ReadonlyMap<string, number> = new Map([
  ['printer_model', 3],
  ['target_machine.name', 2],
  ['machine', 2],
  ['printer', 1],
  ['printer type', 2],
  ['tool_head', 1],
  ['printer_settings_id', 0],
  ['printer_name', 0],
]);

/** Names that mean any machine. */
const genericModel =
  /^(|-.*-|my ?(klipper|marlin|rrf|toolchanger|printer).*|(generic|custom|default|sample|unknown|unnamed)\b.*|printer|other|none|null|undefined|fdmprinter|something)$/i;

/** Collects the comments of slicers about a print: PrusaSlicer, SuperSlicer, Slic3r, OrcaSlicer, ElegooSlicer, Bambu
 * Studio, Cura, Luban, Simplify3D, ideaMaker, KISSlicer, Kiri:Moto and our own. Numbers that are not finite and
 * plausible are ignored.
 */
export class SlicerComments {
  readonly filaments = new FilamentComments();
  readonly endings = new SlicerEndings();
  slicer: string | null = null;
  seconds: number | null = null;
  grams: number | null = null;
  printerModel: string | null = null;
  bedType: string | null = null;
  /** mm */
  layerHeight: number | null = null;
  /** As stated in the file, not counted. */
  layerCount: number | null = null;
  private totalGrams = false;
  private modelRank = -1;
  /** So far only Luban's header block was found, which other slicers write too. */
  private tentative = false;
  /** Layer marks by the word that marks them: some start codes write two kinds. */
  private readonly marks = new Map<string, number>();
  private mostMarks = 0;

  /** The number of layer marks. */
  get layerMarks(): number {
    return this.mostMarks;
  }

  /**
   * Processes a line that starts with `;`, without its line end.
   *
   * @param move the number of extruding moves before it
   */
  read(line: string, move: number): void {
    const text = line.replace(/^[;\s]+/, '').trimEnd();
    const separator = indexOfSeparator(text);
    const key = (separator < 0 ? text : text.slice(0, separator)).trim().toLowerCase();
    const value = separator < 0 ? '' : text.slice(separator + 1).trim();
    const layer = layerMark(text, key);
    if (layer !== undefined) {
      const count = (this.marks.get(layer) ?? 0) + 1;
      this.marks.set(layer, count);
      this.mostMarks = Math.max(this.mostMarks, count);
      return;
    }
    if (key.length > 60) {
      if (text.startsWith('SETTING_3 ')) this.endings.mark('setting_3', move);
      return;
    }
    const mark = value === 'end' ? `${key} = end` : key;
    if (this.endings.isMark(mark)) this.endings.mark(mark, move);
    else if (text.startsWith('SETTING_3 ')) this.endings.mark('setting_3', move);
    if (key === 'executable_block_start') this.endings.declare('executable block');
    if (this.readSlicer(text, key, value)) return;
    if (separator >= 0 && !this.filaments.read(key, value)) this.readModel(key, value);
    if (separator >= 0) this.readValue(key, value);
  }

  private readSlicer(text: string, key: string, value: string): boolean {
    const named = slicerIn(text) ?? (key === 'generator.name' ? value : undefined);
    if (named !== undefined) {
      this.endings.declare(named);
      if (this.slicer === null || this.tentative) this.slicer = named;
      this.tentative = false;
      return true;
    }
    if (text !== 'Header Start') return false;
    if (this.slicer === null) {
      this.slicer = luban;
      this.tentative = true;
    }
    return true;
  }

  /** Whether the file is complete by its marks; see `SlicerEndings.whole`. */
  whole(moves: number): boolean | null {
    if (this.tentative) this.endings.declare(luban);
    return this.endings.whole(moves);
  }

  private readModel(key: string, value: string): void {
    const rank = modelKeys.get(key);
    if (rank === undefined || rank <= this.modelRank) return;
    const model = value.replace(/^"|"$/g, '').trim();
    if (!/^[\x20-\x7e]{1,80}$/.test(model) || genericModel.test(model)) return;
    this.printerModel = model;
    this.modelRank = rank;
  }

  private readValue(key: string, value: string): void {
    switch (key) {
      case 'estimated printing time (normal mode)':
      case 'estimated printing time':
      case 'build time':
      case 'calculated-during-export build time':
      case 'estimated build time':
        this.seconds ??= durationOf(value);
        return;
      case 'model printing time':
        this.seconds ??= durationOf(/total estimated time: ([^;]*)/.exec(value)?.[1] ?? value);
        return;
      case 'time':
      case 'print time':
      case 'print.time':
      case '--- print time':
      case 'estimated_time(s)':
        this.seconds ??= secondsOf(value);
        return;
      case 'total filament used [g]':
      case 'total filament weight [g]':
        this.grams = sumOf(value) ?? this.grams;
        this.totalGrams = true;
        return;
      case 'filament used [g]':
      case 'matierial_weight':
      case 'plastic weight':
      case 'material weight':
        if (!this.totalGrams) this.grams = sumOf(value) ?? this.grams;
        return;
      case 'filament used':
        if (/^[\d.]+ ?g$/.test(value)) this.grams ??= sumOf(value);
        return;
      case 'layer_height':
      case 'layer height':
      case 'layerheight':
      case 'sliceheight':
      case 'layer_thickness_mm':
      case 'max_layer_thickness_mm':
        this.layerHeight = plausible(Number.parseFloat(value), highestPlausibleLayer) ?? this.layerHeight;
        return;
      case 'layer_count':
      case 'layer_number':
      case 'total layers count':
      case 'total layer number':
        this.layerCount ??= plausible(Number.parseInt(value, 10), 1e6);
        return;
      case 'curr_bed_type':
      case 'build_plate.type':
        if (/^[\x20-\x7e]{1,80}$/.test(value)) this.bedType = value.replace(/^"|"$/g, '');
        return;
      default:
        return;
    }
  }
}

/** The end of a comment's key: at the first `:` or `=`; Simplify3D uses a comma. */
function indexOfSeparator(text: string): number {
  for (let at = 0; at < text.length && at < 64; at++) {
    const code = text.charCodeAt(at);
    if (code === 61 || code === 44) return at;
    // Kiri:Moto, and the end of a key like `(s):`.
    if (code === 58) return at;
  }
  return -1;
}

/** The kind of layer mark in this comment, if it is one. */
function layerMark(text: string, key: string): string | undefined {
  if (key === 'layer_change' || key === 'change_layer') return text === key.toUpperCase() ? key : undefined;
  if (key === 'layer') return /^LAYER:-?\d+$/.test(text) ? key : undefined;
  if (key.startsWith('begin_layer')) return 'kisslicer';
  if (key.startsWith('layer ')) return /^layer \d+, Z = /.test(text) ? 'simplify3d' : undefined;
  return key.startsWith('--- layer') && /^--- layer \d+/.test(text) ? 'kiri' : undefined;
}

/** The slicer, with its version, that the comment states as the author of the file. */
function slicerIn(text: string): string | undefined {
  const generated = /^(?:G-Code )?(?:sliced|generated)(?: by| with) ([^\r\n]{1,80}?)(?: on \d{4}-.*)?$/i.exec(
    text,
  )?.[1];
  if (generated !== undefined) {
    const named = generated.replace(/\(R\) Version /, ' ');
    return /^ideaMaker/i.test(named) ? named.replace(/,.*/, '') : named;
  }
  return (/^(BambuStudio [\w.]{1,40})$/.exec(text) ?? /^(KISSlicer)\b/.exec(text))?.[1];
}

function durationOf(text: string): number | null {
  let seconds = 0;
  let found = false;
  for (const [, amount, unit] of text.matchAll(/(\d{1,9}(?:\.\d{1,6})?) ?([dhms])/g)) {
    seconds += Number(amount) * (unit === 'd' ? 86400 : unit === 'h' ? 3600 : unit === 'm' ? 60 : 1);
    found = true;
  }
  return found ? plausible(Math.round(seconds * 10) / 10, longestPlausibleSeconds) : null;
}

/** A number of seconds, or a duration in words (`40m:36s` of Fusion). */
function secondsOf(text: string): number | null {
  if (/^[\d.]+ ?[dhm]/.test(text)) return durationOf(text);
  const seconds = Number.parseFloat(text);
  return seconds === placeholderSeconds ? null : plausible(seconds, longestPlausibleSeconds);
}

/** The sum of a comma-separated list, one number per tool. */
function sumOf(text: string): number | null {
  const sum = text.split(',').reduce((total, item) => total + Number.parseFloat(item), 0);
  return plausible(sum, 1e6);
}

const plausible = (value: number, limit: number) => (value > 0 && value <= limit ? value : null);
