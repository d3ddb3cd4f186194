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

/** The capabilities of a printer: the part of its description that planning, slicing and checking read. */
export interface PrinterCapabilities {
  /** The volume that one nozzle reaches (mm); a single-material print may use it. */
  buildVolume: Volume;
  /** Reachable by every nozzle (mm); only for machines with several nozzles. */
  multiNozzleVolume?: Volume;
  /** The volume that each tool reaches (mm), by its number; absent: every tool reaches `buildVolume`. */
  toolVolumes?: Volume[];
  /** Areas of the bed that no part may cover (mm), for example where the nozzle is wiped. */
  bedExclusions?: Area[];
  /** mm, by tool: tool 0 is the first. On a Bambu with two nozzles 0 is the right one, 1 the left one. */
  nozzleDiameters: number[];
  /** Further diameters of nozzles that an operator may mount (mm). */
  nozzleChoices?: number[];
  /** The type of build plate on the bed, as slicers name it (`Textured PEI Plate`), if an operator has set it. */
  buildPlate?: string;
  /** The maker's token of the model, if there is one (`O1D` for an H2D), which a file made for it must name. */
  model?: string;
  /** Models that a sliced file may have been made for, as slicers name them; absent: none is known. */
  acceptsModels?: string[];
  maxNozzleTemperature: number;
  maxBedTemperature: number;
  /** For a heated chamber, and for heaters of which nothing else is known; absent: the limit of an enclosure. */
  maxChamberTemperature?: number;
  /** Macros of a Klipper machine that any file may call, besides those that slicers write everywhere. */
  allowedMacros?: string[];
  /** Material types that this printer can print (`PLA`, `PETG`, …). */
  materialTypes: string[];
  /** The duration of prints on this machine, relative to the slicer's reference machine (1 = as estimated). */
  speedFactor: number;
  /** Price of an hour of this machine in USD, without electricity if that is counted separately. */
  usdPerHour: number;
  /** Separately heated parts of the bed, with the tool number that G-code uses for them (`M140 T1`). */
  bedZones?: BedZone[];
  /** Power consumption while printing (watts); absent or 0: electricity is not counted separately. */
  watts?: number;
}

/** The capabilities that a printer itself reports; each is absent if it is not reported. */
export type ReportedCapabilities = Partial<
  Pick<PrinterCapabilities, 'nozzleDiameters' | 'maxNozzleTemperature' | 'maxBedTemperature' | 'model'> & {
    /** The travel of its axes (mm): never less than its printable volume, often slightly more. */
    buildVolume: Volume;
  }
>;

/** How the agent of a printer makes print files, and which of them it may send. */
export interface Preparation {
  /** The slicer's name. */
  slicer: string;
  /** Whether its output may be sent to a real printer without the owner's permission. */
  trusted: boolean;
  /** Whether it makes the sliced archive (`.gcode.3mf`) that a Bambu requires. */
  archives: boolean;
  /** Whether it supports modifiers, negative volumes, support blockers and enforcers. */
  volumes: boolean;
  /** A simulator, or the owner's permission: files that no proven slicer has made for this machine may be sent. */
  allowsUntrusted: boolean;
}

/** A problem of a printer, described for an operator. */
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

/** A separately heated part of the bed. */
export interface BedZone extends Area {
  tool: number;
}

/** The state of the machine, in the same words for every make. */
export const printerStates = ['idle', 'preparing', 'printing', 'paused', 'busy', 'fault', 'unknown'] as const;
/**
 * - `idle`: nothing runs; a start would be accepted (a finished job may still be on its screen)
 * - `preparing`: a job runs but extrudes nothing yet (heating, homing, levelling)
 * - `printing`, `paused`: a job runs
 * - `busy`: no job runs but a start would not be accepted (calibration, update, homing)
 * - `fault`: the machine needs an operator
 * - `unknown`: the printer reported a state that the driver does not know; never start on it
 */
export type PrinterState = (typeof printerStates)[number];

/** How a job ended, as far as the printer knows. */
export type Ending = 'finished' | 'failed' | 'cancelled' | 'unknown';

/** A job as the printer names it. */
export interface PrinterJob {
  /** The file name, or the name shown on the screen, without folder. */
  name: string;
  /** The numeric task id, if the make has one. */
  taskId?: string;
  /** The id of this print in the printer's history, if it keeps one. */
  recordId?: string;
  /** MD5 of the file, if the printer reports it. */
  md5?: string;
}

/** A heater with its temperatures (°C). */
export interface Temperature {
  /** `nozzle`, `nozzle1`, `bed`, `bed1`, `chamber` … */
  name: string;
  current: number;
  target: number;
}

/** A slot for filament, as the printer reports it. */
export interface ReportedSlot {
  slot: string;
  /** The tool that it feeds, from 0, if the printer reports it. */
  tool?: number;
  /** Whether filament is present; null if the printer cannot detect it. */
  present: boolean | null;
  materialType?: string;
  /** RRGGBB */
  colour?: string;
  /** 0..1, if the printer knows. */
  remaining?: number;
}

/**
 * Describes what a printer detects in a slot instead of the filament that is booked there; null if it detects nothing else, or
 * cannot detect it.
 * @param booked the type of the filament: `PLA`, `PETG` …
 */
export function contradictionOf(reported: ReportedSlot, booked: string): string | null {
  if (reported.present === false) return 'nothing';
  if (reported.materialType === undefined || isSameType(reported.materialType, booked)) return null;
  return reported.materialType;
}

/** A fault that the printer reports. */
export interface PrinterFault {
  code: string;
  /** The meaning, followed by the printer's own code in brackets if it has one. */
  message: string;
  /** An instruction for the operator, if one is known. */
  remedy?: string;
  /** Whether nothing can be printed until an operator has acted. */
  blocking: boolean;
}

/** The mounted tool head. */
export interface ToolHead {
  kind: 'extruder' | 'laser' | 'cutter' | 'cnc' | 'none';
  /** Whether it is ready to print. */
  ready: boolean;
  /** mm, in the printer's order; empty if the printer does not report them. */
  nozzleDiameters: number[];
}

export type StorageState = 'present' | 'missing' | 'faulty' | 'read_only';

/** The storage for print files in the printer. */
export interface Storage {
  state: StorageState;
  freeBytes?: number;
}

/** A printer's report at one moment: the only basis for decisions about it. */
export interface PrinterReport {
  /** When it was received, ISO 8601 UTC. */
  at: string;
  /** When it was received on the monotonic clock (`performance.now()`, ms); freshness is judged by this. */
  receivedAt: number;
  state: PrinterState;
  /** The running job, or the last one that the printer remembers; null if it remembers none. */
  job: PrinterJob | null;
  /** How `job` ended; null while it runs. */
  ending: Ending | null;
  /** Why it ended like that, or why it is paused, in the printer's words. */
  message?: string;
  /** An instruction for the operator about `message`, if one is known. */
  remedy?: string;
  /** Progress of the running job (0..1). */
  progress: number | null;
  /** Remaining minutes by the printer's own clock (a simulator's runs faster), null if unknown. */
  remainingMinutes: number | null;
  layer?: number;
  layers?: number;
  /** mm of filament that the printer has counted for the job that it names. */
  filamentMm?: number;
  temperatures: Temperature[];
  slots: ReportedSlot[];
  /** Absent if the make does not report it. */
  toolHead?: ToolHead;
  storage?: Storage;
  faults: PrinterFault[];
  /** How many times faster than real time the printer's clock runs: 1 for a real machine, SIM_SPEED for a simulator. */
  timeScale: number;
  firmware?: string;
  model?: string;
  /** The capabilities that it reports; absent if the make reports none. */
  capabilities?: ReportedCapabilities;
}

/** Whether a job runs on the printer. */
export function isActive(state: PrinterState): boolean {
  return state === 'preparing' || state === 'printing' || state === 'paused';
}
