import { isSameType } from './material';

/** The makes that Platewise has a driver for. */
export const makes = ['bambu', 'moonraker', 'snapmaker'] as const;
export type Make = (typeof makes)[number];

/** A volume in mm, in the printer's own coordinates: `min` is the corner nearest to its origin. */
export interface Volume {
  min: { x: number; y: number; z: number };
  max: { x: number; y: number; z: number };
}

/** Edge lengths in mm. */
export interface Dimensions {
  x: number;
  y: number;
  z: number;
}

/** What a printer can do: the part of its description that planning, slicing and checking read. */
export interface PrinterCapabilities {
  /** The volume that one nozzle reaches (mm); the one that a single-material print may use. */
  buildVolume: Volume;
  /** Reachable by every nozzle at once (mm); only for machines with several nozzles. */
  multiNozzleVolume?: Volume;
  /** What each tool reaches (mm), by its number; absent: every tool reaches `buildVolume`. */
  toolVolumes?: Volume[];
  /** Parts of the bed that no part may stand on (mm), for example where the nozzle is wiped. */
  bedExclusions?: Area[];
  /** mm, by tool: tool 0 is the first. On a Bambu with two nozzles 0 is the right one, 1 the left one. */
  nozzleDiameters: number[];
  /** Further diameters of nozzles that an operator may mount (mm). */
  nozzleChoices?: number[];
  /** The type of build plate that lies on the bed, as slicers name it (`Textured PEI Plate`), where an operator has said so. */
  buildPlate?: string;
  /** The maker's token of the model, where there is one (`O1D` for an H2D): what a file made for it must name. */
  model?: string;
  /** Models that a sliced file may have been made for, in the words of slicers; absent: none is known. */
  acceptsModels?: string[];
  maxNozzleTemperature: number;
  maxBedTemperature: number;
  /** Of a chamber that heats, and of heaters of which nothing else is known; absent: what an enclosure may reach. */
  maxChamberTemperature?: number;
  /** Macros of a Klipper machine that anybody's file may call, beside those that slicers write everywhere. */
  allowedMacros?: string[];
  /** Material types that this printer can print (`PLA`, `PETG`, …). */
  materialTypes: string[];
  /** How long this machine takes, relative to the slicer's reference machine (1 = as estimated). */
  speedFactor: number;
  /** Price of an hour of this machine in USD, without electricity where that is counted by itself. */
  usdPerHour: number;
  /** Parts of the bed that heat by themselves, with the tool number that G-code names them by (`M140 T1`). */
  bedZones?: BedZone[];
  /** What it draws while it prints, in watts; absent or 0: electricity is not counted by itself. */
  watts?: number;
}

/** What a printer tells of itself that it can do; each missing where it does not tell. */
export type ReportedCapabilities = Partial<
  Pick<PrinterCapabilities, 'nozzleDiameters' | 'maxNozzleTemperature' | 'maxBedTemperature' | 'model'> & {
    /** As far as its axes travel (mm): never less than it prints on, often a little more. */
    buildVolume: Volume;
  }
>;

/** How the agent of a printer makes print files, and which it may send. */
export interface Preparation {
  /** The slicer's name. */
  slicer: string;
  /** Whether its output may be sent to a real printer without the owner's word. */
  trusted: boolean;
  /** Whether it makes the sliced archive (`.gcode.3mf`) that a Bambu takes. */
  archives: boolean;
  /** Whether it can do modifiers, negative volumes, support blockers and enforcers. */
  volumes: boolean;
  /** A simulator, or the owner's word: files that no proven slicer has made for this machine may be sent. */
  allowsUntrusted: boolean;
}

/** Something that is wrong with a printer, in words for an operator. */
export interface PrinterTrouble {
  /** Stable: the name of a check (`storage`), `paused`, `run_out`, `standstill`, `unknown_state`, or the code of the printer's own fault. */
  code: string;
  text: string;
  remedy: string;
  /** ISO 8601 UTC. */
  since: string;
}

/** A rectangle of the bed, mm. */
export interface Area {
  min: { x: number; y: number };
  max: { x: number; y: number };
}

/** A part of the bed that heats by itself. */
export interface BedZone extends Area {
  tool: number;
}

/** What the machine is doing, the same words for every make. */
export const printerStates = ['idle', 'preparing', 'printing', 'paused', 'busy', 'fault', 'unknown'] as const;
/**
 * - `idle`: nothing runs; a start would be accepted (a finished job may still be on its screen)
 * - `preparing`: a job runs but extrudes nothing yet (heating, homing, levelling)
 * - `printing`, `paused`: a job runs
 * - `busy`: no job runs but a start would not be accepted (calibration, update, homing)
 * - `fault`: a person is needed at the machine
 * - `unknown`: the printer said something that has no meaning to us; never start on it
 */
export type PrinterState = (typeof printerStates)[number];

/** How a job ended, as far as the printer can tell. */
export type Ending = 'finished' | 'failed' | 'cancelled' | 'unknown';

/** A job as the printer names it. */
export interface PrinterJob {
  /** The file name, or the name shown on the screen, without folder. */
  name: string;
  /** The numeric task id, where the make has one. */
  taskId?: string;
  /** The number of this very print in the printer's history, where it keeps one. */
  recordId?: string;
  /** MD5 of the file, where the printer tells it. */
  md5?: string;
}

export interface Temperature {
  /** `nozzle`, `nozzle1`, `bed`, `bed1`, `chamber` … */
  name: string;
  current: number;
  target: number;
}

/** A place for a filament as the printer reports it. */
export interface ReportedSlot {
  slot: string;
  /** The tool that it feeds, from 0, where the printer tells. */
  tool?: number;
  /** Whether filament is there; null if the printer cannot tell. */
  present: boolean | null;
  materialType?: string;
  /** RRGGBB */
  colour?: string;
  /** 0..1, where the printer knows. */
  remaining?: number;
}

/**
 * What a printer sees in a slot instead of the filament that is booked there, in words; null if it sees nothing else, or
 * cannot see.
 * @param booked the type of the filament: `PLA`, `PETG` …
 */
export function contradictionOf(reported: ReportedSlot, booked: string): string | null {
  if (reported.present === false) return 'nothing';
  if (reported.materialType === undefined || isSameType(reported.materialType, booked)) return null;
  return reported.materialType;
}

export interface PrinterFault {
  code: string;
  /** What it means, with the printer's own code in brackets at the end where it has one. */
  message: string;
  /** What a person is to do, where it is known. */
  remedy?: string;
  /** Whether nothing can be printed until a person has acted. */
  blocking: boolean;
}

/** What is mounted to work with. */
export interface ToolHead {
  kind: 'extruder' | 'laser' | 'cutter' | 'cnc' | 'none';
  /** Whether it could be printed with now. */
  ready: boolean;
  /** mm, in the printer's order; empty where the printer does not tell. */
  nozzleDiameters: number[];
}

export type StorageState = 'present' | 'missing' | 'faulty' | 'read_only';

/** Where print files are stored in the printer. */
export interface Storage {
  state: StorageState;
  freeBytes?: number;
}

/** What a printer says of itself at one moment: the only thing that decisions about it are based on. */
export interface PrinterReport {
  /** When it was received, ISO 8601 UTC. */
  at: string;
  /** When it was received on the monotonic clock (`performance.now()`, ms); freshness is judged by this. */
  receivedAt: number;
  state: PrinterState;
  /** The job that runs, or the last one that the printer remembers; null if it remembers none. */
  job: PrinterJob | null;
  /** How `job` ended; null while it runs. */
  ending: Ending | null;
  /** Why it ended like that, or why it is paused, in the printer's words. */
  message?: string;
  /** What a person is to do about what `message` says, where it is known. */
  remedy?: string;
  /** 0..1 of the job that runs. */
  progress: number | null;
  /** Remaining minutes by the printer's own clock (a simulator's runs faster), null if unknown. */
  remainingMinutes: number | null;
  layer?: number;
  layers?: number;
  /** mm of filament that the printer has counted for the job that it names. */
  filamentMm?: number;
  temperatures: Temperature[];
  slots: ReportedSlot[];
  /** Missing where the make does not tell. */
  toolHead?: ToolHead;
  storage?: Storage;
  faults: PrinterFault[];
  /** How many times faster than real the printer's clock runs: 1 for a real machine, SIM_SPEED for a simulator. */
  timeScale: number;
  firmware?: string;
  model?: string;
  /** What it can do, by its own word; missing where the make tells nothing. */
  capabilities?: ReportedCapabilities;
}

/** Whether a job runs on the printer. */
export function isActive(state: PrinterState): boolean {
  return state === 'preparing' || state === 'printing' || state === 'paused';
}
