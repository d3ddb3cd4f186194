import type { FileDigest } from '../machine';

/** An AMS. The contents of its trays are the machine's filaments, by the names of `slots.ts`. */
export interface AmsUnit {
  /** 0 to 3, or 128 to 135 for an AMS HT with one tray. */
  id: number;
  /** The nozzle that it feeds: 0 right, 1 left. */
  extruder: 0 | 1;
  dryingMinutes: number;
}

export interface BambuState {
  units: AmsUnit[];
  /** The complete uploads on the stick, by path without the leading slash. */
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

export function initialState(units: AmsUnit[]): BambuState {
  return {
    units,
    files: {},
    inventedTask: 5238,
    dismissed: true,
    errorCleared: false,
    speedLevel: 2,
    lights: { chamber_light: 'on', chamber_light2: 'on', work_light: 'off' },
  };
}
