/** What a printer takes as its print file: plain G-code, or the sliced archive with everything around it. */
export type PrintFileForm = { form: 'gcode'; extension: '.gcode' } | { form: 'gcode_3mf'; extension: '.gcode.3mf' };

/**
 * The facts of a make that judging, slicing and checking need: constants, so that these can stay pure. Each make states its own
 * (`lib/makes/<make>/traits.ts`); `lib/makes/traits.ts` collects them.
 */
export interface MakeTraits {
  printFile: PrintFileForm;
  /** How an operator calls a tool of a printer with several. */
  toolName(tool: number): string;
  /** What `T` with a number picks in a print file: a tool, or one of the filaments that the file lists. */
  toolWords: 'tools' | 'filaments';
  /** Slots are named by this word and the number of the tool that they feed. */
  numberedSlots?: string;
  /** Slots whose name otherwise says that they feed another tool than the first. */
  slotTools?: ReadonlyMap<string, number>;
  /** Whether the slots that a printer reports are added to those that it was set up with. */
  addsReportedSlots: boolean;
  /** Commands with names that it takes from anybody's file, beside those that slicers write everywhere. */
  extendedCommands: readonly string[];
  /** Whether its owner may allow macros of their own to anybody's file. */
  takesMacros: boolean;
  /** Whether it reads on after a carriage return that no line feed follows. */
  readsPastReturns: boolean;
  /**
   * Whether the maker's own profiles end with commands that change the machine itself: a submitter who vouches for a file that
   * names no machine vouches for these too.
   */
  vendorCommandsInProfiles: boolean;
  /** PrusaSlicer's name of its G-code dialect. */
  gcodeFlavour: string;
  /** Edges of the square pictures that it shows, in points. */
  pictureSizes: readonly number[];
  /** How slicers write the maker before the name of a model, in the spelling of `modelKey`; a longer one before its beginning. */
  brands: readonly string[];
  /**
   * What to do where its agent may send only what a proven slicer made, as it is told when a job is judged and when its file
   * is prepared; absent: installing PrusaSlicer helps.
   */
  untrustedRemedy?: { judged: string; prepared: string };
}
