import { createReadStream } from 'node:fs';
import { type Extrusion, type FileError, ONE_TOOL, type ToolRules, ToolUse } from './tool-use';

/** What a printer learns by reading a G-code file. */
export interface GcodeFacts {
  /** Printer seconds of all moves and dwells, heating not counted; between 1 s and 30 days. */
  seconds: number;
  lines: number;
  bytes: number;
  /** Heights at which material is laid down. */
  layers: number;
  /** mm of filament that come out, of all tools. */
  filamentMillimetres: number;
  extrusions: Extrusion[];
  /** The highest targets in degrees Celsius, 0 if the file sets none. */
  nozzleTarget: number;
  /** The same of each tool. */
  nozzleTargets: number[];
  bedTarget: number;
  /** Printed height in mm. */
  height: number;
  /** The reason for which the firmware gives the print up. */
  error?: FileError;
}

const LONGEST_SECONDS = 30 * 24 * 3600;
const DEFAULT_ACCELERATION = 5000;
const HIGHEST_SPEED = 500;
const HOMING_SECONDS = 10;

interface Move {
  distance: number;
  speed: number;
  direction: readonly [number, number, number];
}

/** Reads G-code line by line and adds up the time of the moves (trapezoidal speed, one move of look-ahead). */
export class GcodeEstimator {
  #position = { X: 0, Y: 0, Z: 0, E: 0 };
  #absolute = true;
  #absoluteExtrusion = true;
  #speed = 25;
  #acceleration = DEFAULT_ACCELERATION;
  #pending: Move | undefined;
  #entrySpeed = 0;
  #seconds = 0;
  #lines = 0;
  #layers = 0;
  #highestLayer = -Infinity;
  readonly #tools: ToolUse;
  #bedTarget = 0;

  constructor(rules: ToolRules = ONE_TOOL) {
    this.#tools = new ToolUse(rules);
  }

  line(text: string): void {
    this.#lines += 1;
    const first = text.charCodeAt(0);
    // Comments and blank lines, which are the bulk of thumbnails, need no parsing.
    if (Number.isNaN(first) || first === 59) return;
    const semicolon = text.indexOf(';');
    const code = (semicolon < 0 ? text : text.slice(0, semicolon)).trim();
    if (code === '') return;
    const space = code.search(/\s/);
    const word = (space < 0 ? code : code.slice(0, space)).toUpperCase();
    const rest = space < 0 ? '' : code.slice(space + 1);
    this.#command(word, rest);
  }

  finish(bytes: number): GcodeFacts {
    this.#flush(0);
    const seconds = Math.min(LONGEST_SECONDS, Math.max(1, this.#seconds));
    const extrusions = this.#tools.extrusions(seconds);
    const { error, targets } = this.#tools;
    return {
      seconds,
      lines: this.#lines,
      bytes,
      layers: this.#layers,
      filamentMillimetres: extrusions.reduce((sum, { millimetres }) => sum + millimetres, 0),
      extrusions,
      nozzleTarget: Math.max(0, ...targets),
      nozzleTargets: targets,
      bedTarget: this.#bedTarget,
      height: Math.max(0, Number.isFinite(this.#highestLayer) ? this.#highestLayer : 0),
      ...(error === undefined ? {} : { error }),
    };
  }

  #command(word: string, rest: string): void {
    switch (word) {
      case 'G0':
      case 'G1':
      case 'G00':
      case 'G01':
        this.#move(rest, false);
        break;
      case 'G2':
      case 'G3':
      case 'G02':
      case 'G03':
        this.#move(rest, true);
        break;
      case 'G4':
      case 'G04': {
        this.#flush(0);
        const seconds = argument(rest, 'S') ?? (argument(rest, 'P') ?? 0) / 1000;
        this.#seconds += Math.min(LONGEST_SECONDS, Math.max(0, seconds));
        break;
      }
      case 'G28':
        this.#flush(0);
        this.#seconds += HOMING_SECONDS;
        break;
      case 'G90':
        this.#absolute = true;
        this.#absoluteExtrusion = true;
        break;
      case 'G91':
        this.#absolute = false;
        this.#absoluteExtrusion = false;
        break;
      case 'M82':
        this.#absoluteExtrusion = true;
        break;
      case 'M83':
        this.#absoluteExtrusion = false;
        break;
      case 'G92':
        for (const axis of ['X', 'Y', 'Z', 'E'] as const) {
          this.#position[axis] = argument(rest, axis) ?? this.#position[axis];
        }
        break;
      case 'M204': {
        const acceleration = argument(rest, 'P') ?? argument(rest, 'S');
        if (acceleration !== undefined && acceleration > 0) {
          this.#acceleration = Math.min(30000, Math.max(50, acceleration));
        }
        break;
      }
      case 'M140':
      case 'M190':
        this.#bedTarget = Math.max(this.#bedTarget, argument(rest, 'S') ?? 0);
        break;
      default:
        if (this.#tools.command(word, rest, this.#seconds)) this.#position.E = 0;
    }
  }

  #move(rest: string, arc: boolean): void {
    const feed = argument(rest, 'F');
    if (feed !== undefined && feed > 0) this.#speed = Math.min(HIGHEST_SPEED, Math.max(0.05, feed / 60));
    const from = this.#position;
    const x = this.#target('X', rest);
    const y = this.#target('Y', rest);
    const z = this.#target('Z', rest);
    const given = argument(rest, 'E');
    const e = given === undefined ? from.E : this.#absoluteExtrusion ? given : from.E + given;
    const step = [x - from.X, y - from.Y, z - from.Z] as const;
    const extruded = e - from.E;
    let distance = Math.hypot(...step);
    if (arc) {
      const radius = Math.hypot(argument(rest, 'I') ?? 0, argument(rest, 'J') ?? 0) || (argument(rest, 'R') ?? 0);
      distance = arcLength(distance, Math.abs(radius));
    }
    this.#tools.extrude(extruded, this.#seconds);
    if (extruded > 0) {
      if (distance > 0 && z > this.#highestLayer + 1e-4) {
        this.#highestLayer = z;
        this.#layers += 1;
      }
    }
    this.#position = { X: x, Y: y, Z: z, E: e };
    const length = distance > 0 ? distance : Math.abs(extruded);
    if (!(length > 0) || !Number.isFinite(length)) return;
    const direction: [number, number, number] =
      distance > 0 ? [step[0] / distance, step[1] / distance, step[2] / distance] : [0, 0, 0];
    this.#add({ distance: Math.min(length, 5000), speed: this.#speed, direction });
  }

  #target(axis: 'X' | 'Y' | 'Z', rest: string): number {
    const given = argument(rest, axis);
    if (given === undefined) return this.#position[axis];
    return this.#absolute ? given : this.#position[axis] + given;
  }

  #add(move: Move): void {
    const previous = this.#pending;
    if (previous !== undefined) {
      const [a, b] = [previous.direction, move.direction];
      const cosine = a[0] * b[0] + a[1] * b[1] + a[2] * b[2];
      this.#flush(Math.max(0, cosine) * Math.min(previous.speed, move.speed));
    }
    this.#pending = move;
  }

  /** Counts the move that waits for its successor; `exitSpeed` is what the corner behind it allows, in mm/s. */
  #flush(exitSpeed: number): void {
    const move = this.#pending;
    if (move === undefined) return;
    const a = this.#acceleration;
    const entry = Math.min(this.#entrySpeed, move.speed);
    const reachable = Math.sqrt(entry * entry + 2 * a * move.distance);
    const exit = Math.min(exitSpeed, reachable);
    const ramps = (2 * move.speed * move.speed - entry * entry - exit * exit) / (2 * a);
    if (ramps <= move.distance) {
      this.#seconds += (2 * move.speed - entry - exit) / a + (move.distance - ramps) / move.speed;
    } else {
      const peak = Math.max(entry, exit, Math.sqrt(a * move.distance + (entry * entry + exit * exit) / 2));
      this.#seconds += (2 * peak - entry - exit) / a;
    }
    this.#entrySpeed = exit;
    this.#pending = undefined;
  }
}

/** Reads a G-code stream to its end without holding it in memory. */
export async function estimateGcode(stream: AsyncIterable<Buffer>, rules?: ToolRules): Promise<GcodeFacts> {
  const estimator = new GcodeEstimator(rules);
  let rest = '';
  let bytes = 0;
  for await (const chunk of stream) {
    bytes += chunk.length;
    const lines = (rest + chunk.toString('latin1')).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) estimator.line(line);
  }
  if (rest !== '') estimator.line(rest);
  return estimator.finish(bytes);
}

export function estimateGcodeFile(path: string, rules: ToolRules): Promise<GcodeFacts> {
  return estimateGcode(createReadStream(path, { highWaterMark: 256 * 1024 }), rules);
}

/** Printer seconds until bed and nozzle are at temperature: about 0.5 °C/s for the bed, then 4 °C/s for the nozzle. */
export function heatUpSeconds(facts: Pick<GcodeFacts, 'bedTarget' | 'nozzleTarget'>): number {
  const bed = Math.max(0, facts.bedTarget - 25) / 0.5;
  const nozzle = Math.max(0, facts.nozzleTarget - 25) / 4;
  return Math.max(2, bed + nozzle);
}

function argument(rest: string, letter: string): number | undefined {
  let at = rest.indexOf(letter);
  if (at < 0) at = rest.indexOf(letter.toLowerCase());
  if (at < 0) return undefined;
  const value = Number.parseFloat(rest.slice(at + 1));
  return Number.isFinite(value) ? value : undefined;
}

/** A chord of this radius as an arc; a chord of nothing is a full circle. */
function arcLength(chord: number, radius: number): number {
  if (radius <= 0) return chord;
  if (chord < 1e-6) return 2 * Math.PI * radius;
  return 2 * radius * Math.asin(Math.min(1, chord / (2 * radius)));
}
