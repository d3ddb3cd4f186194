import type { Dimensions } from '../model/printer';

/** What a file is, by its content. */
export type FileKind = 'stl' | '3mf' | 'gcode' | 'gcode_3mf';

export interface Bounds {
  min: Dimensions;
  max: Dimensions;
}

/** What reading a model once tells; kept with the file's SHA-256. Lengths in mm (3MF units applied). */
export interface FileAnalysis {
  kind: FileKind;
  sizeBytes: number;
  /** Of a model: its box. Of G-code: the box of its extruding moves. */
  bounds: Bounds;
  dimensions: Dimensions;
  /** mm³; 0 for G-code. */
  volumeMm3: number;
  /** 0 for G-code. */
  triangles: number;
  /** Sentences for a person. */
  warnings: string[];
  /** Only for sliced files. */
  print?: GcodeAnalysis;
}

/** What one pass over G-code tells. */
export interface GcodeAnalysis {
  lines: number;
  /** Box of the extruding moves, mm. */
  bounds: Bounds;
  extrudingMoves: number;
  /** mm of filament pushed, all tools together. */
  filamentMm: number;
  layers: number;
  /** From the slicer's header, else null. */
  slicerSeconds: number | null;
  slicerGrams: number | null;
  slicer: string | null;
  maxNozzleTemperature: number;
  maxBedTemperature: number;
  /** The printer model the file says it was sliced for, if it says so. */
  printerModel: string | null;
}
