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
  /** mm² of all triangles; absent for G-code. */
  surfaceMm2?: number;
  /** 0 for G-code. */
  triangles: number;
  /** Whether every edge joins exactly two triangles (of more than a million: whether it has no holes); absent for G-code. */
  watertight?: boolean;
  /** Sentences for a person. */
  warnings: string[];
  /** Only for sliced files. */
  print?: GcodeAnalysis;
}

/** What one pass over G-code tells. */
export interface GcodeAnalysis {
  lines: number;
  /** Box of the extruding moves, mm; all zero when nothing is extruded. */
  bounds: Bounds;
  /** Box of the extruding moves after the first layer mark, null without layer marks (leaves out purging by the start code). */
  partBounds: Bounds | null;
  /** Box of the places that moves without extrusion lead to, mm. */
  travelBounds: Bounds;
  extrudingMoves: number;
  /** mm of filament pushed, all tools together. */
  filamentMm: number;
  layers: number;
  /** mm between the first two layers, 0 if there are fewer. */
  layerHeight: number;
  /** Seconds of moving by our own estimator, without heating. */
  simulatedSeconds: number;
  /** From the slicer's header, else null. */
  slicerSeconds: number | null;
  slicerGrams: number | null;
  slicer: string | null;
  /** °C; 0 if the file sets none. */
  maxNozzleTemperature: number;
  /** °C; 0 if the file sets none. */
  maxBedTemperature: number;
  /** The printer model the file says it was sliced for, if it says so. */
  printerModel: string | null;
  /** Coordinates, feed rates or temperatures that are no number. */
  badNumbers: number;
  /** Commands that change or endanger the machine itself (`M500`, `M997` …), each once. */
  dangerousCommands: string[];
  /** Tools that extrude, by number. */
  tools: number[];
  /** Pictures in the file, the largest first. */
  thumbnails: { width: number; height: number; format: 'png' | 'jpg' }[];
  /** Whether the slicer's closing mark is there; null for a slicer that writes none. */
  complete: boolean | null;
}

/** Edge lengths of a box, mm. */
export function dimensionsOf(bounds: Bounds): Dimensions {
  return {
    x: bounds.max.x - bounds.min.x,
    y: bounds.max.y - bounds.min.y,
    z: bounds.max.z - bounds.min.z,
  };
}
