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

/** °C for each part of a machine. */
export interface Heat {
  nozzle: number;
  bed: number;
  /** And heaters of which nothing is known. */
  chamber: number;
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
  /** The most that anything in it asks for, words of macros included. */
  hottest: Heat;
  /** Words that should be a number and are none. */
  badNumbers: number;
  /** Carriage returns that end a line alone: Klipper does not read them so. */
  loneReturns: number;
  /** Commands with names, as Klipper's and its macros, each with the line in which it stands first. */
  extendedCommands: { name: string; line: number }[];
  /** In which line a dangerous or vendor command stands first. */
  commandLines: Record<string, number>;
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
