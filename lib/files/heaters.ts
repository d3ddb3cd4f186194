/** Macros that heat, by name: `START_PRINT`, `PRINT_START`, `_START_GCODE` … */
const startMacro = /(^|_)START(_|$)|^(PREHEAT|HEAT_SOAK)/;
/** Macros that end a print, by name: `END_PRINT`, `PRINT_END`, `END_GCODE`, `PRINT_FINISHED` … */
const endMacro =
  /^_?(END|FINISH|CANCEL_PRINT)$|(^|_)(PRINT|JOB|GCODE)_(END|FINISH|FINISHED|DONE|COMPLETE)|(^|_)(END|FINISH)_(PRINT|JOB|GCODE)/;

const nozzle = (tool: number) => `nozzle ${tool}`;
const bed = (zone: number) => `bed ${zone}`;

/**
 * Tracks which heaters a file leaves on. If the slicer writes no closing mark, a file whose heaters stay on after the last
 * extruding move was cut off: every end code switches them off.
 */
export class Heaters {
  private readonly on = new Set<string>();
  private everOn = false;
  private startedByMacro = false;
  /** The number of extruding moves before the latest sign of an end. */
  private offAt = -1;
  private endedAt = -1;

  /** M104, M109: a tool's nozzle, or all. */
  setNozzle(tool: number | 'all', temperature: number, move: number): void {
    if (tool === 'all' && temperature <= 0) this.clear('nozzle', move);
    else this.set(nozzle(tool === 'all' ? 0 : tool), temperature, move);
  }

  /** M140, M190: the bed, or one of its zones (`M140 T2` of an Elegoo Giga); without a zone all of them. */
  setBed(zone: number | undefined, temperature: number, move: number): void {
    if (zone === undefined && temperature <= 0) this.clear('bed', move);
    else this.set(bed(zone ?? 0), temperature, move);
  }

  /** M141, M191. */
  setChamber(temperature: number, move: number): void {
    this.set('chamber', temperature, move);
  }

  /** M84, M18: no end code heats with the motors off; they show that a print whose macro heated has ended. */
  motorsOff(move: number): void {
    this.offAt = move;
  }

  /** A named command, in capitals. */
  macro(name: string, move: number): void {
    if (name === 'TURN_OFF_HEATERS' || endMacro.test(name)) {
      this.on.clear();
      this.endedAt = move;
    } else if (move === 0 && startMacro.test(name)) {
      this.startedByMacro = true;
    }
  }

  /** Whether everything that was switched on is off after the last of this many extruding moves. */
  offAfter(moves: number): boolean {
    if (this.endedAt === moves) return true;
    if (this.on.size > 0) return false;
    return (!this.everOn && !this.startedByMacro) || this.offAt === moves;
  }

  private set(heater: string, temperature: number, move: number): void {
    if (temperature > 0) {
      if (this.on.size < 100) this.on.add(heater);
      this.everOn = true;
    } else {
      this.on.delete(heater);
      this.offAt = move;
    }
  }

  private clear(kind: string, move: number): void {
    for (const heater of this.on) if (heater.startsWith(kind)) this.on.delete(heater);
    this.offAt = move;
  }
}
