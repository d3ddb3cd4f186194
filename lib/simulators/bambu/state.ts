import type { FileDigest } from '../machine';

/** A place for a filament: an AMS tray, or one of the two external spools. */
export interface Tray {
  /** For example PLA; empty when there is no filament. */
  material: string;
  /** RRGGBBAA. */
  color: string;
  /** Percent that is left, -1 if unknown. */
  remain: number;
}

/** An AMS beside the first one. */
export interface AmsUnit {
  /** 1 to 3, or 128 to 135 for an AMS HT with one tray. */
  id: number;
  /** The nozzle that it feeds: 0 right, 1 left. */
  extruder: 0 | 1;
  trays: Tray[];
  dryingMinutes: number;
}

export interface BambuState {
  /** Four trays of AMS 0. */
  trays: Tray[];
  moreUnits: AmsUnit[];
  /** Left (254), right (255). */
  external: [Tray, Tray];
  /** What was uploaded whole to the stick, by path without the leading slash. */
  files: Record<string, FileDigest>;
  /** The last task id that the printer made up itself. */
  inventedTask: number;
  /** The end of the last job was dismissed, or the printer has rebooted since: shown as IDLE. */
  dismissed: boolean;
  /** The error dialog of the last job was closed. */
  errorCleared: boolean;
  speedLevel: number;
  lights: Record<string, string>;
}

export function initialState(): BambuState {
  return {
    trays: [
      { material: 'PLA', color: '000000FF', remain: 90 },
      { material: 'PLA', color: 'FFFFFFFF', remain: 75 },
      { material: 'PETG', color: '000000FF', remain: 60 },
      { material: '', color: '', remain: -1 },
    ],
    moreUnits: [],
    external: [
      { material: '', color: '', remain: -1 },
      { material: '', color: '', remain: -1 },
    ],
    files: {},
    inventedTask: 5238,
    dismissed: true,
    errorCleared: false,
    speedLevel: 2,
    lights: { chamber_light: 'on', chamber_light2: 'on', work_light: 'off' },
  };
}
