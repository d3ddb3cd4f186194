import type { Dimensions } from './printer';

/** A box in mm. */
export interface Box {
  min: Dimensions;
  max: Dimensions;
}

/** A filament that a sliced file uses. */
export interface UsedFilament {
  /** From 1, as in the file. */
  filament: number;
  /** The tool that it is sliced for, from 0; null if the file does not say. */
  tool: number | null;
  /** `PLA`, `PETG` …; null if the file does not say. */
  type: string | null;
  /** RRGGBB; null if the file does not say. */
  colourHex: string | null;
  /** null if the file does not say. */
  grams: number | null;
}

/** What a sliced file says of itself and what its commands do, as far as it decides where and in what it may be printed. */
export interface SlicedFacts {
  slicer: string | null;
  /** The machine model that the file was made for, in its slicer's words; null if it names none. */
  madeFor: string | null;
  /** Of all extruding moves. */
  box: Box;
  /** Of the extruding moves after the first layer mark; null without such marks. */
  partBox: Box | null;
  /** Of the moves without extrusion. */
  travelBox: Box;
  extrudingMoves: number;
  /** °C; 0 if the file sets none. */
  nozzleTemperature: number;
  bedTemperature: number;
  /** Words that should be a number and are none. */
  badNumbers: number;
  /** Commands that no file may contain. */
  dangerousCommands: string[];
  /** Commands that only the maker of a machine puts into a file for that machine. */
  vendorCommands: string[];
  /** null: it cannot be proved. */
  complete: boolean | null;
  /** The tools that extrude, from 0. On a Bambu these are the numbers of filaments, not of nozzles. */
  tools: number[];
  /** Those that the file uses; empty if it says nothing of them. */
  filaments: UsedFilament[];
  /** mm, by tool; empty if the file names none. */
  nozzleDiameters: number[];
  /** The type of build plate that it is made for; null if it names none. */
  bedType: string | null;
}

/** What a job's file asks of printers beyond its size; kept with the job, so that no decision has to read the file again. */
export interface FileFacts {
  /** Null for a model, which is sliced for whatever printer it goes to. */
  sliced: SlicedFacts | null;
  /** Volumes of a project that only some slicers can do (modifiers, negative volumes …); empty for a plain model. */
  volumes: string[];
}
