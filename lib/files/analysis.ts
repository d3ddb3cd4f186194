import type { Dimensions } from '../model/printer';
import type { Heat } from '../model/sliced-facts';
import type { Bounds } from './bounds';
import type { ExtendedCommand } from './extended-commands';
import type { Shape } from './shape';

/** The kind of a file, by its content. */
export type FileKind = 'stl' | '3mf' | 'gcode' | 'gcode_3mf';

/** The result of reading a model; stored under the file's SHA-256. Lengths in mm (3MF units applied). */
export interface FileAnalysis {
  kind: FileKind;
  sizeBytes: number;
  /** Of a model: its box. Of G-code: the box of its extruding moves. */
  bounds: Bounds;
  dimensions: Dimensions;
  /** mm³; 0 for G-code. */
  volumeMm3: number;
  /** mm² of all triangles; absent for G-code. */
  surfaceMm2?: number;
  /** The cross-sections, for estimates; absent for G-code, and in records of earlier versions. */
  shape?: Shape;
  /** 0 for G-code. */
  triangles: number;
  /**
   * Whether every edge joins exactly two triangles (with more than a million triangles: whether it has no holes); absent for
   * G-code.
   */
  watertight?: boolean;
  /** Sentences for an operator. */
  warnings: string[];
  /** Only for sliced files. */
  print?: GcodeAnalysis;
  /** The number of the plate that these figures describe, from 1; absent: the file has no plates. */
  plate?: number;
  /** All plates of a file that holds several; the figures above are those of the first. */
  plates?: PlateAnalysis[];
  /** The parts of this project that only its slicer supports; absent: a plain model. */
  project?: ProjectDemands;
}

/** One plate of a file that holds several. */
export interface PlateAnalysis
  extends Pick<
    FileAnalysis,
    'bounds' | 'dimensions' | 'volumeMm3' | 'surfaceMm2' | 'shape' | 'triangles' | 'watertight' | 'print'
  > {
  plate: number;
  name: string | null;
  /** Sentences for an operator. */
  warnings: string[];
  /** The archive member with its picture (PNG), null if it has none. */
  picture: string | null;
}

/** A project's requirements of a slicer beyond the triangles of its parts. */
export interface ProjectDemands {
  /** The slicer family that wrote the project. */
  by: 'prusa' | 'bambu';
  /** Features that affect the shape or strength of the part: a slicer without them must reject the project. */
  volumes: ('modifier' | 'negative' | 'support_blocker' | 'support_enforcer')[];
  /**
   * Sentences about features that are dropped because the project itself is not sliced: its settings, painted colours.
   */
  ignored: string[];
}

/** The result of one pass over G-code. */
export interface GcodeAnalysis {
  lines: number;
  /** Box of the extruding moves, mm; all zero when nothing is extruded. */
  bounds: Bounds;
  /**
   * Box of the extruding moves after the first layer mark, null without layer marks (excludes purging by the start
   * code).
   */
  partBounds: Bounds | null;
  /** Box of the targets of moves without extrusion, mm. */
  travelBounds: Bounds;
  extrudingMoves: number;
  /** mm of extruded filament, all tools together. */
  filamentMm: number;
  layers: number;
  /** mm; as stated in the file, else the most frequent layer distance; 0 if there is none. */
  layerHeight: number;
  /** Motion time in seconds by our own estimator, without heating. */
  simulatedSeconds: number;
  /** From the slicer's header, else null. */
  slicerSeconds: number | null;
  slicerGrams: number | null;
  slicer: string | null;
  /** °C; 0 if the file sets none. */
  maxNozzleTemperature: number;
  /** °C; 0 if the file sets none. */
  maxBedTemperature: number;
  /** The highest requested temperatures, including those in macro parameters. */
  hottest: Heat;
  /** The printer model that the file states as its target, if any. */
  printerModel: string | null;
  /** The number of coordinates, feed rates or temperatures that are not valid numbers. */
  badNumbers: number;
  /** The number of carriage returns that end a line alone. */
  loneReturns: number;
  /** Named commands, such as Klipper's and its macros, each with the line of its first occurrence. */
  extendedCommands: ExtendedCommand[];
  /** The line of the first occurrence of each dangerous or vendor command. */
  commandLines: Record<string, number>;
  /** Commands that change or endanger the machine itself (`M997`, `M28` …), each once; never accepted. */
  dangerousCommands: string[];
  /**
   * Calibration and settings commands (`M500`, `M302` …) that occur only in the start or end block of the file, each
   * once: accepted on the model that the file was made for.
   */
  vendorCommands: string[];
  /** Tools that extrude, by number. */
  tools: number[];
  /** The usage of each tool that extrudes, by number. */
  toolUse: ToolUse[];
  /** The filaments that the file lists, by number; empty if it lists none. */
  filaments: FileFilament[];
  /** mm, by tool, 0 where the file states none; empty if it states none at all. */
  nozzleDiameters: number[];
  /** The type of build plate that the file states, null if it states none. */
  bedType: string | null;
  /** Pictures in the file, the largest first. */
  thumbnails: { width: number; height: number; format: 'png' | 'jpg' }[];
  /**
   * Whether the file is proved complete; null: it cannot be proved, although the heaters go off after the last
   * extrusion.
   */
  complete: boolean | null;
}

/** The usage of one tool in a print. */
export interface ToolUse {
  tool: number;
  /** mm of filament that it extrudes. */
  filamentMm: number;
  /** °C; 0 if the file sets none for it. */
  maxNozzleTemperature: number;
}

/** A filament as described in a sliced file. */
export interface FileFilament {
  /** From 1, as in the file. */
  filament: number;
  /**
   * The nozzle that it is sliced for, from 0 (on a Bambu with two nozzles 0 is the right one); null if the file does
   * not state it.
   */
  tool: number | null;
  /** `PLA`, `PETG` …; null if the file does not state it. */
  type: string | null;
  /** RRGGBB, upper case; null if the file does not state it. */
  colourHex: string | null;
  /** null if the file does not state it. */
  grams: number | null;
}

/** Edge lengths of a box, mm. */
export function dimensionsOf(bounds: Bounds): Dimensions {
  return {
    x: bounds.max.x - bounds.min.x,
    y: bounds.max.y - bounds.min.y,
    z: bounds.max.z - bounds.min.z,
  };
}
