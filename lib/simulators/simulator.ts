import type { FilamentSpecification } from './filament';

/** How finished parts leave the plate: by the control port, or the plate is empty immediately. */
export type Operator = 'manual' | 'immediate';

export interface SimulatorOptions {
  /** Directory of everything that survives a restart: files, state, truth log, certificates. Made if it is missing. */
  dataDir: string;
  /** Address that all servers but the control port bind to. Default 127.0.0.1. */
  host?: string;
  /**
   * Ports by name (`SimulatedMake.mainPort`, `SimulatedMake.ports`; all makes: `control`). 0 or missing: the port of
   * the last run on this directory if it is still free, otherwise any free one, unless its make defines another.
   */
  ports?: Record<string, number>;
  /** How many seconds pass for the printer in one second of wall time. Default 60. */
  speed?: number;
  serial?: string;
  /** The secret of clients (`SimulatedMake.accessCode`). */
  accessCode?: string;
  /** Which machine of its make it is (`SimulatedMake.profiles`). */
  profile?: string;
  /** Moonraker, profile modern: how many extruders can be picked by T0, T1 …; 1 to 8, default 1. */
  extruders?: number;
  /** Bambu: the AMS units with the nozzle that each feeds, for example `0:right,1:left`. Default `0:right`. */
  ams?: string;
  /**
   * The filaments loaded before the printer is switched on for the first time, by slot. A printer that was used before
   * keeps its filaments. Only this and `load` put filament into a simulated printer.
   */
  loads?: Readonly<Record<string, string | FilamentSpecification>>;
  /** Default manual. */
  operator?: Operator;
  /** The name that the printer shows. */
  name?: string;
}

/** The data of a running simulator, also printed by `platewise simulate` as one line. */
export interface ReadyLine {
  ready: true;
  /** The name of its make. */
  make: string;
  host: string;
  ports: Record<string, number>;
  serial?: string;
  access_code?: string;
  ca_file?: string;
  truth_log: string;
}

/** Parameters of a fault; `on: false` ends it, `times: n` ends it by itself after n occurrences. */
export interface FaultSetting {
  on?: boolean;
  times?: number;
  [parameter: string]: unknown;
}

/** A printer that is switched on. The methods are what a person standing in front of it can do. */
export interface RunningSimulator {
  readonly ready: ReadyLine;
  /**
   * Ends the program; the printer continues to print by the wall clock and is found in that state at the next start.
   */
  close(): Promise<void>;
  /** Takes everything off the plate. */
  clearPlate(): void;
  /**
   * Puts a filament into a slot; null takes it out.
   * @throws SimulatorRequestError there is no such slot, or it is no filament
   */
  load(slot: string, filament: string | FilamentSpecification | null): void;
  /** Starts a local job at the printer's own screen. `minutes` are printer minutes. */
  startForeignJob(fileName: string, minutes: number): void;
  cancelAtScreen(): void;
  pauseAtScreen(): void;
  resumeAtScreen(): void;
  /** Off and on again: connections break, a running print is lost. */
  powerCycle(): Promise<void>;
  setFault(name: string, setting: FaultSetting): Promise<void>;
  /** The printer's state, as the control port's GET /state shows it. */
  state(): Record<string, unknown>;
  /** Actions that only this make has, as POST /<name> of the control port. */
  readonly actions: Readonly<Record<string, (body: Record<string, unknown>) => void>>;
}

/**
 * All that is known of a make that can be simulated, in one row. Each comes from the make's own folder; `registry.ts`
 * lists them.
 */
export interface SimulatedMake {
  start(options: SimulatorOptions): Promise<RunningSimulator>;
  /** The port that clients connect to: its name among the ports, and what is spoken there. */
  mainPort: { name: string; protocol: string };
  /** Further ports that can be chosen, with their help texts. */
  ports: readonly { name: string; help: string }[];
  /** The profiles that there are, for a help text; absent: there is one. */
  profiles?: string;
  /** Options that only this make has, as lines of a help text. */
  options?: string;
  /** The kind of access code; absent: there is none. */
  accessCode?: string;
}
