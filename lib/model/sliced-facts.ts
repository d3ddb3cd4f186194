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
  /** The tool that it is sliced for, from 0; null if the file does not name it. */
  tool: number | null;
  /** `PLA`, `PETG` …; null if the file does not name it. */
  type: string | null;
  /** RRGGBB; null if the file does not name it. */
  colourHex: string | null;
  /** null if the file does not state them. */
  grams: number | null;
}

/** Temperatures (°C) for each part of a machine. */
export interface Heat {
  nozzle: number;
  bed: number;
  /** The chamber, and heaters of which nothing is known. */
  chamber: number;
}

/** The statements of a sliced file and the effects of its commands, as far as they decide where and in what it may be printed. */
export interface SlicedFacts {
  slicer: string | null;
  /** The machine model that the file was made for, as its slicer names it; null if it names none. */
  madeFor: string | null;
  /** The box of all extruding moves. */
  box: Box;
  /** The box of the extruding moves after the first layer mark; null without such marks. */
  partBox: Box | null;
  /** The box of the moves without extrusion. */
  travelBox: Box;
  extrudingMoves: number;
  /** °C; 0 if the file sets none. */
  nozzleTemperature: number;
  bedTemperature: number;
  /** The highest temperatures that anything in it requests, including parameters of macros. */
  hottest: Heat;
  /** Parameters that should be a number but are not. */
  badNumbers: number;
  /** Carriage returns that end a line alone, which Klipper does not treat as line ends. */
  loneReturns: number;
  /** Commands with names, such as Klipper's and its macros, each with its first line. */
  extendedCommands: { name: string; line: number }[];
  /** The first line of each dangerous or vendor command. */
  commandLines: Record<string, number>;
  /** Commands that no file may contain. */
  dangerousCommands: string[];
  /** Commands that only the maker of a machine puts into a file for that machine. */
  vendorCommands: string[];
  /** null: unknown. */
  complete: boolean | null;
  /** The tools that extrude, from 0. On a Bambu these are the numbers of filaments, not of nozzles. */
  tools: number[];
  /** The filaments that the file uses; empty if it names none. */
  filaments: UsedFilament[];
  /** mm, by tool; empty if the file names none. */
  nozzleDiameters: number[];
  /** The type of build plate that it is made for; null if it names none. */
  bedType: string | null;
}

/** The requirements of a job's file beyond its size; stored with the job, so that no decision has to read the file again. */
export interface FileFacts {
  /** Null for a model, which is sliced for its printer later. */
  sliced: SlicedFacts | null;
  /** Volumes of a project that only some slicers support (modifiers, negative volumes …); empty for a plain model. */
  volumes: string[];
}
