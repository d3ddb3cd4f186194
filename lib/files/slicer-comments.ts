/** A print of ten years is nonsense in a header. */
const longestPlausibleSeconds = 315_360_000;

/**
 * Gathers what slicers say about a print in comments: PrusaSlicer, SuperSlicer, OrcaSlicer, ElegooSlicer, Bambu Studio,
 * Cura, Snapmaker Luban, ideaMaker, Kiri:Moto and our own. Numbers that are not finite and plausible are ignored.
 */
export class SlicerComments {
  slicer: string | null = null;
  seconds: number | null = null;
  grams: number | null = null;
  printerModel: string | null = null;
  /** Marks of new layers. */
  layerMarks = 0;
  /** Whether the slicer's closing mark is there; null while none is expected. */
  complete: boolean | null = null;
  private totalGrams = false;

  /** Takes a line that begins with `;`, without its line end. */
  read(line: string): void {
    const text = line.slice(1).trim();
    if (text === 'LAYER_CHANGE' || text === 'CHANGE_LAYER' || /^LAYER:\d+$/.test(text)) {
      this.layerMarks++;
    } else if (!this.readSlicer(text)) {
      this.readValue(text);
    }
  }

  private readSlicer(text: string): boolean {
    const generated = /^(?:sliced|generated)(?: by| with) ([^\r\n]{1,80}?)(?: on \d{4}-.*)?$/i.exec(text)?.[1];
    const named = generated ?? /^(BambuStudio [\w.]{1,40})$/.exec(text)?.[1];
    if (named !== undefined && this.slicer === null) {
      this.slicer = named;
      if (/^(PrusaSlicer|SuperSlicer|BambuStudio|Platewise)/.test(named)) this.complete ??= false;
      return true;
    }
    if (text === 'Header Start' && this.slicer === null) {
      this.slicer = 'Snapmaker Luban';
      return true;
    }
    if (text === 'prusaslicer_config = end' || text === 'SuperSlicer_config = end') this.complete = true;
    else if (text === 'EXECUTABLE_BLOCK_END' || text === 'platewise_end') this.complete = true;
    return false;
  }

  private readValue(text: string): void {
    const separator = /^([\w .()[\]°/^]{3,60}?) ?[:=] ?/.exec(text);
    if (!separator) return;
    const value = text.slice(separator[0].length).trim();
    switch (separator[1]?.toLowerCase().trim()) {
      case 'estimated printing time (normal mode)':
      case 'estimated printing time':
        this.seconds ??= durationOf(value);
        return;
      case 'model printing time':
        this.seconds ??= durationOf(/total estimated time: ([^;]*)/.exec(value)?.[1] ?? value);
        return;
      case 'time':
      case 'print time':
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
        if (!this.totalGrams) this.grams = sumOf(value) ?? this.grams;
        return;
      case 'printer_model':
      case 'machine':
      case 'printer_settings_id':
        if (/^[\x20-\x7e]{1,80}$/.test(value)) this.printerModel ??= value.replace(/^"|"$/g, '');
        return;
      default:
        return;
    }
  }
}

function durationOf(text: string): number | null {
  let seconds = 0;
  let found = false;
  for (const [, amount, unit] of text.matchAll(/(\d{1,9}(?:\.\d{1,6})?) ?([dhms])/g)) {
    seconds += Number(amount) * (unit === 'd' ? 86400 : unit === 'h' ? 3600 : unit === 'm' ? 60 : 1);
    found = true;
  }
  return found ? plausible(seconds, longestPlausibleSeconds) : null;
}

const secondsOf = (text: string) => plausible(Number.parseFloat(text), longestPlausibleSeconds);

/** The sum of a comma list, one number a tool. */
function sumOf(text: string): number | null {
  const sum = text.split(',').reduce((total, item) => total + Number.parseFloat(item), 0);
  return plausible(sum, 1e6);
}

const plausible = (value: number, limit: number) => (value > 0 && value <= limit ? value : null);
