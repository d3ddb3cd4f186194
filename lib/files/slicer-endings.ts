/** How the files of a slicer end. */
export interface SlicerEnding {
  /** The file's statement about its slicer. */
  slicer: RegExp;
  /**
   * Comments after the last extruding move, any of which proves that the file is complete: the comment in lower case, or
   * the text before its `:` or `=`.
   */
  marks: readonly string[];
  /** Whether a file of this slicer without its mark was cut off; otherwise heaters that go off are sufficient. */
  always: boolean;
  /** The source of the fact. */
  source: string;
}

/** The slicer whose files have a header block. */
export const luban = 'Snapmaker Luban';

const statistics = [
  'filament used',
  'filament used [mm]',
  'filament used [g]',
  'total filament used [g]',
  'estimated printing time',
  'estimated printing time (normal mode)',
];

/**
 * The endings of each slicer's files. A slicer that is not listed, such as MatterSlice or FlashPrint, writes no mark that
 * we know. The first row that matches the name counts.
 */
const slicerEndings: readonly SlicerEnding[] = [
  {
    slicer: /^(PrusaSlicer[ -](0|1|2\.[0-3])\b|Slic3r\b)/i,
    marks: [...statistics, 'prusaslicer_config = end'],
    always: true,
    source:
      'Before 2.4.0-alpha0 the configuration has no delimiters (GCode.cpp of PrusaSlicer, the viewer’s reader). After the end code come “filament used” and the times, then the configuration',
  },
  {
    slicer: /^PrusaSlicer/i,
    marks: ['prusaslicer_config = end'],
    always: true,
    source: 'GCode.cpp of PrusaSlicer: “Starting with 2.4.0-alpha0 …”; the last line of every file',
  },
  {
    slicer: /^SuperSlicer/i,
    marks: ['superslicer_config = end', 'prusaslicer_config = end', ...statistics],
    always: true,
    source: 'Readers of its files (Duet’s postprocessor); versions before 2.4 end like PrusaSlicer’s before 2.4',
  },
  {
    slicer: /Orca|^(ElegooSlicer|BambuStudio|Creality.?Print|AnycubicSlicer|QIDIStudio)|^executable block$/i,
    marks: ['executable_block_end', 'config_block_end'],
    always: true,
    source:
      'GCode.cpp of OrcaSlicer and Bambu Studio: EXECUTABLE_BLOCK_END follows the end code; OrcaSlicer and what was made from it (ElegooSlicer) add statistics and the configuration, for other makes than Bambu; Bambu’s configuration stands at the head',
  },
  {
    slicer: /^Cura/i,
    marks: ['end of gcode', 'setting_3', 'cura_profile_string'],
    always: true,
    source: 'FffGcodeWriter::finalize of CuraEngine; Cura adds SETTING_3 lines, before 2.1 CURA_PROFILE_STRING',
  },
  {
    slicer: /^(Snapmaker Luban|Snapmakerjs)/i,
    marks: ['--- end g-code end ---', 'end gcode end', 'end of gcode'],
    always: true,
    source: 'DefinitionManager.js of Luban (machine_end_gcode); its engine is CuraEngine',
  },
  {
    slicer: /^Simplify3D/i,
    marks: ['build summary', 'build time', 'filament length', 'material length'],
    always: true,
    source: 'Build Summary at the end of the file (readers in Moonraker, RepRapFirmware)',
  },
  {
    slicer: /^Kiri:Moto/i,
    marks: ['--- filament used', '--- print time'],
    always: true,
    source: 'export.js of Kiri:Moto, after the device’s end code',
  },
  {
    slicer: /^ideaMaker/i,
    marks: ['print time', 'material#1 used'],
    always: false,
    source: 'Moonraker reads both from the end of the file; no whole file of each version was at hand',
  },
  {
    slicer: /^KISSlicer/i,
    marks: ['calculated-during-export build time', 'estimated build time'],
    always: false,
    source: 'Files of 1.6 and 2.0, after the postfix; older versions name the estimated time',
  },
  { slicer: /^Platewise/i, marks: ['platewise_end'], always: true, source: 'the built-in slicer' },
];

/** Watches for the closing marks of all slicers. */
export class SlicerEndings {
  private readonly declared = new Set<SlicerEnding>();
  /** The number of extruding moves before the last occurrence of each mark. */
  private readonly seen = new Map<string, number>();

  /** Processes the file's statement about its slicer. */
  declare(slicer: string): void {
    const ending = slicerEndings.find((row) => row.slicer.test(slicer));
    if (ending) this.declared.add(ending);
  }

  /** Whether this comment, or this key of one, is a closing mark of some slicer. */
  isMark(text: string): boolean {
    return marks.has(text);
  }

  mark(text: string, move: number): void {
    this.seen.set(text, move);
  }

  /**
   * Whether a file with this many extruding moves is complete: true or false if its slicer writes a mark, null if
   * unknown.
   */
  whole(moves: number): boolean | null {
    let missing = false;
    for (const ending of this.declared) {
      if (moves > 0 && ending.marks.some((mark) => this.seen.get(mark) === moves)) return true;
      missing ||= ending.always;
    }
    return missing ? false : null;
  }
}

const marks: ReadonlySet<string> = new Set(slicerEndings.flatMap((ending) => ending.marks));
