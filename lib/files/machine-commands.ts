import { klipperWords, plainNumber } from './klipper-words';
/**
 * The places where a command that does more than print may occur:
 * - `nowhere`: it endangers the machine, changes its files, or makes our reading of the file wrong;
 * - `own_machine`: makers write it into the start and end code of their own machines; in the body of a print it is as bad;
 * - `before_and_after`: every machine accepts it, but not in the middle of a print.
 */
export type Place = 'nowhere' | 'own_machine' | 'before_and_after';

interface MachineCommand {
  command: string;
  place: Place;
  why: string;
}

const rows = (place: Place, reasons: Readonly<Record<string, string>>): MachineCommand[] =>
  Object.entries(reasons).map(([command, why]) => ({ command, place, why }));

/**
 * The effects of these commands. M-codes as in Marlin's documentation (marlinfw.org/docs/gcode), named
 * commands as in Klipper's (G-Codes.md). Those in `own_machine` were found in public machine profiles: `M500` in the
 * start code of Bambu Studio's H2D (after levelling and after measuring the nozzles' offset), `M302` in that of its A1
 * and X1, `SET_GCODE_OFFSET` and `SAVE_VARIABLE` in start and end macros for Klipper.
 */
export const machineCommands: readonly MachineCommand[] = [
  ...rows('nowhere', {
    G5: 'moves along a curve that is not read here',
    G18: 'turns the plane of arcs: they are not read so here',
    G19: 'turns the plane of arcs: they are not read so here',
    G26: 'prints a pattern of its own',
    G55: 'chooses other coordinates: the print leaves the checked volume',
    G56: 'chooses other coordinates: the print leaves the checked volume',
    G57: 'chooses other coordinates: the print leaves the checked volume',
    G58: 'chooses other coordinates: the print leaves the checked volume',
    G59: 'chooses other coordinates: the print leaves the checked volume',
    G76: 'heats on its own account to calibrate a probe',
    M23: 'chooses another file to print',
    M28: 'writes what follows to a file of the machine instead of printing it',
    M29: 'ends writing to a file of the machine',
    M30: 'deletes a file of the machine',
    M32: 'prints another file',
    M42: 'switches a pin of the machine',
    M92: 'changes the steps per mm: every length after it is another one',
    M112: 'stops everything at once',
    M206: 'shifts the home position: the print leaves the checked volume',
    M260: 'sends to other chips of the machine',
    M290: 'shifts the print in height',
    M303: 'heats on its own account to tune a heater',
    M306: 'heats on its own account to tune a heater',
    M350: 'changes the microsteps: every length after it is another one',
    M428: 'shifts the home position: the print leaves the checked volume',
    M502: 'throws away the settings of the machine',
    M504: 'checks, and on a fault resets, the memory of the settings',
    M552: 'switches the network off or over',
    M553: 'changes the network address',
    M554: 'changes the network address',
    M575: 'changes the speed of the serial line',
    M587: 'stores a wireless network',
    M588: 'forgets a wireless network',
    M808: 'repeats a part of the file: what happens is not what is read here',
    M810: 'defines a macro: its commands are not seen here',
    M811: 'defines a macro: its commands are not seen here',
    M812: 'defines a macro: its commands are not seen here',
    M813: 'defines a macro: its commands are not seen here',
    M814: 'defines a macro: its commands are not seen here',
    M815: 'defines a macro: its commands are not seen here',
    M816: 'defines a macro: its commands are not seen here',
    M817: 'defines a macro: its commands are not seen here',
    M818: 'defines a macro: its commands are not seen here',
    M819: 'defines a macro: its commands are not seen here',
    M851: 'changes the distance from probe to nozzle',
    M928: 'writes a log to a file of the machine',
    M997: 'writes firmware',
    M999: 'starts again after a fault that an operator should see',
    FIRMWARE_RESTART: 'restarts the firmware',
    FORCE_MOVE: 'moves a motor past every limit',
    PID_CALIBRATE: 'heats on its own account to tune a heater',
    RESTART: 'restarts the firmware',
    RUN_SHELL_COMMAND: 'runs a program on the host',
    SAVE_CONFIG: 'rewrites the configuration and restarts the firmware',
    SDCARD_PRINT_FILE: 'prints another file',
    SDCARD_RESET_FILE: 'unloads the file that is being printed',
    SET_KINEMATIC_POSITION: 'makes the machine believe that it is elsewhere',
    TUNING_TOWER: 'changes settings with the height, by a command of its own',
    UPDATE_DELAYED_GCODE: 'runs commands later that are not seen here',
  }),
  ...rows('own_machine', {
    M301: 'changes how the nozzle is heated',
    M302: 'allows to push cold filament, for wiping',
    M304: 'changes how the bed is heated',
    M500: 'stores what was measured, such as the levelling',
    M501: 'loads the stored settings',
    M665: 'changes the geometry of a delta',
    M666: 'changes the end stops of a delta',
    SAVE_VARIABLE: 'stores a value for macros',
    SET_GCODE_OFFSET: 'shifts the print in height (sideways, or by more than 2 mm, nowhere)',
  }),
  ...rows('before_and_after', {
    G29: 'probes the bed, where the print stands by now',
    G34: 'levels the gantry, where the print stands by now',
    BED_MESH_CALIBRATE: 'probes the bed, where the print stands by now',
    QUAD_GANTRY_LEVEL: 'probes the bed, where the print stands by now',
    Z_TILT_ADJUST: 'probes the bed, where the print stands by now',
  }),
];

const placeOf: ReadonlyMap<string, Place> = new Map(machineCommands.map(({ command, place }) => [command, place]));

/** mm; more than any first layer needs. */
const largestOffset = 2;

/** Sub-codes are unlimited. */
const mostSightings = 200;

interface Sightings {
  place: Place;
  /** The line of its first occurrence. */
  line: number;
  /** The number of extruding moves before its first occurrence, after the first layer mark or not; `undefined`: it does not occur there. */
  afterMark: number | undefined;
  beforeMark: number | undefined;
}

/**
 * Sorts the commands of a file that do more than print by their place. The start block ends at the first layer
 * mark, in a file without marks at the first extruding move; the end block starts after the last extruding move.
 */
export class MachineCommands {
  private readonly seen = new Map<string, Sightings>();
  /** The largest total shift of the print in height (mm). */
  private lift = 0;

  /**
   * Processes a command.
   *
   * @param command code or name in capitals, such as `M500`
   * @param subCode the 2 of `M201.2`, else 0. A sub-code is a separate command; but firmware without sub-codes reads
   *   `M997.1` as `M997`, so commands that are allowed nowhere are recognised with every sub-code
   * @param words its parameters
   * @param move the number of extruding moves before it
   * @param marked whether a layer mark precedes it
   * @param line its line in the file
   */
  see(command: string, subCode: number, words: string, move: number, marked: boolean, line: number): void {
    const usual = placeOf.get(command);
    if (usual === undefined || (subCode > 0 && usual !== 'nowhere')) return;
    const name = subCode > 0 ? `${command}.${subCode}` : command;
    if (command === 'SET_GCODE_OFFSET') this.lift += liftOf(words);
    const place = command === 'SET_GCODE_OFFSET' && this.lift > largestOffset ? 'nowhere' : usual;
    if (this.seen.size > mostSightings) return;
    const sightings = this.seen.get(name) ?? { place, line, afterMark: undefined, beforeMark: undefined };
    if (place === 'nowhere') sightings.place = place;
    if (marked) sightings.afterMark ??= move;
    else if (move > 0) sightings.beforeMark ??= move;
    this.seen.set(name, sightings);
  }

  /** @param moves the number of extruding moves in the file */
  sorted(moves: number, marked: boolean): { dangerous: string[]; vendor: string[]; lines: Record<string, number> } {
    const dangerous: string[] = [];
    const vendor: string[] = [];
    const lines: Record<string, number> = {};
    for (const [name, { place, line, afterMark, beforeMark }] of this.seen) {
      const first = marked ? afterMark : beforeMark;
      const inBody = first !== undefined && first < moves;
      if (place === 'nowhere' || inBody) dangerous.push(name);
      else if (place === 'own_machine') vendor.push(name);
      else continue;
      lines[name] = line;
    }
    return { dangerous, vendor, lines };
  }
}

/** The change of height by `SET_GCODE_OFFSET` with these parameters (mm); infinite if it does anything else. */
function liftOf(text: string): number {
  const words = klipperWords(text);
  if (words === null && !text.includes('=')) return 0;
  let lift = 0;
  for (const [key, value] of words ?? []) {
    if (key === 'Z' || key === 'Z_ADJUST') lift += Math.abs(plainNumber(value));
    else if (key !== 'MOVE' && key !== 'MOVE_SPEED') return Number.POSITIVE_INFINITY;
  }
  return words === null || Number.isNaN(lift) ? Number.POSITIVE_INFINITY : lift;
}
