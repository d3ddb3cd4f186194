import type { Readable } from 'node:stream';
import type { Bounds, GcodeAnalysis } from './analysis';
import { readChunks } from './chunks';
import { parseDecimal } from './decimal';
import { MotionEstimator, type MotionLimits, usualLimits } from './motion';
import { SlicerComments } from './slicer-comments';
import { thumbnailsOfGcode } from './thumbnail';
import { UnreadableFileError } from './unreadable';

/** Firmware reads far less; only comments (thumbnails) are longer, and of those the beginning is enough. */
const longestCommand = 4096;
const chunkBytes = 256 * 1024;
const millimetresPerInch = 25.4;
const countedLayers = 100_000;
const mostTools = 16;

/**
 * Commands that no print needs and that change the machine's memory, its calibration, its files or its safety:
 * SD card writing and deleting, steps per mm, emergency stop, shifted coordinates (which would carry a print out of the
 * checked volume), cold extrusion, PID tuning, saving and resetting settings, firmware update, restart.
 */
const dangerousCodes = new Set([28, 29, 30, 32, 92, 112, 206, 302, 303, 428, 500, 502, 504, 810, 928, 997, 999]);

/** The same for Klipper's commands with names. */
const dangerousNames =
  /^(SAVE_CONFIG|SAVE_VARIABLE|RESTART|FIRMWARE_RESTART|FORCE_MOVE|SET_KINEMATIC_POSITION|SET_GCODE_OFFSET|RUN_SHELL_COMMAND)\b/i;

const X = 0;
const Y = 1;
const Z = 2;
const E = 3;
const F = 5;
const letterIndex: Readonly<Record<number, number>> = {
  88: X,
  89: Y,
  90: Z,
  69: E,
  70: F,
  73: 6,
  74: 7,
  82: 8,
  83: 9,
  80: 10,
  84: 11,
};
const I = 6;
const J = 7;
const R = 8;
const S = 9;
const P = 10;
const T = 11;
const wordCount = 12;

class Box {
  readonly min = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  readonly max = [Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY, Number.NEGATIVE_INFINITY];

  add(x: number, y: number, z: number): void {
    const { min, max } = this;
    if (x < (min[0] as number)) min[0] = x;
    if (x > (max[0] as number)) max[0] = x;
    if (y < (min[1] as number)) min[1] = y;
    if (y > (max[1] as number)) max[1] = y;
    if (z < (min[2] as number)) min[2] = z;
    if (z > (max[2] as number)) max[2] = z;
  }

  get empty(): boolean {
    return (this.min[0] as number) > (this.max[0] as number);
  }

  get bounds(): Bounds {
    if (this.empty) return { min: { x: 0, y: 0, z: 0 }, max: { x: 0, y: 0, z: 0 } };
    const corner = (values: number[]) => ({ x: values[0] ?? 0, y: values[1] ?? 0, z: values[2] ?? 0 });
    return { min: corner(this.min), max: corner(this.max) };
  }
}

/**
 * Reads G-code in pieces, in one pass and constant memory: extents of the extruding moves, filament, layers, temperatures,
 * time, and what the slicer says of itself. Understands G0–G4, G20/G21, G28, G90–G92, arcs (G2/G3 by centre or radius),
 * M82/M83, M104/M109/M140/M190 and the motion limits M201, M203–M205 and SET_VELOCITY_LIMIT.
 */
export class GcodeReader {
  private readonly comments = new SlicerComments();
  private readonly motion: MotionEstimator;
  private readonly held = Buffer.allocUnsafe(longestCommand);
  private heldBytes = 0;
  private lineBytes = 0;

  private lines = 0;
  private moves = 0;
  private extrudingMoves = 0;
  private badNumbers = 0;
  private tool = 0;
  private readonly tools = new Set<number>();
  private readonly extruded = new Box();
  private readonly part = new Box();
  private readonly travelled = new Box();
  private readonly layerHeights = new Set<number>();
  private readonly dangerous = new Set<string>();
  private maxNozzleTemperature = 0;
  private maxBedTemperature = 0;

  /** Where the nozzle is, in the machine's coordinates (mm), and the extruder. */
  private readonly position = new Float64Array(4);
  /** What to add to a coordinate of the file: G92 moves the origin. */
  private readonly shift = new Float64Array(4);
  private readonly target = new Float64Array(4);
  private relative = false;
  private relativeExtrusion = false;
  private scale = 1;
  private feed = 25;
  private pushed = 0;
  private mostPushed = 0;

  private readonly words = new Float64Array(wordCount);
  private present = 0;

  constructor(limits: MotionLimits = usualLimits) {
    this.motion = new MotionEstimator(limits);
  }

  /**
   * Takes the next bytes.
   *
   * @throws UnreadableFileError for a command longer than any firmware reads
   */
  push(chunk: Uint8Array): void {
    let start = 0;
    for (;;) {
      const end = chunk.indexOf(10, start);
      if (end < 0) break;
      if (this.lineBytes === 0) {
        this.line(chunk, start, end, end - start);
      } else {
        this.hold(chunk, start, end);
        this.line(this.held, 0, this.heldBytes, this.lineBytes);
        this.heldBytes = 0;
        this.lineBytes = 0;
      }
      start = end + 1;
    }
    this.hold(chunk, start, chunk.length);
    if (this.lineBytes > longestCommand) this.refuseLongCommand(this.held, 0, this.heldBytes);
  }

  /**
   * What was read.
   *
   * @throws UnreadableFileError when there was no movement at all
   */
  finish(): GcodeAnalysis {
    if (this.lineBytes > 0) this.line(this.held, 0, this.heldBytes, this.lineBytes);
    this.lineBytes = 0;
    if (this.moves === 0) {
      throw new UnreadableFileError('the G-code holds no movement', 'Slice the model again and send that file.');
    }
    const comments = this.comments;
    const heights = [...this.layerHeights].sort((a, b) => a - b);
    return {
      lines: this.lines,
      bounds: this.extruded.bounds,
      partBounds: comments.layerMarks > 0 && !this.part.empty ? this.part.bounds : null,
      travelBounds: this.travelled.bounds,
      extrudingMoves: this.extrudingMoves,
      filamentMm: this.mostPushed,
      layers: comments.layerMarks > 0 ? comments.layerMarks : heights.length,
      layerHeight: heights.length > 1 ? ((heights[1] ?? 0) - (heights[0] ?? 0)) / 1000 : 0,
      simulatedSeconds: this.motion.seconds(),
      slicerSeconds: comments.seconds,
      slicerGrams: comments.grams,
      slicer: comments.slicer,
      maxNozzleTemperature: this.maxNozzleTemperature,
      maxBedTemperature: this.maxBedTemperature,
      printerModel: comments.printerModel,
      badNumbers: this.badNumbers,
      dangerousCommands: [...this.dangerous],
      vendorCommands: [],
      tools: [...this.tools].sort((a, b) => a - b),
      toolUse: [],
      filaments: [],
      nozzleDiameters: [],
      bedType: null,
      thumbnails: [],
      complete: comments.complete,
    };
  }

  private hold(chunk: Uint8Array, start: number, end: number): void {
    const kept = Math.min(end - start, longestCommand - this.heldBytes);
    if (kept > 0) {
      this.held.set(chunk.subarray(start, start + kept), this.heldBytes);
      this.heldBytes += kept;
    }
    this.lineBytes += end - start;
  }

  private refuseLongCommand(bytes: Uint8Array, start: number, end: number): void {
    if (bytes[skipBlanks(bytes, start, end)] === 59) return;
    throw new UnreadableFileError(
      `the G-code has a command longer than ${longestCommand} characters`,
      'Slice the model again and send that file.',
    );
  }

  private line(bytes: Uint8Array, from: number, to: number, fullLength: number): void {
    this.lines++;
    if (fullLength > longestCommand) this.refuseLongCommand(bytes, from, to);
    let end = Math.min(to, from + longestCommand);
    if (end > from && bytes[end - 1] === 13) end--;
    let at = skipBlanks(bytes, from, end);
    if (at >= end) return;
    if (bytes[at] === 59) {
      this.comments.read(textOf(bytes, at, Math.min(end, at + 400)));
      return;
    }
    if (upper(bytes[at]) === 78) at = skipBlanks(bytes, endOfDigits(bytes, at + 1, end), end); // line number
    const letter = upper(bytes[at]);
    const numberStart = skipBlanks(bytes, at + 1, end); // Marlin reads "M 500" too
    const numberEnd = endOfDigits(bytes, numberStart, end);
    if ((letter !== 71 && letter !== 77) || numberEnd === numberStart) {
      if (letter >= 65 && letter <= 90) this.extendedCommand(textOf(bytes, at, end));
      return;
    }
    const code = Number(textOf(bytes, numberStart, numberEnd));
    if (letter === 71) this.general(code, bytes, numberEnd, end);
    else this.miscellaneous(code, bytes, numberEnd, end);
  }

  private readWords(bytes: Uint8Array, from: number, end: number, numbersExpected: boolean): void {
    this.present = 0;
    let at = from;
    while (at < end) {
      const byte = bytes[at] ?? 0;
      if (byte === 59 || byte === 42 || byte === 40) return; // comment or checksum
      if (byte <= 32) {
        at++;
        continue;
      }
      const index = letterIndex[upper(byte)];
      let stop = at + 1;
      while (stop < end && isNumberByte(bytes[stop] ?? 0)) stop++;
      if (index !== undefined) {
        const value = parseDecimal(bytes, at + 1, stop);
        if (Number.isFinite(value) && Math.abs(value) < 1e9) {
          this.words[index] = value;
          this.present |= 1 << index;
        } else if (numbersExpected) {
          this.badNumbers++;
        }
      } else if (byte < 65) {
        this.badNumbers++;
      }
      at = stop;
    }
  }

  private has(index: number): boolean {
    return (this.present & (1 << index)) !== 0;
  }

  private word(index: number): number {
    return this.words[index] ?? 0;
  }

  private general(code: number, bytes: Uint8Array, from: number, end: number): void {
    switch (code) {
      case 0:
      case 1:
      case 2:
      case 3:
        this.readWords(bytes, from, end, true);
        this.move(code);
        return;
      case 4:
        this.readWords(bytes, from, end, true);
        this.motion.pause(this.has(S) ? this.word(S) : this.has(P) ? this.word(P) / 1000 : 0);
        return;
      case 20:
        this.scale = millimetresPerInch;
        return;
      case 21:
        this.scale = 1;
        return;
      case 28:
        this.moves++;
        this.home(textOf(bytes, from, end).toUpperCase());
        return;
      case 90:
        this.relative = false;
        return;
      case 91:
        this.relative = true;
        return;
      case 92:
        this.readWords(bytes, from, end, true);
        for (let axis = X; axis <= E; axis++) {
          if (this.has(axis)) this.shift[axis] = (this.position[axis] ?? 0) - this.word(axis) * this.scale;
        }
        return;
      default:
        return;
    }
  }

  private home(words: string): void {
    const named = /[XYZ]/.test(words.replace(/;.*/, ''));
    this.motion.pause(0);
    for (let axis = X; axis <= Z; axis++) {
      if (named && !words.includes('XYZ'.charAt(axis))) continue;
      this.position[axis] = 0;
      this.shift[axis] = 0;
    }
  }

  private move(code: number): void {
    this.moves++;
    if (this.has(F)) this.feed = Math.min((this.word(F) * this.scale) / 60, 10_000);
    const { position, target } = this;
    for (let axis = X; axis <= E; axis++) {
      const here = position[axis] ?? 0;
      if (!this.has(axis)) target[axis] = here;
      else if (this.relative || (axis === E && this.relativeExtrusion))
        target[axis] = here + this.word(axis) * this.scale;
      else target[axis] = this.word(axis) * this.scale + (this.shift[axis] ?? 0);
    }
    const [x0, y0, z0, e0] = position as unknown as FourNumbers;
    const [x1, y1, z1, e1] = target as unknown as FourNumbers;
    const push = e1 - e0;
    this.pushed += push;
    if (this.pushed > this.mostPushed) this.mostPushed = this.pushed;
    const arc = code >= 2 && (this.has(I) || this.has(J) || this.has(R)) ? this.arc(code === 2) : undefined;
    const extruding = push > 0 && (x0 !== x1 || y0 !== y1 || arc !== undefined);
    if (extruding) {
      this.extrudingMoves++;
      this.tools.add(this.tool);
      if (this.layerHeights.size < countedLayers) this.layerHeights.add(Math.round(z1 * 1000));
      const inPart = this.comments.layerMarks > 0;
      this.extruded.add(x0, y0, z0);
      this.extruded.add(x1, y1, z1);
      if (inPart) {
        this.part.add(x0, y0, z0);
        this.part.add(x1, y1, z1);
      }
      for (const [x, y] of arc?.extremes ?? []) {
        this.extruded.add(x, y, z1);
        if (inPart) this.part.add(x, y, z1);
      }
    } else if (this.has(X) || this.has(Y) || this.has(Z)) {
      this.travelled.add(x1, y1, z1);
    }
    if (arc) {
      let fromX = x0;
      let fromY = y0;
      const count = arc.points.length;
      for (const [x, y] of arc.points) {
        this.motion.move(x - fromX, y - fromY, (z1 - z0) / count, push / count, this.feed);
        fromX = x;
        fromY = y;
      }
    } else {
      this.motion.move(x1 - x0, y1 - y0, z1 - z0, push, this.feed);
    }
    position.set(target);
  }

  /** The arc from position to target in the XY plane as points, and where it touches its farthest X and Y. */
  private arc(clockwise: boolean): Arc | undefined {
    const [x0, y0] = this.position as unknown as FourNumbers;
    const [x1, y1] = this.target as unknown as FourNumbers;
    let centreX = x0 + (this.has(I) ? this.word(I) * this.scale : 0);
    let centreY = y0 + (this.has(J) ? this.word(J) * this.scale : 0);
    if (this.has(R)) {
      const signedRadius = this.word(R) * this.scale;
      const halfChord = Math.hypot(x1 - x0, y1 - y0) / 2;
      if (halfChord === 0) return undefined;
      const height = Math.sqrt(Math.max(signedRadius * signedRadius - halfChord * halfChord, 0));
      const side = clockwise === signedRadius > 0 ? 1 : -1;
      centreX = (x0 + x1) / 2 + (side * height * (y1 - y0)) / (2 * halfChord);
      centreY = (y0 + y1) / 2 - (side * height * (x1 - x0)) / (2 * halfChord);
    }
    const radius = Math.hypot(x0 - centreX, y0 - centreY);
    if (!(radius > 1e-6)) return undefined;
    const begin = Math.atan2(y0 - centreY, x0 - centreX);
    let sweep = Math.atan2(y1 - centreY, x1 - centreX) - begin;
    if (clockwise && sweep >= -1e-9) sweep -= 2 * Math.PI;
    if (!clockwise && sweep <= 1e-9) sweep += 2 * Math.PI;
    const pointAt = (angle: number): [number, number] => [
      centreX + radius * Math.cos(angle),
      centreY + radius * Math.sin(angle),
    ];
    const extremes: [number, number][] = [];
    const low = Math.min(begin, begin + sweep);
    const high = Math.max(begin, begin + sweep);
    for (let quarter = Math.ceil(low / (Math.PI / 2)); quarter * (Math.PI / 2) <= high; quarter++) {
      extremes.push(pointAt((quarter * Math.PI) / 2));
    }
    const count = Math.max(2, Math.min(32, Math.ceil(Math.abs(sweep) * radius)));
    const points: [number, number][] = [];
    for (let i = 1; i < count; i++) points.push(pointAt(begin + (sweep * i) / count));
    points.push([x1, y1]);
    return { points, extremes };
  }

  private miscellaneous(code: number, bytes: Uint8Array, from: number, end: number): void {
    if (dangerousCodes.has(code)) this.dangerous.add(`M${code}`);
    switch (code) {
      case 82:
        this.relativeExtrusion = false;
        return;
      case 83:
        this.relativeExtrusion = true;
        return;
      case 104:
      case 109:
      case 140:
      case 190: {
        this.readWords(bytes, from, end, false);
        const temperature = Math.max(this.has(S) ? this.word(S) : 0, this.has(R) ? this.word(R) : 0);
        if (code <= 109) this.maxNozzleTemperature = Math.max(this.maxNozzleTemperature, temperature);
        else this.maxBedTemperature = Math.max(this.maxBedTemperature, temperature);
        return;
      }
      case 201:
      case 203:
      case 204:
      case 205:
        this.readWords(bytes, from, end, false);
        this.changeLimits(code);
        return;
      default:
        return;
    }
  }

  private changeLimits(code: number): void {
    const limits = this.motion.limits;
    const positive = (index: number, change: (value: number) => void) => {
      if (this.has(index) && this.word(index) > 0) change(this.word(index));
    };
    const perAxis =
      code === 201 ? limits.maxAcceleration : code === 203 ? limits.maxSpeed : code === 205 ? limits.jerk : [];
    if (code === 204) {
      positive(S, (value) => {
        limits.printAcceleration = value;
        limits.travelAcceleration = value;
      });
      positive(P, (value) => {
        limits.printAcceleration = value;
      });
      positive(T, (value) => {
        limits.travelAcceleration = value;
      });
      positive(R, (value) => {
        limits.retractAcceleration = value;
      });
      return;
    }
    for (let axis = X; axis <= E; axis++) {
      positive(axis, (value) => {
        perAxis[axis] = value;
      });
    }
    if (code === 205) {
      positive(J, (value) => {
        limits.junctionDeviation = value;
      });
    }
  }

  private extendedCommand(text: string): void {
    const tool = /^T(\d{1,2})\b/i.exec(text)?.[1];
    // Bambu's start code speaks of T255 and T1000 and means no nozzle
    if (tool !== undefined && Number(tool) < mostTools) this.tool = Number(tool);
    const dangerous = dangerousNames.exec(text)?.[1];
    if (dangerous !== undefined) this.dangerous.add(dangerous.toUpperCase());
    if (!/^SET_VELOCITY_LIMIT\b/i.test(text)) return;
    const acceleration = Number(/\bACCEL=([\d.]+)/i.exec(text)?.[1] ?? Number.NaN);
    if (!(acceleration > 0)) return;
    this.motion.limits.printAcceleration = acceleration;
    this.motion.limits.travelAcceleration = acceleration;
  }
}

interface Arc {
  points: [number, number][];
  extremes: [number, number][];
}

type FourNumbers = [number, number, number, number];

const upper = (byte: number | undefined) => (byte !== undefined && byte >= 97 && byte <= 122 ? byte - 32 : (byte ?? 0));

const isNumberByte = (byte: number) => (byte >= 48 && byte <= 57) || byte === 46 || byte === 45 || byte === 43;

function skipBlanks(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) <= 32) at++;
  return at;
}

function endOfDigits(bytes: Uint8Array, from: number, end: number): number {
  let at = from;
  while (at < end && (bytes[at] ?? 0) >= 48 && (bytes[at] ?? 0) <= 57) at++;
  return at;
}

function textOf(bytes: Uint8Array, from: number, end: number): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset + from, end - from).toString('latin1');
}

/**
 * Analyses G-code from a file (read synchronously: for worker threads or small files) or from a stream.
 *
 * @throws UnreadableFileError
 */
export async function analyseGcode(source: string | Readable | AsyncIterable<Uint8Array>): Promise<GcodeAnalysis> {
  const reader = new GcodeReader();
  if (typeof source !== 'string') {
    for await (const chunk of source) reader.push(chunk as Uint8Array);
    return reader.finish();
  }
  readChunks(source, 0, chunkBytes, (chunk) => reader.push(chunk));
  const thumbnails = thumbnailsOfGcode(source).map(({ width, height, format }) => ({ width, height, format }));
  return { ...reader.finish(), thumbnails };
}
