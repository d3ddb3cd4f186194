/** The print file that a printer accepts: plain G-code, or the sliced archive that contains it. */
export type PrintFileForm = { form: 'gcode'; extension: '.gcode' } | { form: 'gcode_3mf'; extension: '.gcode.3mf' };

/**
 * The facts of a make that fit checks, slicing and file checks need: constants, so that these can stay pure. Each make defines its own
 * (`lib/makes/<make>/traits.ts`); `lib/makes/traits.ts` collects them.
 */
export interface MakeTraits {
  printFile: PrintFileForm;
  /** The operator's name of a tool, on a printer with several. */
  toolName(tool: number): string;
  /** What `T` with a number selects in a print file: a tool, or one of the filaments that the file lists. */
  toolWords: 'tools' | 'filaments';
  /** Slots are named by this word and the number of the tool that they feed. */
  numberedSlots?: string;
  /** Slots whose differing name shows that they feed a tool other than the first. */
  slotTools?: ReadonlyMap<string, number>;
  /** Whether the slots that a printer reports are added to the configured ones. */
  addsReportedSlots: boolean;
  /** Commands with names that are allowed in any file, besides those that slicers write everywhere. */
  extendedCommands: readonly string[];
  /** Whether its owner may allow custom macros in any file. */
  takesMacros: boolean;
  /** Whether it continues reading a line after a carriage return without a line feed. */
  readsPastReturns: boolean;
  /**
   * Whether the maker's own profiles end with commands that change the machine itself: a submitter who vouches for a file that
   * names no machine vouches for these too.
   */
  vendorCommandsInProfiles: boolean;
  /** Kinds of ids that different machines may share, for example the number of a counterfeit chip. */
  shareableIds: readonly string[];
  /** PrusaSlicer's name of its G-code dialect. */
  gcodeFlavour: string;
  /** Edge lengths of the square pictures that it shows, in pixels. */
  pictureSizes: readonly number[];
  /** How slicers write the maker before the name of a model, in the spelling of `modelKey`; longer ones before their prefixes. */
  brands: readonly string[];
  /**
   * The remedy if its agent may send only the output of a proven slicer, as reported when a job is judged and when its file
   * is prepared; absent: installing PrusaSlicer helps.
   */
  untrustedRemedy?: { judged: string; prepared: string };
}
