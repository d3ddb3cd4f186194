import type { FilamentSpecification } from './filament';

/** Who takes finished parts off the plate: somebody (by the control port), or nobody has to because it is empty at once. */
export type Operator = 'manual' | 'immediate';

export interface SimulatorOptions {
  /** Directory of everything that survives a restart: files, state, truth log, certificates. Made if it is missing. */
  dataDir: string;
  /** Address that all servers but the control port bind to. Default 127.0.0.1. */
  host?: string;
  /**
   * Ports by name (`SimulatedMake.mainPort`, `SimulatedMake.ports`; all makes: `control`). 0 or missing: the port of the last
   * run on this directory if it is still free, otherwise any free one, unless its make says something else.
   */
  ports?: Record<string, number>;
  /** How many seconds pass for the printer in one second of wall time. Default 60. */
  speed?: number;
  serial?: string;
  /** What clients must know (`SimulatedMake.accessCode`). */
  accessCode?: string;
  /** Which machine of its make it is (`SimulatedMake.profiles`). */
  profile?: string;
  /** Moonraker, profile modern: how many extruders can be picked by T0, T1 …; 1 to 8, default 1. */
  extruders?: number;
  /** Bambu: the AMS units with the nozzle that each feeds, for example `0:right,1:left`. Default `0:right`. */
  ams?: string;
  /**
   * What somebody loads before the printer is switched on for the first time, by slot. A printer that was used before keeps
   * what is in it. Nothing else puts filament into a simulated printer but `load`.
   */
  loads?: Readonly<Record<string, string | FilamentSpecification>>;
  /** Default manual. */
  operator?: Operator;
  /** The name that the printer shows. */
  name?: string;
}

/** What is told about a running simulator, also as the one line that `platewise simulate` prints. */
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
  /** The program ends; the printer goes on printing by the wall clock and is found so at the next start. */
  close(): Promise<void>;
  /** Takes everything off the plate. */
  clearPlate(): void;
  /**
   * Puts a filament into a slot; null takes it out.
   * @throws SimulatorRequestError there is no such slot, or it is no filament
   */
  load(slot: string, filament: string | FilamentSpecification | null): void;
  /** Starts a job at the printer's own screen that nobody sent. `minutes` are printer minutes. */
  startForeignJob(fileName: string, minutes: number): void;
  cancelAtScreen(): void;
  pauseAtScreen(): void;
  resumeAtScreen(): void;
  /** Off and on again: connections break, a running print is lost. */
  powerCycle(): Promise<void>;
  setFault(name: string, setting: FaultSetting): Promise<void>;
  /** What the printer is doing, as the control port's GET /state shows it. */
  state(): Record<string, unknown>;
  /** Actions that only this make has, as POST /<name> of the control port. */
  readonly actions: Readonly<Record<string, (body: Record<string, unknown>) => void>>;
}

/** All that is known of a make that can be simulated, in one row. Each comes from the make's own folder; `registry.ts` lists them. */
export interface SimulatedMake {
  start(options: SimulatorOptions): Promise<RunningSimulator>;
  /** The port that clients connect to: its name among the ports, and what is spoken there. */
  mainPort: { name: string; protocol: string };
  /** Further ports that can be chosen, with what a help text says of them. */
  ports: readonly { name: string; help: string }[];
  /** The profiles that there are, for a help text; absent: there is one. */
  profiles?: string;
  /** Options that only this make has, as lines of a help text. */
  options?: string;
  /** What an access code is here; absent: there is none. */
  accessCode?: string;
}
