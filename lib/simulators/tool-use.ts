/** How the firmware of a make picks the tool that extrudes. */
export interface ToolRules {
  firmware: 'klipper' | 'marlin' | 'bambu';
  /** The number of tools; on a Bambu the tool words of a file select filaments of the project. */
  count: number;
  /** Whether a word can select another tool: heads that move together cannot be selected. */
  selectable: boolean;
  /** The tool before the first word. */
  first: number;
}

export const ONE_TOOL: ToolRules = { firmware: 'klipper', count: 1, selectable: false, first: 0 };

/** What one tool (on a Bambu: one filament of the project) extrudes in a print. */
export interface Extrusion {
  tool: number;
  /** mm of filament; what was only pulled back and pushed forward again does not count. */
  millimetres: number;
  /** When it first and last lets something out, as shares of the printing time (0..1). */
  from: number;
  to: number;
}

/** A word of the file for which the firmware gives the print up. */
export interface FileError {
  message: string;
  /** Printer seconds from the start of the file. */
  seconds: number;
}

interface Used {
  millimetres: number;
  fromSeconds: number;
  toSeconds: number;
}

/** Klipper's `min_extrude_temp` and Marlin's `EXTRUDE_MINTEMP`, both as they come (degrees Celsius). */
const COLDEST_EXTRUSION = 170;
/** Klipper's message for it (kinematics/extruder.py, `check_move`). */
const TOO_COLD = "Extrude below minimum temp\nSee the 'min_extrude_temp' config option for details";

/** Follows which tool a G-code file picks, which it heats, and how much each lets out. */
export class ToolUse {
  #active: number;
  readonly #targets: number[] = [];
  /** The highest target of each tool. */
  readonly #highest: number[] = [];
  readonly #used = new Map<number, Used>();
  /** mm that each tool has pulled back and not pushed forward yet. */
  readonly #pulledBack: number[] = [];
  #error: FileError | undefined;

  constructor(private readonly rules: ToolRules) {
    this.#active = rules.first;
  }

  /**
   * Takes a command if it is about tools or their heat.
   * @param seconds printer seconds from the start of the file
   * @returns whether another tool became active in a way that sets the extruder's position to 0
   */
  command(word: string, rest: string, seconds: number): boolean {
    const picked = /^T(\d+)$/.exec(word)?.[1];
    if (picked !== undefined) return this.#pick(Number(picked));
    switch (word) {
      case 'M104':
      case 'M109':
        this.#heat(numberAfter(rest, 'T') ?? this.#active, numberAfter(rest, 'S') ?? 0, seconds);
        return false;
      case 'M1020':
        // Newer profiles of Bambu's pick the filament by this.
        if (this.rules.firmware === 'bambu') this.#pick(numberAfter(rest, 'S') ?? -1);
        return false;
    }
    return this.rules.firmware === 'klipper' && this.#klipperCommand(word, rest, seconds);
  }

  /** Moves the extruder by a length (mm). Returns the extruded length. */
  extrude(millimetres: number, seconds: number): number {
    if (millimetres === 0 || this.#error !== undefined || this.#isTooCold(seconds)) return 0;
    const tool = this.#active;
    const owed = this.#pulledBack[tool] ?? 0;
    if (millimetres < 0) {
      this.#pulledBack[tool] = owed - millimetres;
      return 0;
    }
    this.#pulledBack[tool] = Math.max(0, owed - millimetres);
    const out = Math.max(0, millimetres - owed);
    if (out === 0) return 0;
    const used = this.#used.get(tool) ?? { millimetres: 0, fromSeconds: seconds, toSeconds: seconds };
    used.millimetres += out;
    used.toSeconds = seconds;
    this.#used.set(tool, used);
    return out;
  }

  get error(): FileError | undefined {
    return this.#error;
  }

  /** The highest target of each tool in degrees Celsius, 0 where the file sets none. */
  get targets(): number[] {
    return Array.from(this.#highest, (celsius) => celsius ?? 0);
  }

  /** The extrusion of each tool, in the order of tools. */
  extrusions(totalSeconds: number): Extrusion[] {
    const share = (seconds: number): number => Math.min(1, Math.max(0, seconds / totalSeconds));
    return [...this.#used]
      .map(([tool, { millimetres, fromSeconds, toSeconds }]) => ({
        tool,
        millimetres,
        from: share(fromSeconds),
        to: share(toSeconds),
      }))
      .sort((a, b) => a.tool - b.tool);
  }

  /** A number that names no tool is an unknown command, which every firmware ignores. */
  #pick(tool: number): boolean {
    if (!this.rules.selectable || !(tool >= 0 && tool < this.rules.count)) return false;
    const changed = tool !== this.#active;
    this.#active = tool;
    return changed && this.rules.firmware === 'klipper';
  }

  #heat(tool: number, celsius: number, seconds: number): void {
    if (tool >= this.rules.count) {
      if (this.rules.firmware === 'klipper' && celsius > 0) this.#giveUp('Extruder not configured', seconds);
      return;
    }
    this.#targets[tool] = celsius;
    this.#highest[tool] = Math.max(this.#highest[tool] ?? 0, celsius);
  }

  #klipperCommand(word: string, rest: string, seconds: number): boolean {
    switch (word) {
      case 'ACTIVATE_EXTRUDER': {
        const name = parameter(rest, 'EXTRUDER') ?? '';
        const tool = toolOfExtruder(name);
        if (tool !== undefined && tool < this.rules.count) return this.#pick(tool);
        this.#giveUp(`The value '${name}' is not valid for EXTRUDER`, seconds);
        return false;
      }
      case 'SET_HEATER_TEMPERATURE': {
        const tool = toolOfExtruder(parameter(rest, 'HEATER') ?? '');
        if (tool !== undefined) this.#heat(tool, Number(parameter(rest, 'TARGET') ?? 0), seconds);
        return false;
      }
      case 'TURN_OFF_HEATERS':
        this.#targets.fill(0);
        return false;
      case 'PRINT_START':
      case 'START_PRINT': {
        // Macros of the configuration, which heat according to their parameters.
        const celsius = /\b(?:EXTRUDER|HOTEND|NOZZLE)(?:_TEMP)?=([\d.]+)/i.exec(rest)?.[1];
        if (celsius !== undefined) this.#heat(this.#active, Number(celsius), seconds);
        return false;
      }
      default:
        return false;
    }
  }

  /** Klipper ends the print with an error; Marlin moves on and leaves the extruder where it is. */
  #isTooCold(seconds: number): boolean {
    if (this.rules.firmware === 'bambu') return false;
    // Heads that ride together are heated together.
    const heated = this.rules.selectable ? this.#targets[this.#active] : Math.max(0, ...this.#targets);
    if ((heated ?? 0) >= COLDEST_EXTRUSION) return false;
    if (this.rules.firmware === 'klipper') this.#giveUp(TOO_COLD, seconds);
    return true;
  }

  #giveUp(message: string, seconds: number): void {
    this.#error ??= { message, seconds };
  }
}

/** How much of an extrusion has come out when so much of the printing time (0..1) is over, in mm. */
export function extrudedBy(extrusion: Omit<Extrusion, 'tool'>, fraction: number): number {
  const { millimetres, from, to } = extrusion;
  if (fraction >= 1) return millimetres;
  if (fraction <= from) return 0;
  return fraction >= to ? millimetres : (millimetres * (fraction - from)) / (to - from);
}

function toolOfExtruder(name: string): number | undefined {
  const number = /^extruder(\d*)$/.exec(name)?.[1];
  return number === undefined ? undefined : Number(number || 0);
}

/** The value of a parameter in Klipper's extended form, `NAME=value`. */
function parameter(rest: string, name: string): string | undefined {
  return new RegExp(`(?:^|\\s)${name}\\s*=\\s*(\\S+)`, 'i').exec(rest)?.[1];
}

function numberAfter(rest: string, letter: string): number | undefined {
  const found = new RegExp(`(?:^|\\s)${letter}\\s*(-?[0-9.]+)`, 'i').exec(rest)?.[1];
  return found === undefined ? undefined : Number(found);
}
